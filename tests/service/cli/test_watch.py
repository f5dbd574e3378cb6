"""`mfn watch` from its arguments to its exit code, over frames that no OpenCV is needed for; and once with it."""

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from service.cli import watch as command
from service.cli.draw import COLOURS
from service.cli.main import main
from service.cli.neutral_file import write_neutral
from service.cli.video.frames import VideoError, VideoFrame
from service.cli.video.loop import Command
from service.cli.video.sources import TIMEOUT_SECONDS
from service.cli.watch import address
from service.inference.models import Models
from service.tracking.options import SmoothingOptions, StreamOptions
from service.tracking.session import Session
from service.vision.arrays import Pixels
from tests.service.cli.video.streams import NetworkCamera
from tests.service.tiny_models import EXPRESSION_LOGIT

FIVE_FACES = Path(__file__).resolve().parents[2] / "pictures/five_faces.webp"


class Frames:
    """Frames at ten a second, then what comes after them."""

    def __init__(self, pictures: list[Pixels], live: bool = False, end: Exception | None = None) -> None:
        self.rate, self.missing = 10.0, 0
        self.live = live
        self.closed = False
        self._pictures = pictures
        self._end = end

    def __iter__(self) -> Iterator[VideoFrame]:
        for number, pixels in enumerate(self._pictures):
            yield VideoFrame(pixels, number / 10)
        if self._end is not None:
            raise self._end

    def close(self) -> None:
        self.closed = True


class Canvas:
    """A window or a file that keeps what it is shown."""

    def __init__(self, command: Command | None = None) -> None:
        self.shown: list[Pixels] = []
        self.closed = False
        self._command = command

    def show(self, picture: Pixels, timestamp: float) -> Command | None:  # noqa: ARG002
        self.shown.append(picture)
        return self._command

    def command(self) -> Command | None:
        return self._command

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def tiny_models(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MFN_MODELS_DIR", str(models_dir))


@pytest.fixture
def pixels(photo: Image.Image) -> Pixels:
    return np.asarray(photo)


@pytest.fixture
def source(pixels: Pixels, monkeypatch: pytest.MonkeyPatch) -> Frames:
    """Three frames of one face, in place of whatever is to be watched."""
    return put(Frames([pixels] * 3), monkeypatch)


def put(frames: Frames, monkeypatch: pytest.MonkeyPatch) -> Frames:
    monkeypatch.setattr(command, "open_frames", lambda *_: frames)
    return frames


def wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_a_line_a_frame(source: Frames, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "clip.mp4"]) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert [line.split()[:2] for line in lines] == [["1", "0.000"], ["2", "0.100"], ["3", "0.200"]]
    assert re.fullmatch(r"mfn: 3 frames in [\d.]+ s, [\d.]+ a second; 0 dropped\.\n", printed.err)
    assert all("#1 yaw 0 pitch 0 roll 0 " in line for line in lines)
    assert source.closed


