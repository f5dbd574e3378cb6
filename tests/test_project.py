"""What holds for the project as a whole: what may import what, and what the lock files promise."""

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CLIENT = "mfn-retarget-client"


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
    assert not imported(file) & {
        "studio",
        "training",
        "torch",
        "mediapipe",
        "cv2",
        "scipy",
        "skimage",
        "matplotlib",
        "onnx",
    }


@pytest.mark.parametrize("folder", ["training", "clients", "models"])
def test_what_makes_characters_is_imported_by_nobody(folder: str) -> None:
    for file in (ROOT / folder).rglob("*.py"):
        if "node_modules" not in file.parts:
            assert "studio" not in imported(file), file


def test_npm_s_lock_files_have_checksums_and_no_addresses() -> None:
    """A registry's address is that of whoever wrote the file."""
    listed = subprocess.run(["git", "ls-files", "-z", "*package-lock.json"], cwd=ROOT, capture_output=True, check=True)
    locks = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    assert ROOT / "studio/package-lock.json" in locks
    for lock in locks:
        for place, entry in json.loads(lock.read_text(encoding="utf-8"))["packages"].items():
            assert "resolved" not in entry, (lock, place)
            assert not place or entry.get("link") or entry["integrity"].startswith("sha512-"), (lock, place)


# Folders of service/, from what others build on to what builds on others. A module imports from its own folder and from
# those before it; modules at the root (settings, cores, errors) import from no folder.
FOLDERS = ("vision", "inference", "tracking", "server", "cli")
TRANSPORTS = {"fastapi", "grpc", "google", "httptools", "mfn", "starlette", "uvicorn", "uvloop", "websockets"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_nothing_of_those_that_build_on_it(folder: str) -> None:
    later = FOLDERS[FOLDERS.index(folder) + 1 :]
    for file in (ROOT / "service" / folder).rglob("*.py"):
        found = re.findall(r"^ *(?:from|import) service\.(\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert not set(found) & set(later), file


def test_no_module_of_the_service_imports_itself_in_a_circle() -> None:
    modules = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in (ROOT / "service").rglob("*.py")
    }
    graph: dict[str, set[str]] = {}
    for name, file in modules.items():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
        named = {f"{node.module}.{alias.name}" for node in found for alias in node.names}
        graph[name] = ({str(node.module) for node in found} | named) & modules.keys()
    assert len(list(TopologicalSorter(graph).static_order())) == len(modules)


@pytest.mark.parametrize("folder", ["vision", "inference", "tracking"])
def test_what_looks_at_pictures_knows_no_transport(folder: str) -> None:
    for file in (ROOT / "service" / folder).rglob("*.py"):
        assert not imported(file) & TRANSPORTS, file


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_files_have_hashes_and_no_addresses(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    requirements = [i for i, line in enumerate(lines) if re.match(r"\w", line)]
    assert requirements
    for i in requirements:
        assert re.match(r"[\w.-]+==[\w.]+( ;.*)? \\$", lines[i])
        assert lines[i + 1].startswith("    --hash=sha256:")
    assert not [line for line in lines if "://" in line or line.startswith("-")]


@pytest.mark.parametrize("name", ["serve", "telemetry"])
def test_what_serves_is_tested_at_the_same_version(name: str) -> None:
    used, tested = (
        set(re.findall(r"^[\w.-]+==\S+.*?(?= \\$)", lock_text(lock), re.MULTILINE)) for lock in (name, "dev")
    )
    assert used <= tested


def wanted(extras: Iterable[str] = (), groups: Iterable[str] = ()) -> list[str]:
    """Requirements of the server with some extras and groups, but for the client, which is of this repository."""
    project, in_groups = PYPROJECT["project"], PYPROJECT["dependency-groups"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    for group in groups:
        parts = [line if isinstance(line, str) else line["include-group"] for line in in_groups[group]]
        lines += [line for part in parts for line in in_groups.get(part, [part])]
    return [line for line in lines if name_of(line) != CLIENT]


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~\[;]", requirement)[0].strip()


@pytest.mark.parametrize(
    ("name", "extras", "groups"),
    [
        ("serve", (), ()),
        ("oldest", (), ("test",)),
        ("telemetry", ("telemetry",), ()),
        ("dev", ("telemetry",), ("test", "lint", "docs")),
        ("training", (), ("training",)),
    ],
)
def test_every_dependency_is_locked(name: str, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    locked = set(re.findall(r"^([\w.-]+)==", lock_text(name), re.MULTILINE))
    assert {name_of(line) for line in wanted(extras, groups)} <= locked, "run `make lock`"
    assert CLIENT not in locked


def test_the_oldest_are_the_lower_bounds() -> None:
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", lock_text("oldest"), re.MULTILINE))
    for line in wanted():
        name, bound = re.fullmatch(r"([\w.-]+)>=([\w.]+)(?:;.*)?", line).groups()  # type: ignore[union-attr]
        assert (locked[name] + ".").startswith(bound + "."), "run `make lock`"


def lock_text(name: str) -> str:
    return (ROOT / f"requirements/{name}.txt").read_text()
