"""What the programs of the documents' commands are held to: they run where they can run, else what they name is there.

A program that is not in PROGRAMS fails the test of its page: say here how it is run or checked.
"""

import json
import re
import socket
import subprocess
import tomllib
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, Final

import httpx2

from service.cli.main import build_parser, main
from tests.docs.checkout import FILMS, Checkout
from tests.docs.pages import send
from tests.docs.shell import Command

Program = Callable[[Command, Checkout], str]  # returns what it prints

CAMERA: Final = re.compile(r"\d+|rtsp://.*")  # sources of which the tests' machines have none
AVATARS: Final = ("--livelink", "--vmc")
DISTRIBUTION: Final = re.compile(r"[\w.-]+")
OUR_TESTS: Final = {"bpy", "chaquopy-stubs-android==36.*"}  # with which some tests run that are left out without them


def mfn(command: Command, checkout: Checkout) -> str:
    """Runs it. A film takes a camera's place, a port of our own an avatar's; OpenCV without windows opens none."""
    words = [path for word in command.words[1:] for path in expanded(word, checkout)]
    chosen = build_parser().parse_args(words)
    if chosen.command == "serve":
        return ""  # the server that answers the other commands is run by it
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as avatar:
        avatar.bind(("127.0.0.1", 0))
        avatar.settimeout(10)
        port = avatar.getsockname()[1]
        words = [word for word in words if word != "--window"]
        for index, word in enumerate(words):
            if word in AVATARS:
                words[index + 1] = f"127.0.0.1:{port}"
            elif index and word == getattr(chosen, "source", None) and CAMERA.fullmatch(word):
                words[index] = FILMS[chosen.command]
        with redirect_stdout(StringIO()) as printed:
            assert main(words) == 0, f"{command} fails"
        if set(AVATARS) & set(words):
            assert avatar.recv(2048)
    for option in ("out", "draw", "preview"):
        if path := getattr(chosen, option, None):
            assert path.exists()
    assert printed.getvalue() or any(getattr(chosen, option, None) for option in ("out", "draw"))
    if getattr(chosen, "json", False):
        for line in printed.getvalue().splitlines():
            has_what_was_asked(json.loads(line), command)
    return printed.getvalue()


def expanded(word: str, checkout: Checkout) -> list[str]:
    """What a shell makes of a pattern of files."""
    found = checkout.folder.glob(word) if "*" in word else ()
    return sorted(str(path.relative_to(checkout.folder)) for path in found) or [word]


def curl(command: Command, checkout: Checkout) -> str:
    """Sends it to the server that runs."""
    with httpx2.Client(base_url=f"http://{checkout.http}", timeout=60) as client:
        response = send(client, command.words[1:])
    assert response.status_code == 200, response.text
    if "/retarget" in str(command):
        has_what_was_asked(response.json(), command)
    return response.text


def has_what_was_asked(answer: Any, command: Command) -> None:
    for face in answer["faces"]:
        assert ("landmarks" in face) == ("landmarks" in str(command))
        assert ("blendshapes" in face) == ("blendshapes" in str(command))


def run(command: Command, checkout: Checkout) -> str:
    """Runs it as it is."""
    words = [path for word in command.words for path in expanded(word, checkout)]
    return subprocess.run(words, cwd=checkout.folder, check=True, capture_output=True, text=True).stdout


def assign(command: Command, checkout: Checkout) -> str:  # noqa: ARG001
    """A variable for the lines after it, which are filled in by then."""
    return ""


def make(command: Command, checkout: Checkout) -> str:
    """Its targets are there."""
    makefile = (checkout.folder / "Makefile").read_text(encoding="utf-8").replace("$(VENV)", ".venv")
    for target in command.words[1:]:
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), f"make has no target {target}"
    return ""


def pip(command: Command, checkout: Checkout) -> str:
    """It would fetch from PyPI: what it installs is a folder of ours, or needed by one of our extras or tests."""
    subcommand, *packages = command.words[1:]
    assert subcommand == "install"
    project = tomllib.loads((checkout.folder / "pyproject.toml").read_text(encoding="utf-8"))
    extras = [name for needed in project["project"]["optional-dependencies"].values() for name in needed]
    known = {match[0] for name in extras if (match := DISTRIBUTION.match(name))}
    for package in packages:
        if package.startswith("."):
            assert (checkout.folder / package / "pyproject.toml").is_file()
        else:
            assert package in known | OUR_TESTS, f"{package} is in no extra"
    return ""