def test_a_camera_is_read_as_it_comes_and_what_was_dropped_is_told(
    pixels: Pixels, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which of its frames are looked at is a matter of time; that none is forgotten is not."""
    camera = put(Frames([pixels] * 3, live=True, end=VideoError("Camera 0 is gone.")), monkeypatch)
    assert main(["watch", "0"]) == 1
    printed = capsys.readouterr()
    seen = printed.out.count("#1 ")
    assert seen in (1, 2, 3)
    summary, error = printed.err.splitlines()
    assert f"{seen} frame" in summary
    assert summary.endswith(f"; {3 - seen} dropped.")
    assert error == "mfn: Camera 0 is gone."
    assert camera.closed


def test_frames_of_a_recording_that_are_left_out_and_missing_are_told(
    pixels: Pixels, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(Frames([pixels] * 3), monkeypatch).missing = 7
    monkeypatch.setattr(command, "in_real_time", lambda frames, *_, **__: (f for f in frames if f and f.timestamp))
    assert main(["watch", "clip.mp4", "--vmc", "127.0.0.1"]) == 0
    printed = capsys.readouterr().err
    assert "2 frames in " in printed
    assert printed.endswith("; 1 dropped, 7 that the file announces not decoded.\n")


@pytest.mark.parametrize(("option", "live"), [([], None), (["--live"], True), (["--recording"], False)])
def test_what_the_user_says_about_a_source(
    option: list[str], live: bool | None, source: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, bool | None]] = []

    def spy(name: str, live: bool | None) -> Frames:
        asked.append((name, live))
        return source

    monkeypatch.setattr(command, "open_frames", spy)
    assert main(["watch", "http://camera/", *option]) == 0
    assert asked == [("http://camera/", live)]


def test_the_window_is_asked_while_no_frame_comes(
    pixels: Pixels, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a stream that has broken off."""
    quit_ = threading.Event()

    class Silent(Frames):
        def __iter__(self) -> Iterator[VideoFrame]:
            yield VideoFrame(pixels, 0.0)
            assert quit_.wait(20)

        def close(self) -> None:
            quit_.set()

    class Closed(Canvas):
        def command(self) -> Command | None:
            return Command.QUIT

    put(Silent([], live=True), monkeypatch)
    monkeypatch.setattr(command, "Window", Closed)
    assert main(["watch", "0", "--window", "--surface", "landmarks"]) == 0
    assert "1 frame in" in capsys.readouterr().err


def test_ctrl_c_is_a_good_end_and_what_was_drawn_is_kept(
    source: Frames, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupted(Canvas):
        def show(self, picture: Pixels, timestamp: float) -> Command | None:
            super().show(picture, timestamp)
            if len(self.shown) == 2:
                raise KeyboardInterrupt
            return None

    file = Interrupted()
    monkeypatch.setattr(command, "VideoFile", lambda *_: file)
    assert main(["watch", "clip.mp4", "--out", "drawn.mp4"]) == 0
    assert (len(file.shown), file.closed, source.closed) == (2, True, True)
    assert "2 frames in" in capsys.readouterr().err


def test_whoever_looks_at_the_window_may_end_it(
    source: Frames, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    window, file = Canvas(Command.QUIT), Canvas()
    monkeypatch.setattr(command, "Window", lambda: window)
    monkeypatch.setattr(command, "VideoFile", lambda *_: file)
    assert main(["watch", "clip.mp4", "--window", "--out", "drawn.mp4", "--surface", "landmarks"]) == 0
    assert len(window.shown) == len(file.shown) == 1
    assert (window.closed, file.closed, source.closed) == (True, True, True)
    assert (window.shown[0] == COLOURS[0]).all(-1).any()
    assert capsys.readouterr().out == ""


def test_a_file_is_written_at_the_rate_of_the_video(source: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Path, float]] = []

    def file(path: Path, rate: float) -> Canvas:
        made.append((path, rate))
        return Canvas()

    monkeypatch.setattr(command, "VideoFile", file)
    assert main(["watch", "clip.mp4", "--out", "drawn.MP4"]) == 0
    assert made == [(Path("drawn.MP4"), source.rate)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], StreamOptions(min_score=0.25, max_faces=7)),
        (["--min-score", "0.9", "--max-faces", "2"], StreamOptions(min_score=0.9, max_faces=2)),
        (["--input-size", "192"], StreamOptions(min_score=0.25, max_faces=7, input_size=192)),
        (
            ["--refine", "--follow", "--smooth"],
            StreamOptions(min_score=0.25, max_faces=7, refine=True, follow=True, smoothing=SmoothingOptions()),
        ),
        (["--vmc", "127.0.0.1"], StreamOptions(min_score=0.25, max_faces=7, refine=True, follow=True)),
        (["--livelink", "127.0.0.1"], StreamOptions(min_score=0.25, max_faces=7, refine=True, follow=True)),
        (["--vmc", "127.0.0.1", "--no-refine"], StreamOptions(min_score=0.25, max_faces=7, follow=True)),
        (["--vmc", "127.0.0.1", "--no-follow"], StreamOptions(min_score=0.25, max_faces=7, refine=True)),
    ],
)
@pytest.mark.usefixtures("source", "paces")
def test_options_reach_the_session(
    arguments: list[str], expected: StreamOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MFN_DEFAULT_MIN_SCORE", "0.25")
    monkeypatch.setenv("MFN_DEFAULT_MAX_FACES", "7")
    seen: list[StreamOptions] = []

    def spy(pipeline: Any, options: StreamOptions, **rest: Any) -> Session:
        seen.append(options)
        return Session(pipeline, options, **rest)

    monkeypatch.setattr(command, "Session", spy)
    assert main(["watch", "clip.mp4", *arguments]) == 0
    assert seen == [expected]


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10)
        yield listening


@pytest.fixture
def paces(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, bool]]:
    """Rate and skip of what is shown in real time; here every frame is, and at once."""
    paces: list[tuple[float, bool]] = []

    def at_once(frames: Frames, rate: float, skip: bool) -> Frames:
        paces.append((rate, skip))
        return frames

    monkeypatch.setattr(command, "in_real_time", at_once)
    return paces


