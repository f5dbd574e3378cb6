"""What the pages tell to type works: curl, mfn, make, kubectl, docker, cp, and the Python in them."""

import argparse
import json
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service import __version__
from service.cli.main import build_parser, main
from service.server.auth import MIN_KEY_LENGTH
from tests.docs.pages import PAGES, README, ROOT, blocks, name_of, send, shell_lines

QUICKSTARTS = sorted((ROOT / "docs/quickstart").glob("*.md"))
SCREEN = 60  # lines of text


def commands(*program: str) -> list[object]:
    """Every command line of the pages that begins with these words."""
    return [
        pytest.param(line, id=f"{name_of(page)}: {' '.join(line)}"[:80])
        for page in (README, *PAGES)
        for line in shell_lines(page, *program)
    ]


@pytest.mark.parametrize("curl", commands("curl"))
def test_every_curl_is_answered(curl: list[str], client: TestClient) -> None:
    response = send(client, curl)
    assert response.status_code == 200
    (url,) = [word for word in curl if word.startswith("http")]
    if "/retarget" in url:
        for face in response.json()["faces"]:
            assert ("landmarks" in face) == ("landmarks" in url)
            assert ("blendshapes" in face) == ("blendshapes" in url)


@pytest.mark.parametrize("arguments", commands(".venv/bin/mfn"))
def test_every_option_of_the_command_line_is_understood(arguments: list[str]) -> None:
    end = arguments.index(">") if ">" in arguments else len(arguments)
    build_parser().parse_args(arguments[:end])


def test_the_photo_of_engines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    lines = shell_lines(ROOT / "docs/quickstart/engine.md", ".venv/bin/mfn")
    (arguments,) = [line for line in lines if line[0] == "retarget"]
    assert main(arguments) == 0
    assert len(json.loads(capsys.readouterr().out)["faces"][0]["blendshapes"]) == 52


def test_every_target_of_make_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(VENV)", ".venv")
    wanted = {words[0] for page in (README, *PAGES) for words in shell_lines(page, "make")}
    wanted |= {name for page in (README, *PAGES) for name in re.findall(r"`make ([\w./-]+)`", page.read_text("utf-8"))}
    assert {"run", "docs", ".venv/.serve"} <= wanted
    assert not [name for name in wanted if not re.search(rf"^{re.escape(name)}:", makefile, re.MULTILINE)]


@pytest.mark.parametrize("arguments", commands("kubectl", "apply", "-k"))
def test_every_overlay_is_there(arguments: list[str]) -> None:
    assert (ROOT / arguments[0] / "kustomization.yaml").is_file()


def test_images_have_todays_version_and_files_are_there() -> None:
    text = (ROOT / "docs/quickstart/platform.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bmfn:(\d+\.\d+\.\d+)", text)) == {__version__}
    for page in PAGES:
        for compose in shell_lines(page, "docker", "compose", "-f"):
            assert (ROOT / compose[0]).is_file()


def test_what_phones_copy_is_there() -> None:
    phone = ROOT / "docs/quickstart/phone.md"
    copied = [word for line in shell_lines(phone, "cp") for word in line if word.startswith("models/")]
    assert len(copied) == 4
    assert not [path for path in copied if not (ROOT / path).exists()]
    sizes = re.findall(r"`(mfn\.\w+\.tflite)`, ([\d.]+) MB", phone.read_text(encoding="utf-8"))
    assert len(sizes) == 2
    for name, megabytes in sizes:
        assert float(megabytes) == pytest.approx((ROOT / "models" / name).stat().st_size / 1e6, abs=0.05)


@pytest.mark.parametrize("page", QUICKSTARTS, ids=name_of)
def test_a_quickstart_fits_a_screen(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= SCREEN


def test_keys_in_the_pages_are_long_enough() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-H", dest="headers", action="append", default=[])
    keys = [
        header.removeprefix("X-API-Key: ")
        for page in PAGES
        for line in shell_lines(page, "curl")
        for header in parser.parse_known_args(line)[0].headers
        if header.startswith("X-API-Key: ")
    ]
    assert keys
    for key in keys:
        assert len(key) >= MIN_KEY_LENGTH
    for page in ("README.md", "docs/settings.md", "docs/rest.md"):
        assert f"at least {MIN_KEY_LENGTH} characters" in " ".join((ROOT / page).read_text(encoding="utf-8").split())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_and_json_are_well_formed(page: Path) -> None:
    for code in blocks(page, "python"):
        compile(code, name_of(page), "exec")
    for text in blocks(page, "json"):
        json.loads(text)
