"""What holds for the project as a whole: what may import what, and what the lock files promise."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def imported(file: Path) -> set[str]:
    """Top-level names of the packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("file", sorted((ROOT / "service").rglob("*.py")), ids=lambda file: file.name)
def test_service_needs_neither_training_nor_its_libraries(file: Path) -> None:
    assert not imported(file) & {"training", "torch", "mediapipe", "cv2", "scipy", "skimage", "matplotlib", "onnx"}


@pytest.mark.parametrize("name", ["pipeline", "faces", "candidates", "letterbox", "image", "refine", "suppression"])
def test_the_pipeline_knows_nothing_of_http(name: str) -> None:
    text = (ROOT / f"service/{name}.py").read_text(encoding="utf-8")
    assert not re.search(r"^(from|import) (service\.rest|fastapi|starlette|uvicorn)", text, re.MULTILINE)


@pytest.mark.parametrize("file", sorted((ROOT / "service/live").glob("*.py")), ids=lambda file: file.name)
def test_streams_know_nothing_of_their_doors(file: Path) -> None:
    assert not imported(file) & {"grpc", "mfn", "fastapi", "starlette", "uvicorn"}
    assert not re.search(r"^from service\.(rest|grpc)", file.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_files_have_hashes_and_no_addresses(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    requirements = [i for i, line in enumerate(lines) if re.match(r"\w", line)]
    assert requirements
    for i in requirements:
        assert re.match(r"[\w.-]+==[\w.]+( ;.*)? \\$", lines[i])
        assert lines[i + 1].startswith("    --hash=sha256:")
    assert not [line for line in lines if "://" in line or line.startswith("-")]


def test_what_serves_is_tested_at_the_same_version() -> None:
    serve, dev = (
        set(re.findall(r"^[\w.-]+==\S+.*?(?= \\$)", lock_text(name), re.MULTILINE)) for name in ("serve", "dev")
    )
    assert serve <= dev


@pytest.mark.parametrize(("name", "extras"), [("serve", ()), ("dev", ("test", "lint")), ("training", ("training",))])
def test_every_dependency_is_locked(name: str, extras: tuple[str, ...]) -> None:
    wanted = [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]
    locked = set(re.findall(r"^([\w.-]+)==", lock_text(name), re.MULTILINE))
    assert {re.split(r"[<>=!~\[]", line)[0] for line in wanted} <= locked, "run `make lock`"


def lock_text(name: str) -> str:
    return (ROOT / f"requirements/{name}.txt").read_text()