@pytest.mark.usefixtures("source", "paces")
@pytest.mark.parametrize(("more", "subject"), [([], b"mfn"), (["--everyone", "--mirror"], b"mfn-1")])
def test_live_link(more: list[str], subject: bytes, port: socket.socket, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "clip.mp4", "--livelink", f"127.0.0.1:{port.getsockname()[1]}", *more]) == 0
    packets = [port.recv(4096) for _ in range(3)]
    assert all(packet[41:].startswith(struct.pack(">i", len(subject)) + subject) for packet in packets)
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.usefixtures("source", "paces")
@pytest.mark.parametrize(
    ("more", "datagrams", "name"),  # datagrams a frame, and what one of them holds
    [([], 3, b"EyeBlinkLeft"), (["--everyone"], 3, b"EyeBlinkLeft"), (["--vrm-presets"], 1, b"Blink_L")],
)
def test_vmc(more: list[str], datagrams: int, name: bytes, port: socket.socket) -> None:
    assert main(["watch", "clip.mp4", "--vmc", f"127.0.0.1:{port.getsockname()[1]}", *more]) == 0
    sent = [port.recv(4096) for _ in range(3 * datagrams)]
    assert all(b"/VMC/Ext/" in packet for packet in sent)
    assert sum(name in packet for packet in sent) == 3


