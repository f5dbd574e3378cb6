"""The sheet of feature maps."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from service.vision.letterbox import Letterbox  # noqa: E402
from training.networks.mfn import MFN  # noqa: E402
from training.scripts import features  # noqa: E402


def test_maps_are_means_of_the_layers_that_the_heads_read() -> None:
    network = MFN().eval()
    square = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    maps = features.activations(network, square)
    assert {name: values.shape for name, values in maps.items()} == {
        "c3": (12, 12),
        "c4": (6, 6),
        "c5": (3, 3),
        "p3": (12, 12),
        "n4": (6, 6),
        "n5": (3, 3),
    }
    with torch.inference_mode():
        pyramid = network.top_down(torch.from_numpy(square).permute(2, 0, 1)[None].float())
        read = network.bottom_up(*pyramid)
    for name, expected in zip(("p3", "n4", "n5"), read, strict=True):
        np.testing.assert_allclose(maps[name], expected[0].mean(0), atol=1e-5)
    assert not any(module._forward_hooks for module in network.modules())


def test_cells_in_the_padding_do_not_set_the_colours() -> None:
    box = Letterbox.fit(288, 96, 288)  # rows 96 to 192 of the square
    values = np.arange(81.0).reshape(9, 9)
    np.testing.assert_array_equal(features.on_picture(values, box), values[3:6])


def test_the_command_draws_a_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "new" / "features.png"
    monkeypatch.setattr("sys.argv", ["features", "--out", str(target)])
    features.main()
    pixels = np.asarray(Image.open(target).convert("RGB"), np.int16)
    coloured = np.abs(pixels[..., 0] - pixels[..., 2]) > 60  # inferno's bright colours have little blue
    assert coloured.any()
