"""Sampled pixels go where the transform says."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from training.data.augment import degrade, occlude, recolour, sample  # noqa: E402
from training.data.faces import Similarity  # noqa: E402


def spot(x: int, y: int, side: int = 64) -> Tensor:
    """A white 3 x 3 spot around the pixel (x, y) on black."""
    image = np.zeros((1, side, side, 3), np.uint8)
    image[0, y - 1 : y + 2, x - 1 : x + 2] = 255
    picture: Tensor = torch.from_numpy(image)
    return picture


def centre_of_light(image: Tensor) -> np.ndarray:
    """(2,) x, y in continuous pixels: a pixel's centre is half a pixel from its corner."""
    light = image[0, 0].numpy()
    y, x = np.mgrid[: light.shape[0], : light.shape[1]] + 0.5
    return np.asarray(np.array([(x * light).sum(), (y * light).sum()]) / light.sum())


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize(("angle", "scale"), [(0.0, 1.0), (0.4, 1.5), (-0.7, 0.6), (0.2, 0.3)])
def test_a_spot_lands_where_its_centre_is_sent(mirror: bool, angle: float, scale: float) -> None:
    transform = Similarity.about(
        torch.tensor([[30.5, 24.5]]),
        torch.tensor([[33.0, 29.0]]),
        torch.tensor([scale]),
        torch.tensor([angle]),
        torch.tensor([mirror]),
    )
    out = sample(spot(36, 20), transform, 64, pad=0.0)
    expected = transform.points(torch.tensor([[36.5, 20.5]]))[0]
    np.testing.assert_allclose(centre_of_light(out), expected, atol=0.35)


def test_outside_the_picture_is_grey() -> None:
    here = torch.zeros(1, 2)
    transform = Similarity(torch.tensor([False]), torch.zeros(1), torch.ones(1), here + 40)
    out = sample(torch.full((1, 64, 64, 3), 200, dtype=torch.uint8), transform, 64)
    assert float(out[0, 0, 10, 10]) == 114
    assert float(out[0, 0, 50, 50]) == pytest.approx(200)


@pytest.mark.parametrize("seed", [0, 1])
def test_colours_stay_in_range_and_depend_on_the_seed_alone(seed: int) -> None:
    images = torch.rand(6, 3, 32, 32) * 255

    def changed() -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return occlude(degrade(recolour(images.clone(), generator), 0.5, 0.2, generator), 0.5, generator)

    assert changed().min() >= 0
    assert changed().max() <= 255
    torch.testing.assert_close(changed(), changed())


def test_the_share_of_the_pictures_loses_detail_by_many_sizes() -> None:
    images = torch.rand(40, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 255
    soft = degrade(images.clone(), 0.4, 0.25, torch.Generator().manual_seed(1))
    changed = (soft != images).flatten(1).any(1)
    assert int(changed.sum()) == 16
    spread = soft[changed].flatten(1).std(1) / images[changed].flatten(1).std(1)
    assert spread.min() < 0.2  # noise as fine as pixels is gone in those that shrank most
    assert spread.max() > 0.4
    torch.testing.assert_close(soft[~changed], images[~changed])


def test_sizes_may_be_drawn_by_a_generator_of_the_host() -> None:
    images = torch.rand(16, 3, 32, 32) * 255

    def soft(host: int) -> Tensor:
        return degrade(images.clone(), 1.0, 0.25, torch.Generator().manual_seed(1), torch.Generator().manual_seed(host))

    torch.testing.assert_close(soft(0), soft(0))
    assert not torch.equal(soft(0), soft(1))