def npm(command: Command, checkout: Checkout) -> str:
    """It would fetch from npm's registry: the package and its script are there. The client's tests pack and install."""
    words = command.words[1:]
    folders = [word for word in words if word.startswith("./")]
    if words[0] == "--prefix":
        _, folder, *words = words
        folders.append(folder)
    for folder in folders:
        readers = folder.startswith("../")  # the reader's own project
        assert (checkout.folder / folder / ("." if readers else "package.json")).exists(), folder
    subcommand, *rest = words
    if subcommand == "run":
        package = json.loads((checkout.folder / folders[-1] / "package.json").read_text(encoding="utf-8"))
        assert rest[0] in package["scripts"]
    else:
        assert subcommand in {"ci", "install", "pack"}
    return ""


def python(command: Command, checkout: Checkout) -> str:
    """Its module is there and has the options: what it does takes long, or needs what is not published."""
    dash_m, module, *options = command.words[1:]
    assert dash_m == "-m"
    if module in {"http.server", "venv"}:
        return ""
    if module == "pytest":
        return pytest(Command(["pytest", *options]), checkout)
    path = checkout.folder / module.replace(".", "/")
    sources = [path.with_suffix(".py")] if path.with_suffix(".py").is_file() else [path / "__main__.py"]
    text = "".join(source.read_text(encoding="utf-8") for source in sources)
    for option in options:
        assert not option.startswith("--") or f'"{option}"' in text, f"python -m {module} has no option {option}"
    return ""


def pytest(command: Command, checkout: Checkout) -> str:
    """Its tests are there, and they run with all others."""
    for path in command.words[1:]:
        assert path.startswith("tests/")
        assert (checkout.folder / path).exists()
    return ""


def gradle(command: Command, checkout: Checkout) -> str:
    """No machine of the tests has Gradle: its project has these modules."""
    dash_p, folder, *tasks = command.words[1:]
    assert dash_p == "-p"
    settings = (checkout.folder / folder / "settings.gradle.kts").read_text(encoding="utf-8")
    for task in tasks:
        assert f'"{task.rpartition(":")[0]}"' in settings, f"{folder} has no {task}"
    return ""


def docker(command: Command, checkout: Checkout) -> str:
    """No machine of the tests has a container engine: what it builds and runs is there."""
    words = command.words[1:]
    if words[0] == "build":
        assert (checkout.folder / words[-1] / "Dockerfile").is_file()
    elif words[0] == "compose":
        assert (checkout.folder / words[words.index("-f") + 1]).is_file()
    else:
        assert words[0] == "run"
        (image,) = [index for index, word in enumerate(words) if re.fullmatch(r"mfn(:[\d.]+)?", word)]
        build_parser().parse_args(words[image + 1 :] or ["serve"])
    return ""


def kubectl(command: Command, checkout: Checkout) -> str:
    """No machine of the tests has a cluster: what it applies is there, and the tests of deploy/ render it."""
    words = command.words[1:]
    if "-k" in words:
        assert (checkout.folder / words[words.index("-k") + 1] / "kustomization.yaml").is_file()
    else:
        assert "rollout" in words
        assert words[-1] == "deployment/mfn"
    return ""


def elsewhere(command: Command, checkout: Checkout) -> str:  # noqa: ARG001
    """It needs what no machine of the tests has: the address of a repository, what is cloned from it, a cluster."""
    return ""


PROGRAMS: Final[dict[str, Program]] = {
    "": assign,
    ".venv/bin/mfn": mfn,
    ".venv/bin/pip": pip,
    ".venv/bin/pytest": pytest,
    ".venv/bin/python": python,
    "blender/bin/pip": pip,
    "cd": elsewhere,
    "cp": run,
    "curl": curl,
    "docker": docker,
    "git": elsewhere,
    "gradle": gradle,
    "helm": elsewhere,
    "kind": elsewhere,
    "kubectl": kubectl,
    "make": make,
    "mkdir": run,
    "npm": npm,
    "pip": pip,
    "python3": python,
    "python3.11": python,
}


def follow(command: Command, checkout: Checkout) -> str:
    """Runs or checks a command. Returns what it prints, where it ran."""
    program = command.words[0] if command.words else ""
    assert program in PROGRAMS, f"{command}: tests/docs/programs.py does not say how {program} is run or checked"
    printed = PROGRAMS[program](command, checkout)
    if command.output:
        (checkout.folder / command.output).write_text(printed, encoding="utf-8")
    return printed