@pytest.mark.usefixtures("source")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], []),
        (["--out", "drawn.mp4"], []),
        (["--window"], [(10.0, True)]),
        (["--vmc", "127.0.0.1"], [(10.0, True)]),
        (["--livelink", "127.0.0.1", "--out", "drawn.mp4"], [(10.0, False)]),
    ],
)
def test_a_recording_plays_at_its_own_pace_where_someone_looks_on(
    arguments: list[str], expected: list[Any], paces: list[tuple[float, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late frames are left out, but never of a file."""
    monkeypatch.setattr(command, "Window", Canvas)
    monkeypatch.setattr(command, "VideoFile", lambda *_: Canvas())
    assert main(["watch", "clip.mp4", "--surface", "landmarks", *arguments]) == 0
    assert paces == expected


def test_what_cannot_be_opened_is_one_line_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(source: str, _: bool | None) -> Frames:
        raise VideoError(f"{source}: No such file or directory")

    monkeypatch.setattr(command, "open_frames", missing)
    assert main(["watch", "clip.mp4"]) == 1
    assert capsys.readouterr().err == "mfn: clip.mp4: No such file or directory\n"


@pytest.mark.usefixtures("source")
def test_a_host_that_is_not_known(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert main(["watch", "clip.mp4", "--vmc", "nowhere.invalid"]) == 1
    assert capsys.readouterr().err == "mfn: --vmc: nowhere.invalid: Name or service not known\n"


@pytest.mark.usefixtures("source")
def test_missing_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MFN_MODELS_DIR", str(tmp_path))
    assert main(["watch", "clip.mp4"]) == 1
    assert "manifest.json" in capsys.readouterr().err


@pytest.mark.usefixtures("source")
def test_the_networks_run_as_the_settings_say(
    own_models_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_models_dir / "mfn.float32.onnx").unlink()
    monkeypatch.setenv("MFN_MODELS_DIR", str(own_models_dir))
    assert main(["watch", "clip.mp4"]) == 0
    monkeypatch.setenv("MFN_PRECISION", "float32")
    assert main(["watch", "clip.mp4"]) == 1
    assert "mfn.float32.onnx" in capsys.readouterr().err
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    monkeypatch.setenv("MFN_EXECUTION_PROVIDER", "openvino")
    assert main(["watch", "clip.mp4"]) == 1
    assert "onnxruntime-openvino" in capsys.readouterr().err


def test_options_that_do_not_go_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = str(tmp_path / "clip.mp4")
    assert "--livelink or --vmc" in wrong_use(["watch", clip, "--everyone"], capsys)
    assert "--vmc" in wrong_use(["watch", clip, "--vrm-presets", "--livelink", "127.0.0.1"], capsys)
    assert "--vmc" in wrong_use(["watch", clip, "--mirror"], capsys)
    assert ".mp4 or .avi" in wrong_use(["watch", clip, "--out", "drawn.txt"], capsys)
    assert "overwritten" in wrong_use(["watch", clip, "--out", str(tmp_path / "x" / ".." / "clip.mp4")], capsys)
    assert "not allowed with" in wrong_use(["watch", clip, "--live", "--recording"], capsys)
    assert "a camera is live" in wrong_use(["watch", "0", "--recording"], capsys)
    assert "VIDEO|CAMERA" in wrong_use(["watch"], capsys)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("studio", ("studio", 11111)),
        ("192.168.0.7:4000", ("192.168.0.7", 4000)),
        ("::1", ("::1", 11111)),
        ("[::1]", ("::1", 11111)),
        ("[fe80::2]:65535", ("fe80::2", 65535)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert address(11111, text) == expected


@pytest.mark.parametrize(
    "text", ["", ":1", "host:", "host:0", "host:65536", "host:http", "[::1]:", "host:-1", "host:²"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="a host"):
        address(11111, text)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A camera that moves over five heads, five frames long."""
    cv2 = pytest.importorskip("cv2")
    with Image.open(FIVE_FACES) as picture:
        heads = np.asarray(picture.convert("RGB"))[..., ::-1]
    path = tmp_path / "five.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (960, 560))
    for frame in range(5):
        writer.write(np.ascontiguousarray(heads[:, 12 * frame : 12 * frame + 960]))
    writer.release()
    return path


def drawn_in(colour: tuple[int, int, int], marked: Pixels, plain: Pixels) -> int:
    """Pixels that have this colour in one picture and another in the other, give or take what a codec does to them."""
    has = np.abs(marked.astype(int) - colour).max(-1) < 40
    changed = np.abs(marked.astype(int) - plain).max(-1) > 40
    return int((has & changed).sum())


def test_a_video_is_watched_and_drawn(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the published networks: the three heads that are in it all along have a colour each in every frame."""
    cv2 = pytest.importorskip("cv2")
    monkeypatch.delenv("MFN_MODELS_DIR")
    drawn = tmp_path / "drawn.mp4"
    assert main(["watch", str(video), "--out", str(drawn), "--surface", "landmarks", "--smooth"]) == 0
    before, after = cv2.VideoCapture(str(video)), cv2.VideoCapture(str(drawn))
    assert after.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    for _ in range(5):
        plain, marked = before.read()[1][..., ::-1], after.read()[1][..., ::-1]
        assert marked.shape == plain.shape
        for colour in COLOURS[:3]:
            assert drawn_in(colour, marked, plain) > 500
    before.release()
    after.release()


def test_who_reads_the_lines_may_stop_reading(video: Path) -> None:
    """As in `mfn watch clip.mp4 | head -1`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "watch", str(video)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().split()[0] == "1"
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), errors) == (0, "")


@pytest.mark.parametrize("source", ["notes.mp4", "97"])
def test_opencv_and_ffmpeg_keep_their_own_opinions_to_themselves(source: str, tmp_path: Path) -> None:
    """In a process of its own, for FFmpeg is told once how much to say."""
    pytest.importorskip("cv2")
    (tmp_path / "notes.mp4").write_text("no video")
    command = [sys.executable, "-m", "service", "watch", str(tmp_path / source) if "." in source else source]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert [line[:4] for line in finished.stderr.splitlines()] == ["mfn:"]


def test_a_video_that_is_cut_short(video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What lies at the end of such a file tells how to read it."""
    data = video.read_bytes()
    for length in (0, 100, len(data) // 2, len(data) - 1):
        path = tmp_path / f"{length}.mp4"
        path.write_bytes(data[:length])
        code = main(["watch", str(path)])
        errors = capsys.readouterr().err.splitlines()
        assert [line[:4] for line in errors] == ["mfn:"]
        assert code == 0 or f"{length}.mp4" in errors[0]


def test_ctrl_c_ends_the_wait_for_a_camera_that_does_not_answer(models_dir: Path) -> None:
    """Long before the wait would end by itself."""
    pytest.importorskip("cv2")
    camera = NetworkCamera()
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "watch", f"{camera.url}/nothing"],
        stderr=subprocess.PIPE,
        env=os.environ | {"MFN_MODELS_DIR": str(models_dir)},
    )
    assert camera.asked.wait(20)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=TIMEOUT_SECONDS * 0.8)
    camera.stop()
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.usefixtures("source")
def test_a_saved_resting_face_is_everybodys(models: Models, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tiny network answers every face with the same expression."""
    resting = tmp_path / "anna.neutral.json"
    write_neutral(resting, 1 / (1 + np.exp(-EXPRESSION_LOGIT)), models.face_model.expression_names)
    assert main(["watch", "clip.mp4", "--neutral", str(resting)]) == 0
    assert not re.search(r" 0\.0*[1-9]", capsys.readouterr().out.replace("0.100", "").replace("0.200", ""))
    assert main(["watch", "clip.mp4", "--neutral", str(tmp_path / "nobody.json")]) == 1
    assert "nobody.json: No such file" in capsys.readouterr().err
