"""`mfn capture` from its arguments to its files and its exit code, with tiny models."""

import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.cli.capture import capturing
from service.cli.capture.folder import RECORDS, TakeFolder
from service.cli.capture.formats import character as formats_character
from service.cli.capture.formats.character import character_file
from service.cli.capture.people import Tracks
from service.cli.main import main
from tests.service.cli.capture.films import picture, write_film
from tests.service.cli.capture.formats.characters import document, read_document, write_glb
from tests.service.tiny_models import EXPRESSION_LOGIT

TWO = [picture((1, 1), (4, 4))] * 30


@pytest.fixture(autouse=True)
def tiny_models(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MFN_MODELS_DIR", str(models_dir))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("films") / "film.mp4", TWO)


def capture(film: Path, out: Path, *options: str) -> int:
    return main(["capture", str(film), "--out", str(out), "--format", "npz", *options])


def arrays(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return dict(file)


def assert_same_takes(a: Path, b: Path) -> None:
    names = sorted(file.name for file in a.iterdir())
    assert names == sorted(file.name for file in b.iterdir())
    for name in names:
        assert (a / name).read_bytes() == (b / name).read_bytes()


def test_every_person_becomes_a_take_in_every_format(film: Path, tmp_path: Path) -> None:
    assert capture(film, tmp_path / "take", "--format", "jsonl,npz") == 0
    names = [f"person-{person}{suffix}" for person in (1, 2) for suffix in (".jsonl", ".neutral.json", ".npz")]
    assert sorted(file.name for file in (tmp_path / "take").iterdir()) == names
    for person in (1, 2):
        take = arrays(tmp_path / f"take/person-{person}.npz")
        assert take["seen"].all()
        assert take["frame_rate"].tolist() == [30, 1]
        np.testing.assert_allclose(take["timestamps"], np.arange(30) / 30)
        lines = (tmp_path / f"take/person-{person}.jsonl").read_text().splitlines()
        assert len(lines) == 30
        box = json.loads(lines[7])["faces"][0]["box"]
        np.testing.assert_allclose([box["x"], box["y"]], take["box"][7, :2], atol=0.01)


def test_a_character_of_ones_own_moves(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = write_glb(tmp_path / "own.glb", document())
    assert capture(film, tmp_path / "take", "--format", "csv,glb", "--character", str(own)) == 0
    written = read_document(tmp_path / "take/person-1.glb")
    assert [node["name"] for node in written["nodes"]] == [node["name"] for node in document()["nodes"]]
    assert written["animations"][0]["name"] == "film"
    assert (tmp_path / "take/person-2.csv").exists()
    assert "does not turn" not in capsys.readouterr().err


def test_one_of_studios_characters_moves(film: Path, tmp_path: Path) -> None:
    assert capture(film, tmp_path / "take", "--format", "glb", "--character", "robot") == 0
    robot = read_document(character_file("robot"))
    assert read_document(tmp_path / "take/person-1.glb")["nodes"] == robot["nodes"]


def test_a_character_without_a_head_is_told(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    of = document()
    of["nodes"] = [node for node in of["nodes"] if node["name"] in ("body", "teeth")]
    of["scenes"] = [{"nodes": [0, 1]}]
    own = write_glb(tmp_path / "mask.glb", of)
    assert capture(film, tmp_path / "take", "--format", "glb", "--character", str(own)) == 0
    assert "mask.glb has no node called head: its face moves, and the head does not turn" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "glb", "--character", "dragon"], "--character: dragon: No such file or directory"),
        (["--character", "cat"], "give --format glb, too"),
    ],
)
def test_wrong_characters(options: list[str], words: str, film: Path, tmp_path: Path,
                          capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    """Before anything is captured."""
    with pytest.raises(SystemExit, match="2"):
        capture(film, tmp_path / "take", *options)
    assert words in capsys.readouterr().err
    assert not (tmp_path / "take").exists()


class CrashError(Exception):
    """In place of a crash."""


def stop_after(monkeypatch: pytest.MonkeyPatch, count: int, error: type[BaseException]) -> None:
    """Raises an error in place of the next frame after `count` of a run."""
    infer = capturing.infer

    def some(*arguments: Any) -> Iterator[Any]:
        for number, record in enumerate(infer(*arguments)):
            if number == count:
                raise error
            yield record

    monkeypatch.setattr(capturing, "infer", some)


def test_after_ctrl_c_there_are_takes_of_what_was_captured_and_it_goes_on(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert capture(film, tmp_path / "whole") == 0
    with monkeypatch.context() as interrupted:
        stop_after(interrupted, 17, KeyboardInterrupt)
        assert capture(film, tmp_path / "take") == 130
    assert "the takes up to frame 17." in capsys.readouterr().err
    assert len(arrays(tmp_path / "take/person-1.npz")["seen"]) == 17
    assert (tmp_path / "take" / RECORDS).exists()
    assert capture(film, tmp_path / "take") == 0
    assert "an earlier run, up to frame 16;" in capsys.readouterr().err
    assert_same_takes(tmp_path / "take", tmp_path / "whole")


def test_sigterm_does_as_ctrl_c_does(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert capture(film, tmp_path / "whole") == 0
    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as terminated:
        call_before(terminated, Tracks, "add", 17, terminate)  # the frame is recorded, but not captured
        assert capture(film, tmp_path / "take") == 143
    assert signal.getsignal(signal.SIGTERM) is before
    assert "the takes up to frame 18." in capsys.readouterr().err
    assert len(arrays(tmp_path / "take/person-1.npz")["seen"]) == 18
    assert capture(film, tmp_path / "take") == 0
    assert_same_takes(tmp_path / "take", tmp_path / "whole")


def test_a_second_sigterm_ends_it_at_once(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call_before(monkeypatch, Tracks, "add", 17, terminate)
    call_before(monkeypatch, TakeFolder, "write", 0, terminate)
    assert capture(film, tmp_path) == 143
    assert [file.name for file in tmp_path.iterdir()] == [RECORDS]


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def call_before(
    monkeypatch: pytest.MonkeyPatch, owner: type, method: str, count: int, call: Callable[[], None]
) -> None:
    """Calls something once, in place of the beginning of a method that has been called `count` times before."""
    original, calls = getattr(owner, method), itertools.count()

    def replaced(*arguments: Any) -> Any:
        if next(calls) == count:
            call()
        return original(*arguments)

    monkeypatch.setattr(owner, method, replaced)


def test_after_a_crash_it_goes_on(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert capture(film, tmp_path / "whole") == 0
    with monkeypatch.context() as crashing:
        stop_after(crashing, 5, CrashError)
        with pytest.raises(CrashError):
            capture(film, tmp_path / "take")
    assert [file.name for file in (tmp_path / "take").iterdir()] == [RECORDS]
    assert capture(film, tmp_path / "take") == 0
    assert_same_takes(tmp_path / "take", tmp_path / "whole")


def test_the_beginning_of_another_capture_is_not_gone_on_with(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as interrupted:
        stop_after(interrupted, 5, KeyboardInterrupt)
        assert capture(film, tmp_path) == 130
    assert capture(film, tmp_path, "--no-refine") == 1
    assert "the beginning of another capture" in capsys.readouterr().err
    assert capture(film, tmp_path, "--no-refine", "--force") == 0
    assert np.isnan(arrays(tmp_path / "person-1.npz")["gaze"]).all()


class Terminal(StringIO):
    """A terminal in place of a standard stream."""

    def isatty(self) -> bool:
        return True


def test_takes_that_are_there_are_replaced_with_force_only(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "person-9.npz"
    stale.write_bytes(b"of another film")
    other = tmp_path / "notes.txt"
    other.write_text("the user's own")
    assert capture(film, tmp_path) == 1
    assert "has takes already" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == [other, stale]
    with monkeypatch.context() as terminal:
        asked = Terminal()
        terminal.setattr(sys, "stderr", asked)
        terminal.setattr(sys, "stdin", Terminal("n\n"))
        assert capture(film, tmp_path) == 1
        assert "Replace them? [y/N]" in asked.getvalue()
        assert stale.exists()
        terminal.setattr(sys, "stdin", Terminal("y\n"))
        assert capture(film, tmp_path) == 0
        assert not stale.exists()
    stale.write_bytes(b"of another film")
    assert capture(film, tmp_path, "--force") == 0
    assert not stale.exists()
    assert other.exists()


def test_expressions_are_relative_to_each_persons_own_resting_face(film: Path, tmp_path: Path) -> None:
    """The tiny network answers every face with the same expression: that is how it rests."""
    assert capture(film, tmp_path / "auto") == 0
    assert capture(film, tmp_path / "none", "--neutral", "none") == 0
    own, absolute = arrays(tmp_path / "auto/person-1.npz"), arrays(tmp_path / "none/person-1.npz")
    np.testing.assert_allclose(own["expression"], 0, atol=1e-5)
    np.testing.assert_allclose(absolute["expression"][0], 1 / (1 + np.exp(-EXPRESSION_LOGIT)), atol=1e-3)
    np.testing.assert_allclose(own["neutral"], absolute["expression"][0], atol=1e-5)
    assert np.isnan(absolute["neutral"]).all()
    assert not (tmp_path / "none/person-1.neutral.json").exists()
    saved = tmp_path / "auto/person-1.neutral.json"
    assert capture(film, tmp_path / "saved", "--neutral", str(saved)) == 0
    np.testing.assert_allclose(arrays(tmp_path / "saved/person-1.npz")["neutral"], own["neutral"], atol=1e-5)


def test_a_resting_face_that_is_not_there_is_told(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert capture(film, tmp_path / "take", "--neutral", str(tmp_path / "nobody.json")) == 1
    assert "nobody.json: No such file" in capsys.readouterr().err


PHONE = [0, 33, 66, 166, 200, 233]  # ms: times that BVH cannot hold


@pytest.fixture
def phone(tmp_path: Path) -> Path:
    return write_film(tmp_path / "phone.mkv", [picture((1, 1))] * len(PHONE), times=PHONE)


def test_a_format_that_cannot_hold_the_film_keeps_no_other_from_being_written(
    phone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take = tmp_path / "take"
    assert capture(phone, take, "--format", "bvh,npz,csv", "--preview", str(tmp_path / "drawn.mp4")) == 1
    names = [RECORDS, "person-1.csv", "person-1.neutral.json", "person-1.npz"]
    assert sorted(file.name for file in take.iterdir()) == names
    assert (tmp_path / "drawn.mp4").exists()
    told = capsys.readouterr().err
    assert told.count("BVH has one frame rate for all frames, and that of phone varies. Give --rate") == 1
    assert "What is captured is kept: run the command again as said" in told.splitlines()[-1]


def test_a_second_run_for_that_format_captures_nothing_again_and_leaves_the_others(
    phone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take = tmp_path / "take"
    assert capture(phone, take, "--format", "csv,bvh") == 1
    csv = (take / "person-1.csv").read_bytes()
    assert capture(phone, take, "--format", "bvh", "--rate", "30") == 0
    assert "an earlier run, up to frame 4;" in capsys.readouterr().err  # the last keyframe
    assert sorted(file.name for file in take.iterdir()) == ["person-1.bvh", "person-1.csv", "person-1.neutral.json"]
    assert (take / "person-1.csv").read_bytes() == csv


def test_what_holds_fewer_frames_than_the_capture_does_not_stay(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as interrupted:
        stop_after(interrupted, 17, KeyboardInterrupt)
        assert capture(film, tmp_path, "--format", "csv,npz") == 130
    assert (tmp_path / "person-1.csv").exists()
    assert capture(film, tmp_path, "--format", "npz", "--neutral", "none") == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["person-1.npz", "person-2.npz"]


def test_without_studios_characters_nothing_is_captured_for_a_glb(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(formats_character, "published", lambda _: tmp_path / "nothing")
    assert capture(film, tmp_path / "take", "--format", "csv,glb") == 1
    assert "human: No such file or directory" in capsys.readouterr().err
    assert not (tmp_path / "take").exists()


def test_a_film_without_faces_gives_no_takes_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = write_film(tmp_path / "film.mp4", [picture()] * 5)
    assert capture(film, tmp_path / "take") == 0
    assert list((tmp_path / "take").iterdir()) == []
    assert "nobody" in capsys.readouterr().out


def test_who_is_seen_briefly_is_left_out_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = write_film(tmp_path / "film.mp4", [picture((1, 1), (4, 4))] * 10 + [picture((1, 1))] * 20)
    assert capture(film, tmp_path / "take") == 0
    assert "1 more were seen for less than 0.5 s" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "take").glob("*.npz")] == ["person-1.npz"]


def test_a_variable_rate_is_resampled_on_request_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = [0, 33, 66, 166, 200, 233, 300, 333, 366, 400, 433, 466]
    film = write_film(tmp_path / "phone.mkv", [picture((1, 1))] * len(times), times=times)
    assert capture(film, tmp_path / "own") == 0
    assert "frame rate varies" in capsys.readouterr().err
    np.testing.assert_allclose(arrays(tmp_path / "own/person-1.npz")["timestamps"], np.array(times) / 1000)
    assert capture(film, tmp_path / "even", "--rate", "30") == 0
    assert "varies" not in capsys.readouterr().err
    np.testing.assert_allclose(arrays(tmp_path / "even/person-1.npz")["timestamps"], np.arange(15) / 30)


@pytest.mark.parametrize("options", [(), ("--neutral", "none")])
def test_a_face_in_one_frame_of_a_slow_film_is_in_the_take(
    options: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = [picture(), picture((1, 1)), picture(), picture()]
    film = write_film(tmp_path / "film.mkv", shown, times=[0, 610, 1220, 1830])
    assert capture(film, tmp_path / "take", "--rate", "30", "--format", "csv,npz", *options) == 0
    assert np.flatnonzero(arrays(tmp_path / "take/person-1.npz")["seen"]).tolist() == [18]  # 0.6 s
    assert "no pictures from 0.6 s to 1.2 s" in capsys.readouterr().err


def test_pictures_that_are_missing_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = [0, 33, 67, 100, 133, 1000, 1033, 1067, 1100, 1133]
    film = write_film(tmp_path / "film.mkv", [picture((1, 1))] * len(times), times=times)
    assert capture(film, tmp_path / "take", "--rate", "30") == 0
    assert "no pictures from 0.1 s to 1.0 s" in capsys.readouterr().err
    assert np.flatnonzero(arrays(tmp_path / "take/person-1.npz")["seen"]).tolist() == [*range(5), *range(30, 35)]


def test_a_full_disk_keeps_what_was_captured(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert capture(film, tmp_path / "whole") == 0
    with monkeypatch.context() as full:
        stop_after(full, 5, DiskFullError)
        assert capture(film, tmp_path / "take") == 1
    assert "capture.unfinished cannot be written: the disk is full. Make room there" in capsys.readouterr().err
    assert capture(film, tmp_path / "take") == 0
    assert_same_takes(tmp_path / "take", tmp_path / "whole")


@pytest.mark.parametrize("name", ["person-1.npz", "person-1.neutral.json"])
def test_a_folder_in_the_place_of_a_file_is_told_and_what_was_captured_kept(
    name: str, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).mkdir()
    assert capture(film, tmp_path) == 1
    told = f"mfn: {tmp_path / name} cannot be written: a folder has that name. Move it away"
    assert capsys.readouterr().err.splitlines()[-1].startswith(told)
    (tmp_path / name).rmdir()
    assert capture(film, tmp_path) == 0
    assert (tmp_path / name).is_file()


def test_a_folder_in_the_place_of_the_records_is_told(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / RECORDS).mkdir()
    for options in ([], ["--force"]):
        assert capture(film, tmp_path, *options) == 1
        assert f"{RECORDS} cannot be written: a folder has that name." in capsys.readouterr().err


class DiskFullError(OSError):
    """What writing to a full disk raises."""

    def __init__(self) -> None:
        super().__init__(28, "No space left on device")


def test_a_source_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert capture(tmp_path / "nowhere.mp4", tmp_path / "take") == 1
    assert "nowhere.mp4: No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "npz,fbx"), "'fbx' is not one of"),
        (("--rate", "0"), "'0' is no frame rate"),
        (("--rate", "1/0"), "is no frame rate"),
        (("--rate", "nan"), "is no frame rate"),
    ],
)
def test_a_wrong_option_is_told(
    film: Path, tmp_path: Path, options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        capture(film, tmp_path, *options)
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("rate", ["1e999999999", "1E-999999999", "nan", "0", "1001", "1/0", "fast"])
def test_what_is_no_rate_is_refused_at_once(
    rate: str, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        capture(film, tmp_path / "take", "--rate", rate)
    assert "is no frame rate; expected 1 to 1000" in capsys.readouterr().err


def test_spaces_between_formats_do_not_matter(film: Path, tmp_path: Path) -> None:
    assert capture(film, tmp_path / "take", "--format", " csv, npz") == 0
    assert (tmp_path / "take/person-1.csv").exists()
    assert (tmp_path / "take/person-1.npz").exists()


@pytest.mark.parametrize("out", ["film.txt", "film.txt/take"])
def test_a_file_in_place_of_the_folder_is_told(
    out: str, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "film.txt").write_text("mine")
    assert capture(film, tmp_path / out) == 1
    assert "cannot be the folder of the takes" in capsys.readouterr().err
    assert (tmp_path / "film.txt").read_text() == "mine"
