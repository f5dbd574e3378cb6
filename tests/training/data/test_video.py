"""Blur along a line and compression, against what can be said of them without the code."""

import io
import math

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from torch import Generator, Tensor  # noqa: E402

from training.data.video import (  # noqa: E402
    KERNEL,
    LENGTHS,
    blur_along_line,
    compress,
    line_kernels,
    quantized,
    steps_of_quality,
)

SIDE = 64


def noise(n: int = 4) -> Tensor:
    pictures: Tensor = torch.rand(n, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 255
    return pictures


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 170])
@pytest.mark.parametrize("length", [0.0, 4.0, LENGTHS[1]])
def test_a_point_becomes_a_line_of_the_length_in_the_direction(degrees: float, length: float) -> None:
    kernel = line_kernels(torch.tensor([length]), torch.tensor([math.radians(degrees)]))[0].double().numpy()
    y, x = np.mgrid[:KERNEL, :KERNEL] - KERNEL // 2
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert (kernel * x).sum() == pytest.approx(0, abs=1e-5)
    assert (kernel * y).sum() == pytest.approx(0, abs=1e-5)
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    along, across = x * c + y * s, y * c - x * s
    # an even line's variance is length^2 / 12; sampling between pixels adds at most a quarter in each direction
    assert length**2 / 12 <= (kernel * along**2).sum() + 1e-5 <= length**2 / 12 * 1.07 + 0.25
    assert (kernel * across**2).sum() <= 0.25


def test_blur_keeps_the_mean_and_what_varies_only_across_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.data.video.math.pi", 0.0)  # all lines run along x
    rows = (torch.arange(SIDE) % 7 * 30.0)[:, None].expand(1, 3, SIDE, SIDE).contiguous()
    torch.testing.assert_close(blur_along_line(rows.clone(), 1.0, seeded()), rows, atol=1e-3, rtol=0)
    columns = rows.transpose(2, 3).contiguous()
    blurred = blur_along_line(columns.clone(), 1.0, seeded())
    inner = slice(KERNEL, -KERNEL)
    assert blurred[..., inner].var() < 0.9 * columns[..., inner].var()
    flat = torch.full((2, 3, SIDE, SIDE), 77.0)
    torch.testing.assert_close(blur_along_line(flat.clone(), 1.0, seeded()), flat, atol=1e-3, rtol=0)


def test_each_picture_is_blurred_by_a_line_of_its_own() -> None:
    same = noise(1).expand(3, -1, -1, -1).clone()
    first, second, third = blur_along_line(same, 1.0, seeded())
    assert not torch.allclose(first, second, atol=1)
    assert not torch.allclose(second, third, atol=1)


@pytest.mark.parametrize("change", [blur_along_line, compress])
def test_the_share_of_the_pictures_is_changed_and_depends_on_the_generator_alone(change) -> None:  # type: ignore[no-untyped-def]
    images = noise(12)
    once, again, other = (change(images.clone(), 0.25, seeded(seed)) for seed in (1, 1, 2))
    torch.testing.assert_close(once, again)
    assert not torch.equal(once, other)
    assert int((once != images).flatten(1).any(1).sum()) == 3
    torch.testing.assert_close(change(images.clone(), 0.0, seeded()), images)


def test_quality_100_is_nearly_the_picture() -> None:
    # each of 64 coefficients is rounded by at most 1/2: by 0.29 root mean square, and so is each of Y, Cb and Cr
    images = noise() * 0.5 + 64  # saturated colours would be cut
    wrong = quantized(images, torch.full((4,), 100.0)) - images
    assert float(wrong.square().mean().sqrt()) < 0.29 * 1.8
    assert float(wrong.abs().max()) < 4


def test_a_block_is_what_the_sums_of_cosines_say() -> None:
    """A grey block, transformed and back by the definition's four sums (ITU-T T.81, A.3.3)."""
    rng = np.random.default_rng(0)
    block = rng.uniform(60, 200, (8, 8))
    steps = steps_of_quality(torch.tensor([30.0]))[0, 0].numpy()
    assert steps[0, 0] == 27  # 16 at quality 50, times 5000 / 30 / 100, rounded
    n = range(8)

    def c(k: int) -> float:
        return math.sqrt(0.5) if k == 0 else 1.0

    def wave(k: int, i: int) -> float:
        return math.cos((2 * i + 1) * k * math.pi / 16)

    spectrum = np.array(
        [
            [c(u) * c(v) / 4 * sum((block[y, x] - 128) * wave(u, y) * wave(v, x) for y in n for x in n) for v in n]
            for u in n
        ]
    )
    spectrum = np.round(spectrum / steps) * steps
    expected = 128 + np.array(
        [[sum(c(u) * c(v) / 4 * spectrum[u, v] * wave(u, y) * wave(v, x) for u in n for v in n) for x in n] for y in n]
    )
    grey = torch.from_numpy(block).float().expand(1, 3, 8, 8)
    restored = quantized(grey, torch.tensor([30.0]))[0]
    np.testing.assert_allclose(restored, np.broadcast_to(expected.clip(0, 255), (3, 8, 8)), atol=0.05)


@pytest.mark.parametrize("quality", [15, 40, 75])
def test_compression_is_a_jpeg_encoders(quality: int) -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    smooth = np.stack([128 + 60 * np.sin(x / 5), 120 + 50 * np.cos(y / 7), 100 + 0.8 * (x + y)], -1)
    picture = (smooth + np.random.default_rng(0).normal(0, 8, smooth.shape)).clip(0, 255).round().astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=0)
    expected = np.asarray(Image.open(file), np.float32)
    images = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    restored = quantized(images, torch.tensor([float(quality)]))[0].permute(1, 2, 0).numpy()
    lost = np.abs(expected - picture).mean()
    assert np.abs(restored - expected).mean() < 0.3 * lost  # the encoder rounds pixels, too
    assert np.abs(restored - picture).mean() == pytest.approx(lost, rel=0.05)


def test_pictures_that_blocks_do_not_fill_are_refused() -> None:
    with pytest.raises(ValueError, match="blocks of 8"):
        quantized(torch.zeros(1, 3, 30, 32), torch.tensor([50.0]))
