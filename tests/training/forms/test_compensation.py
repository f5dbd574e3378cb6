import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from training.forms.compensation import STEPS, compensate, round_row  # noqa: E402
from training.forms.rounding import SIGNIFICANT_BITS, rounded  # noqa: E402


def a_row(seed: int, channels: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Weights, and rectified inputs (500, channels) that go together, as those of a network do."""
    random = np.random.default_rng(seed)
    inputs = np.maximum(random.normal(0.5, 1, (500, 8)) @ random.normal(size=(8, channels)), 0)
    return random.normal(size=channels), inputs


def nearest(row: np.ndarray) -> np.ndarray:
    """What quantizers make of a row: steps of a 127th of the largest weight."""
    step = np.abs(row).max() / STEPS
    return np.rint(row / step) * step


@pytest.mark.parametrize("seed", range(5))
def test_errors_make_up_for_each_other(seed: int) -> None:
    row, inputs = a_row(seed)
    kept = round_row(row, np.cov(inputs.T), SIGNIFICANT_BITS)
    error, plain = (np.std(inputs @ (new - row)) for new in (kept, nearest(row)))
    assert error < 0.5 * plain


@pytest.mark.parametrize("seed", range(5))
def test_quantizers_find_the_steps_again(seed: int) -> None:
    """After the rounding to few significant bits that comes last, too."""
    row, inputs = a_row(seed)
    new = round_row(row, np.cov(inputs.T), SIGNIFICANT_BITS)
    step = np.abs(new).max() / STEPS
    np.testing.assert_allclose(new / step, np.rint(new / step), atol=1e-9)
    published = rounded(new, SIGNIFICANT_BITS)
    np.testing.assert_allclose(nearest(published), new, atol=1e-6 * step)


def test_inputs_that_are_never_seen_are_rounded_to_the_nearest_step() -> None:
    row, inputs = a_row(0)
    inputs[:, 32:] = 0
    new = round_row(row, np.cov(inputs.T), SIGNIFICANT_BITS)
    step = np.abs(new).max() / STEPS
    assert np.abs(new - row)[32:].max() <= 0.51 * step + np.abs(row).max() / 2**SIGNIFICANT_BITS


def test_a_row_of_zeros_stays() -> None:
    np.testing.assert_array_equal(round_row(np.zeros(4), np.eye(4), SIGNIFICANT_BITS), 0)


def test_the_mean_answer_stays() -> None:
    """Of the cells that see a face: here those of the left half."""
    torch.manual_seed(0)
    body, last = nn.Sequential(nn.Conv2d(3, 32, 1), nn.ReLU()), nn.Conv2d(32, 4, 1)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    left = (torch.arange(64) % 8 < 4).expand(3, 64)

    def look(batch: torch.Tensor) -> torch.Tensor:
        last(body(batch))
        return left[: len(batch)]

    with torch.no_grad():
        before = last(body(images))
        plain = last.weight.clone()
        compensate([last], look, pictures, SIGNIFICANT_BITS)
        change = (last(body(images)) - before)[..., :4]
    assert not torch.equal(plain, last.weight)
    torch.testing.assert_close(change.mean((0, 2, 3)), torch.zeros(4), atol=1e-3 * float(before.abs().max()), rtol=0)
