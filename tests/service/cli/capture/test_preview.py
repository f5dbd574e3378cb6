from pathlib import Path

import av
import numpy as np
import pytest

from service.cli.main import main
from tests.service.cli.capture.films import picture, write_film
from tests.service.cli.capture.test_command import stop_after


@pytest.fixture(autouse=True)
def tiny_models(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MFN_MODELS_DIR", str(models_dir))


def capture(film: Path, out: Path, preview: Path, *options: str) -> int:
    return main(["capture", str(film), "--out", str(out), "--preview", str(preview), *options])


def frames(path: Path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as container:
        return [(float(frame.time), frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def test_every_frame_is_drawn_at_its_time(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", [picture((1, 1))] * 4 + [picture()] * 2, rate=25)
    assert capture(film, tmp_path / "take", tmp_path / "drawn.mp4") == 0
    drawn = frames(tmp_path / "drawn.mp4")
    np.testing.assert_allclose([time for time, _ in drawn], np.arange(6) / 25, atol=1e-4)
    with_face, without = drawn[1][1], drawn[5][1]
    assert with_face.std(axis=-1).mean() > 5 * without.std(axis=-1).mean()  # what is drawn has colours


@pytest.mark.parametrize("options", [("--rate", "12"), ("--neutral", "none")])
def test_takes_of_any_kind_are_drawn(tmp_path: Path, options: tuple[str, ...]) -> None:
    film = write_film(tmp_path / "film.mp4", [picture((1, 1), (4, 4))] * 5)
    assert capture(film, tmp_path / "take", tmp_path / "drawn.mp4", *options) == 0
    assert len(frames(tmp_path / "drawn.mp4")) == 5


def test_of_a_film_that_was_interrupted_there_is_as_much_as_was_captured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = write_film(tmp_path / "film.mp4", [picture((1, 1))] * 6, rate=25)
    with monkeypatch.context() as interrupted:
        stop_after(interrupted, 4, KeyboardInterrupt)
        assert capture(film, tmp_path / "take", tmp_path / "drawn.mp4") == 130
    assert len(frames(tmp_path / "drawn.mp4")) == 4


def test_a_preview_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = write_film(tmp_path / "film.mp4", [picture((1, 1))])
    assert capture(film, tmp_path / "take", tmp_path / "nowhere/drawn.mp4") == 1
    assert "drawn.mp4 cannot be written: its folder is not there" in capsys.readouterr().err
    assert (tmp_path / "take/person-1.csv").exists()


def test_the_film_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = write_film(tmp_path / "film.mp4", [picture((1, 1))])
    with pytest.raises(SystemExit, match="2"):
        capture(film, tmp_path / "take", film)
    assert "would be overwritten" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        capture(film, tmp_path / "take", tmp_path / "drawn.gif")
    assert "give it the ending .mp4" in capsys.readouterr().err


def test_a_folder_in_its_place_is_told_before_anything_is_captured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = write_film(tmp_path / "film.mp4", [picture((1, 1))])
    (tmp_path / "drawn.mp4").mkdir()
    with pytest.raises(SystemExit, match="2"):
        capture(film, tmp_path / "take", tmp_path / "drawn.mp4")
    assert "drawn.mp4 is a folder; name a file" in capsys.readouterr().err
    assert not (tmp_path / "take").exists()
