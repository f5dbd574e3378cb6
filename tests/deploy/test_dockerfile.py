"""The Dockerfile as a text: what linters find, what it copies, what it installs, and as whom it runs."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from service import __version__
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
# Made here or elsewhere, but never of any use where pictures are served.
KEPT_OUT = (
    ".ci/run", ".git/HEAD", ".venv/bin/python", ".work/runs", "bench/RESULTS.md", "build/container/storage",
    "clients/python/examples/stream_video.py", "deploy/build-offline", "docs/faces.webp", "models/mfn.int8.tflite",
    "models/weights/mfn.npz", "models/mobile/README.md", "proto/mfn/v1/retarget.proto", "requirements/dev.txt",
    "requirements/training.txt", "service/__pycache__/cli.cpython-311.pyc", "tests/conftest.py", "training/README.md",
)  # fmt: skip


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction's name and what follows it, on one line."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


DOCKERFILE = instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))
STAGES = [i for i, (name, _) in enumerate(DOCKERFILE) if name == "FROM"]
RESULT = DOCKERFILE[STAGES[-1] :]


def of(name: str, stage: list[tuple[str, str]] = RESULT) -> list[str]:
    return [rest for found, rest in stage if found == name]


def variables(name: str) -> dict[str, str]:
    return dict(pair.partition("=")[::2] for rest in of(name) for pair in shlex.split(rest))


def copied() -> list[str]:
    """Patterns of what is copied from this folder, not from another stage."""
    copies = [rest.split() for rest in of("COPY", DOCKERFILE) if "--from=" not in rest]
    return [source for copy in copies for source in copy[:-1]]


def is_ignored(path: str) -> bool:
    """Whether .dockerignore keeps a file out: the last line that names it or a folder that it is in decides."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip().removeprefix("!")
        if not pattern or pattern.startswith("#"):
            continue
        file = PurePosixPath(path)
        if any(names(pattern, part) for part in (file, *file.parents)):
            ignored = not line.startswith("!")
    return ignored


def names(pattern: str, path: PurePosixPath) -> bool:
    """Whether a pattern names a path; a star stands for part of one name, two of them for any number of folders."""
    if pattern.startswith("**/"):
        return fnmatchcase(path.name, pattern.removeprefix("**/"))
    parts = PurePosixPath(pattern).parts
    return len(parts) == len(path.parts) and all(map(fnmatchcase, path.parts, parts))


def tool(name: str) -> str:
    """A program's path; skips where it is not installed, in this environment or elsewhere."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    return found or pytest.skip(f"{name} is not installed")


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([tool("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


def test_trivy_finds_nothing(tmp_path: Path) -> None:
    """With the checks that it brings, as it would fetch newer ones from an image registry."""
    shutil.copy(ROOT / "Dockerfile", tmp_path)
    command = [tool("trivy"), "config", "--skip-check-update", "--skip-version-check", "--disable-telemetry", "--quiet"]
    done = subprocess.run(
        [*command, "--cache-dir", tmp_path / "cache", "--format", "json", tmp_path],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (result,) = json.loads(done.stdout)["Results"]
    assert result["MisconfSummary"]["Successes"] > 20
    assert not result.get("Misconfigurations")


@pytest.mark.parametrize("pattern", copied())
def test_what_it_copies_is_there_and_let_through(pattern: str) -> None:
    files = [path for match in ROOT.glob(pattern.rstrip("/")) for path in (match, *match.rglob("*")) if path.is_file()]
    files = [path for path in files if "__pycache__" not in path.parts]
    assert files
    assert not [path for path in files if is_ignored(path.relative_to(ROOT).as_posix())]


@pytest.mark.parametrize("path", KEPT_OUT)
def test_all_else_is_kept_out(path: str) -> None:
    assert is_ignored(path)


def test_nothing_of_tests_or_training_is_copied() -> None:
    assert not [source for source in copied() if re.match(r"\.?/?(\.|tests|training|bench)(/|$)", source)]
    assert not of("ADD", DOCKERFILE)


def test_packages_are_those_of_the_lock_with_their_hashes() -> None:
    installs = [
        set(shlex.split(part))
        for run in of("RUN", DOCKERFILE)
        for part in run.split("&&")
        if re.search(r"pip .*\b(install|wheel)\b", part)
    ]
    locked = [words for words in installs if "--requirement" in words]
    assert all({"--require-hashes", "--only-binary"} <= words for words in locked)
    assert [words & {"/build/${LOCK}.txt", "/build/build.txt"} for words in locked] == [
        {"/build/${LOCK}.txt"},
        {"/build/build.txt"},
    ]
    assert "LOCK=serve" in of("ARG", DOCKERFILE)
    # what is left is of this repository: the wheels are made and installed with nothing from elsewhere
    own = [words for words in installs if words not in locked]
    assert len(own) == 2
    assert all({"--no-index", "--no-deps"} <= words for words in own)
    assert not re.search(r"https?://", "".join(rest for name, rest in DOCKERFILE if name != "LABEL"))
    assert not [run for run in of("RUN", DOCKERFILE) if "apt" in run]


def test_both_bases_are_the_same_unless_said() -> None:
    bases = {rest.partition("=")[2] for rest in of("ARG", DOCKERFILE[: STAGES[0]])}
    assert len(bases) == 1
    assert re.fullmatch(r"[\w./-]+:(?!latest)[\w.-]+", bases.pop())


def test_the_result_runs_nothing_while_it_is_built() -> None:
    """So that its base needs no shell."""
    assert not of("RUN")
    assert not of("SHELL")


def test_it_runs_as_nobody_in_particular() -> None:
    assert of("USER") == ["65532:65532"]  # a number, which Kubernetes' runAsNonRoot can judge
    assert of("STOPSIGNAL") == ["SIGTERM"]


@pytest.mark.parametrize("name", ["ENTRYPOINT", "CMD", "HEALTHCHECK"])
def test_what_it_runs_needs_no_shell(name: str) -> None:
    (rest,) = of(name)
    words: Any = json.loads(rest[rest.index("[") :])
    assert words
    assert all(isinstance(word, str) for word in words)
    assert not {word.rpartition("/")[2] for word in words} & {"sh", "bash", "env"}


def test_the_modules_that_it_runs_are_there() -> None:
    assert json.loads(of("ENTRYPOINT")[0]) == ["/opt/mfn/bin/python", "-m", "service"]
    assert (ROOT / "service/__main__.py").is_file()
    assert of("HEALTHCHECK")[0].endswith('CMD ["/opt/mfn/bin/python", "-m", "service.cli.health"]')
    assert (ROOT / "service/cli/health.py").is_file()


def test_both_ports_are_told() -> None:
    assert of("EXPOSE") == [f"{Settings().http_port} {Settings().grpc_port}"]


def test_it_is_of_this_version_and_says_what_it_is() -> None:
    assert f"VERSION={__version__}" in of("ARG")
    labels = {name.removeprefix("org.opencontainers.image.") for name in variables("LABEL")}
    assert labels == {"title", "description", "version", "revision", "source", "licenses"}
    assert variables("LABEL")["org.opencontainers.image.title"] == "mfn"


def test_nothing_is_written_and_nothing_told_to_others() -> None:
    environment = variables("ENV")
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert environment["ORT_DISABLE_TELEMETRY"] == "1"
    assert not [name for name in environment if name.startswith("MFN_")]  # the defaults are the README's
