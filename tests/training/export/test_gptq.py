import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from training.export.gptq import Moments, round_by_gptq, round_rows  # noqa: E402
from training.export.rounding import INT8_STEPS, SIGNIFICANT_BITS, rounded  # noqa: E402

ROWS, CHANNELS = 6, 64
EITHER = pytest.mark.parametrize("steps", [INT8_STEPS, 64])


def some_rows(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (ROWS, CHANNELS), and rectified inputs (500, CHANNELS) that go together, as those of a network do."""
    random = np.random.default_rng(seed)
    inputs = np.maximum(random.normal(0.5, 1, (500, 8)) @ random.normal(size=(8, CHANNELS)), 0)
    return random.normal(size=(ROWS, CHANNELS)), inputs


def step_of(rows: np.ndarray, steps: int) -> np.ndarray:
    return np.asarray(np.abs(rows).max(axis=1, keepdims=True) / steps)


def nearest(rows: np.ndarray, steps: int) -> np.ndarray:
    """What quantizers make of rows: steps that bring the largest weight to the end of its grid."""
    step = step_of(rows, steps)
    return np.asarray(np.rint(rows / step) * step)


@EITHER
@pytest.mark.parametrize("seed", range(5))
def test_errors_make_up_for_each_other(seed: int, steps: int) -> None:
    rows, inputs = some_rows(seed)
    kept = round_rows(rows, np.cov(inputs.T), steps, SIGNIFICANT_BITS)
    error, plain = (np.std(inputs @ (new - rows).T, axis=0) for new in (kept, nearest(rows, steps)))
    assert error.mean() < 0.5 * plain.mean()


@EITHER
@pytest.mark.parametrize("seed", range(5))
def test_quantizers_find_the_steps_again(seed: int, steps: int) -> None:
    """After the rounding to few significant bits that some forms go through, too."""
    rows, inputs = some_rows(seed)
    new = round_rows(rows, np.cov(inputs.T), steps, SIGNIFICANT_BITS)
    step = step_of(new, steps)
    np.testing.assert_allclose(new / step, np.rint(new / step), atol=1e-9)
    published = rounded(new, SIGNIFICANT_BITS)
    np.testing.assert_allclose(nearest(published, INT8_STEPS) if steps == INT8_STEPS else nearest(new, steps), new)


@EITHER
@pytest.mark.parametrize("seed", range(5))
def test_the_largest_weight_of_a_row_stays(seed: int, steps: int) -> None:
    rows, inputs = some_rows(seed)
    new = round_rows(rows, np.cov(inputs.T), steps, SIGNIFICANT_BITS)
    largest = np.arange(ROWS), np.abs(rows).argmax(axis=1)
    np.testing.assert_allclose(new[largest], rows[largest], rtol=2.0**-SIGNIFICANT_BITS)
    np.testing.assert_array_equal(np.abs(new).max(axis=1), np.abs(new[largest]))


def test_rows_do_not_depend_on_each_other() -> None:
    rows, inputs = some_rows(0)
    together = round_rows(rows, np.cov(inputs.T), INT8_STEPS, SIGNIFICANT_BITS)
    alone = [round_rows(row[None], np.cov(inputs.T), INT8_STEPS, SIGNIFICANT_BITS) for row in rows]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_inputs_that_are_never_seen_are_rounded_to_the_nearest_step() -> None:
    rows, inputs = some_rows(0)
    inputs[:, 32:] = 0
    new = round_rows(rows, np.cov(inputs.T), INT8_STEPS, SIGNIFICANT_BITS)
    largest = np.abs(rows).max(axis=1, keepdims=True)
    assert (np.abs(new - rows)[:, 32:] <= 0.51 * step_of(new, INT8_STEPS) + largest / 2**SIGNIFICANT_BITS).all()


def test_inputs_that_never_move_are_rounded_to_the_nearest_step() -> None:
    moments = Moments(1, CHANNELS)
    for _ in range(2):
        moments.add(torch.full((500, 1, CHANNELS), 1000 / 3))
    rows, _ = some_rows(0)
    new = round_rows(rows, moments.covariances[0], INT8_STEPS, SIGNIFICANT_BITS)
    np.testing.assert_allclose(new, rows, atol=0.51 * float(step_of(new, INT8_STEPS).max()))


def test_moments_are_numpys() -> None:
    _, inputs = some_rows(0)
    moments = Moments(2, CHANNELS // 2)
    for part in np.array_split(inputs, 3):
        moments.add(torch.from_numpy(part).reshape(-1, 2, CHANNELS // 2))
    halves = np.split(inputs, 2, axis=1)
    np.testing.assert_allclose(moments.means, [half.mean(0) for half in halves], atol=1e-12)
    np.testing.assert_allclose(moments.covariances, [np.cov(half.T, bias=True) for half in halves], atol=1e-12)


def test_a_row_of_zeros_stays() -> None:
    np.testing.assert_array_equal(round_rows(np.zeros((2, 4)), np.eye(4), INT8_STEPS, SIGNIFICANT_BITS), 0)


def test_the_mean_answer_stays() -> None:
    """Of the cells that see a face: here those of the left half."""
    torch.manual_seed(0)
    body, last = nn.Sequential(nn.Conv2d(3, 32, 1), nn.ReLU()), nn.Conv2d(32, 4, 1)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    left: Tensor = (torch.arange(64) % 8 < 4).expand(3, 64)

    def forward(batch: np.ndarray) -> Tensor:
        last(body(torch.from_numpy(batch).permute(0, 3, 1, 2).float()))
        return left[: len(batch)]

    with torch.no_grad():
        before = last(body(images))
        plain = last.weight.clone()
        round_by_gptq([last], forward, pictures, INT8_STEPS, SIGNIFICANT_BITS)
        change = (last(body(images)) - before)[..., :4]
    assert not torch.equal(plain, last.weight)
    torch.testing.assert_close(change.mean((0, 2, 3)), torch.zeros(4), atol=1e-3 * float(before.abs().max()), rtol=0)


@pytest.mark.parametrize(
    "layer", [nn.Conv2d(8, 6, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Conv2d(8, 6, 3, 2, 1)], ids=str
)
def test_every_kind_of_convolution_answers_nearly_as_before(layer: nn.Conv2d) -> None:
    """Nearer than with the nearest steps, and the mean of each channel as it was."""
    torch.manual_seed(1)
    layer.reset_parameters()  # what it was made with depends on what was collected before
    body = nn.Sequential(nn.Conv2d(3, 8, 5, padding=2), nn.ReLU())
    pictures = np.random.default_rng(1).integers(0, 256, (4, 16, 16, 3), np.uint8)
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()

    def forward(batch: np.ndarray) -> None:
        layer(body(torch.from_numpy(batch).permute(0, 3, 1, 2).float()))

    with torch.no_grad():
        before, plain = layer(body(images)), layer.weight.flatten(1).double().numpy()
        assert layer.bias is not None
        kept, bias = layer.weight.clone(), layer.bias.clone()
        round_by_gptq([layer], forward, pictures, 16, SIGNIFICANT_BITS)
        error = layer(body(images)) - before
        layer.weight.copy_(torch.from_numpy(nearest(plain, 16)).view_as(layer.weight))
        layer.bias.copy_(bias)
        plain_error = layer(body(images)) - before
        layer.weight.copy_(kept)
    assert error.std() < 0.9 * plain_error.std()
    torch.testing.assert_close(
        error.mean((0, 2, 3)), torch.zeros(len(bias)), atol=1e-3 * float(before.abs().max()), rtol=0
    )
