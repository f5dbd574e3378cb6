import json
import os
import subprocess
import sys
from dataclasses import fields
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from service import __version__
from service.cli.main import main
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.server.schema import retarget_document
from service.settings import Settings
from tests.service.tiny_models import IDENTITY, in_int8


@pytest.fixture(autouse=True)
def tiny_models(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MFN_MODELS_DIR", str(models_dir))


@pytest.fixture
def photo_file(tmp_path: Path, png: bytes) -> Path:
    path = tmp_path / "group.png"
    path.write_bytes(png)
    return path


@pytest.fixture
def dark_file(tmp_path: Path) -> Path:
    """A photo in which the tiny network finds no face."""
    path = tmp_path / "dark.jpg"
    Image.new("RGB", (100, 80)).save(path)
    return path


def without_times(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "timing_ms"}


def wrong_use(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_json_is_what_the_rest_door_answers(
    photo_file: Path, png: bytes, pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["retarget", str(photo_file), "--json", "--include", "landmarks,blendshapes", "--refine"]) == 0
    printed = json.loads(capsys.readouterr().out)
    result = pipeline.retarget(png, RetargetOptions(refine=True))
    expected = json.loads(json.dumps(retarget_document(result, pipeline.models, ("landmarks", "blendshapes"))))
    assert len(printed["faces"]) == 1
    assert without_times(printed) == without_times(expected)
    assert printed["timing_ms"].keys() == expected["timing_ms"].keys()


def test_identity_is_left_out_where_excluded(photo_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["retarget", str(photo_file), "--json", "--exclude", "identity"]) == 0
    (face,) = json.loads(capsys.readouterr().out)["faces"]
    assert "expression" in face
    assert "identity" not in face


def test_several_photos_give_a_line_of_json_each(
    photo_file: Path, dark_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["retarget", str(photo_file), str(dark_file), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [len(line["faces"]) for line in lines] == [1, 0]
    assert [line["image"] for line in lines] == [{"width": 192, "height": 192}, {"width": 100, "height": 80}]


def test_table_tells_where_faces_are(photo_file: Path, dark_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["retarget", str(photo_file), str(dark_file)]) == 0
    heading, face, empty = capsys.readouterr().out.splitlines()
    assert heading == f"{photo_file}: 1 face in 192 x 192 pixels"
    # The prior of the bright cell: 64 x 64 pixels around (112, 48).
    assert "at    80,   16" in face
    assert "size   64 x   64" in face
    assert "yaw    0" in face
    assert empty == f"{dark_file}: no faces in 100 x 80 pixels"


@pytest.mark.parametrize(
    "arguments", [["--min-score", "1"], ["--max-faces", "1"], ["--tiles", "3"], ["--input-size", "192"], []]
)
def test_options_reach_the_pipeline(arguments: list[str], photo_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MFN_DEFAULT_MIN_SCORE", "0.25")
    monkeypatch.setenv("MFN_DEFAULT_MAX_FACES", "7")
    seen: list[RetargetOptions] = []
    original = Pipeline.retarget

    def spy(self: Pipeline, data: bytes, options: RetargetOptions) -> Any:
        seen.append(options)
        return original(self, data, options)

    monkeypatch.setattr(Pipeline, "retarget", spy)
    assert main(["retarget", str(photo_file), *arguments]) == 0
    assert seen == [
        RetargetOptions(
            min_score=1.0 if "--min-score" in arguments else 0.25,
            max_faces=1 if "--max-faces" in arguments else 7,
            tiles=3 if "--tiles" in arguments else 1,
            input_size=192 if "--input-size" in arguments else None,
        )
    ]


def test_one_bad_photo_hides_nothing_of_the_others(
    photo_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("no picture")
    missing = tmp_path / "missing.jpg"
    assert main(["retarget", str(text), str(missing), str(tmp_path), str(photo_file)]) == 1
    printed = capsys.readouterr()
    assert "1 face" in printed.out
    unread, absent, folder = printed.err.splitlines()
    assert unread.startswith(f"mfn: {text}: ")
    assert "JPEG, PNG, WebP or AVIF" in unread
    assert absent == f"mfn: {missing}: No such file or directory"
    assert folder == f"mfn: {tmp_path}: Is a directory"


def test_a_photo_may_come_through_a_pipe(
    png: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(png)))
    assert main(["retarget", "-"]) == 0
    assert capsys.readouterr().out.startswith("-: 1 face in 192 x 192 pixels")


def test_what_is_no_file_of_a_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MFN_MAX_BYTES", "100000")
    pipe, link, empty = tmp_path / "pipe", tmp_path / "link", tmp_path / "empty.jpg"
    os.mkfifo(pipe)  # nobody writes to it
    link.symlink_to(link)
    empty.touch()
    photos = [str(pipe), "/dev/zero", str(link), str(empty), "x" * 300, "https://example.org/photo.jpg"]
    assert main(["retarget", *photos, "--draw", str(tmp_path / "drawn")]) == 1
    lines = capsys.readouterr().err.splitlines()
    expected = [
        "0 bytes",
        "more than 100000 bytes",
        "Too many levels",
        "0 bytes",
        "File name too long",
        "| mfn retarget -",
    ]
    assert len(lines) == len(photos)
    for line, words in zip(lines, expected, strict=True):
        assert line.startswith("mfn: ")
        assert words in line


def test_a_name_that_is_no_text_of_the_terminal(photo_file: Path, models_dir: Path) -> None:
    photo = photo_file.with_name(os.fsdecode("café-".encode() + b"\xe9.png"))
    photo_file.rename(photo)
    environment = os.environ | {"MFN_MODELS_DIR": str(models_dir), "PYTHONIOENCODING": "ascii:strict"}
    finished = subprocess.run(
        [sys.executable, "-m", "service", "retarget", photo], capture_output=True, check=False, env=environment
    )
    assert (finished.returncode, finished.stderr) == (0, b"")
    assert b"-\\udce9.png: 1 face in" in finished.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
def test_an_output_that_cannot_be_written(photo_file: Path, models_dir: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        finished = subprocess.run(
            [sys.executable, "-m", "service", "retarget", str(photo_file)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"MFN_MODELS_DIR": str(models_dir)},
        )
    assert finished.returncode == 1
    assert finished.stderr == "mfn: It cannot go on: [Errno 28] No space left on device\n"


def test_ctrl_c_is_no_failure_to_report(
    photo_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Pipeline, "retarget", interrupted)
    assert main(["retarget", str(photo_file)]) == 130
    assert capsys.readouterr().err == ""


def test_too_large_a_photo_names_the_setting(
    photo_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MFN_MAX_MEGAPIXELS", "0.01")
    assert main(["retarget", str(photo_file)]) == 1
    assert "MFN_MAX_MEGAPIXELS" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.WEBP"])
def test_draws_into_a_file(name: str, photo_file: Path, tmp_path: Path) -> None:
    assert main(["retarget", str(photo_file), "--draw", str(tmp_path / name), "--surface", "landmarks"]) == 0
    with Image.open(tmp_path / name) as drawn:
        assert drawn.size == (1200, 1200)
        assert drawn.format == {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[name[-4:].strip(".").lower()]


def test_draws_several_photos_into_a_folder(
    photo_file: Path, dark_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "drawn"
    assert main(["retarget", str(photo_file), str(dark_file), "--draw", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["dark.png", "group.png"]
    assert capsys.readouterr().err.splitlines() == [f"Drawn into {folder / name}.png" for name in ("group", "dark")]


def test_help_of_the_server_names_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    text = capsys.readouterr().out
    assert [field.name for field in fields(Settings) if f"MFN_{field.name.upper()} " not in text] == []


def test_who_reads_the_answers_may_stop_reading(photo_file: Path, models_dir: Path) -> None:
    command = [sys.executable, "-m", "service", "retarget", *[str(photo_file)] * 50, "--json"]
    environment = os.environ | {"MFN_MODELS_DIR": str(models_dir)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_draws_one_photo_into_a_new_folder(photo_file: Path, tmp_path: Path) -> None:
    assert main(["retarget", str(photo_file), "--draw", f"{tmp_path / 'drawn'}/"]) == 0
    assert (tmp_path / "drawn" / "group.png").is_file()


def test_drawing_obeys_the_orientation_of_the_photo(tmp_path: Path, photo: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = photo.crop((0, 0, 192, 100))
    wide.save(tmp_path / "turned.png", exif=exif)
    assert main(["retarget", str(tmp_path / "turned.png"), "--draw", str(tmp_path / "out.png")]) == 0
    with Image.open(tmp_path / "out.png") as drawn:
        assert drawn.size == (625, 1200)


def test_a_folder_that_is_not_there_is_named(
    photo_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "nowhere" / "out.png"
    assert main(["retarget", str(photo_file), "--draw", str(target)]) == 1
    assert capsys.readouterr().err == f"mfn: {target}: No such file or directory\n"


def test_drawing_targets_that_cannot_work(
    photo_file: Path, dark_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, dark = str(photo_file), str(dark_file)
    assert "is no folder" in wrong_use(["retarget", photo, dark, "--draw", str(tmp_path / "out.png")], capsys)
    assert ".png, .jpg or .webp" in wrong_use(["retarget", photo, "--draw", str(tmp_path / "out.txt")], capsys)
    assert "overwritten" in wrong_use(["retarget", photo, "--draw", photo], capsys)
    assert "overwritten" in wrong_use(["retarget", photo, "--draw", str(tmp_path)], capsys)
    assert "two photos" in wrong_use(["retarget", dark, dark, "--draw", str(tmp_path / "drawn")], capsys)


def test_include_without_json_is_no_use(photo_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--json" in wrong_use(["retarget", str(photo_file), "--include", "landmarks"], capsys)
    assert "--json" in wrong_use(["retarget", str(photo_file), "--exclude", "identity"], capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--min-score", "0"], "0 is not from 0.01 to 1"),
        (["--min-score", "nan"], "nan is not from 0.01 to 1"),
        (["--max-faces", "101"], "101 is not from 1 to 100"),
        (["--tiles", "5"], "5 is not from 1 to 4"),
        (["--input-size", "288"], "--input-size: The parameter input_size is 288; expected 96 or 192"),
        (["--input-size", "large"], "invalid int value: 'large'"),
        (["--include", "mesh"], "'mesh' is not one of landmarks, blendshapes"),
        (["--exclude", "pose"], "'pose' is not one of identity"),
        (["--surface", "skin"], "skin"),
    ],
)
def test_wrong_options(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in wrong_use(["retarget", "photo.jpg", *arguments], capsys)


def test_a_command_and_photos_are_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "COMMAND" in wrong_use([], capsys)
    assert "PHOTO" in wrong_use(["retarget"], capsys)


def test_missing_models_and_wrong_settings_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MFN_MODELS_DIR", str(tmp_path / "none"))
    assert main(["retarget", "photo.jpg"]) == 1
    assert "manifest.json" in capsys.readouterr().err
    monkeypatch.setenv("MFN_HTTP_PORT", "http")
    assert main(["serve"]) == 1
    assert "MFN_HTTP_PORT" in capsys.readouterr().err


def test_retarget_runs_the_networks_as_the_settings_say(
    photo_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for precision in ("int8", "float32"):
        monkeypatch.setenv("MFN_PRECISION", precision)
        assert main(["retarget", str(photo_file), "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["faces"][0]["identity"])
    np.testing.assert_allclose(found, [in_int8(IDENTITY), IDENTITY], atol=1e-5)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    monkeypatch.setenv("MFN_EXECUTION_PROVIDER", "cuda")
    assert main(["retarget", str(photo_file)]) == 1
    assert "onnxruntime-gpu" in capsys.readouterr().err


def test_serve_runs_the_rest_door_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Settings] = []

    def spy(settings: Settings) -> int:
        served.append(settings)
        return 3

    monkeypatch.setattr("service.server.main.serve", spy)
    monkeypatch.setenv("MFN_HTTP_PORT", "8123")
    assert main(["serve"]) == 3
    assert [settings.http_port for settings in served] == [8123]


def test_the_module_runs_as_a_program(photo_file: Path) -> None:
    command = [sys.executable, "-m", "service", "retarget", str(photo_file), "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert len(json.loads(finished.stdout)["faces"]) == 1


def test_the_versions_of_the_code_and_of_the_models_that_are_set(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"mfn {__version__}\nmodels 9.9.9\n"


def test_the_code_has_a_version_where_there_are_no_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MFN_MODELS_DIR", str(tmp_path))
    assert main(["--version"]) == 1
    printed = capsys.readouterr()
    assert printed.out == f"mfn {__version__}\n"
    assert str(tmp_path / "manifest.json") in printed.err


def test_a_server_keeps_no_other_command_in_memory() -> None:
    program = (
        "import sys; from service.cli.main import build_parser; build_parser().parse_args(['serve']); "
        "print(*(name for name in sys.modules if name.startswith('service.cli.')))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout.split()
    assert set(told) == {f"service.cli.{name}" for name in ("main", "arguments", "interruption", "serve")}
