"""Training's folders are layers: each imports from those below it alone, and nothing of the server or its commands."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path("training")
# From the lowest to the highest. "" is the root's own modules.
LAYERS = ("", "face_model", "networks", "data", "optimization", "export", "labels", "render", "evaluation", "scripts")
MODULES = sorted(ROOT.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Names of the modules that a file imports, wherever it does so; for `from a import b` a and a.b."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{path} imports relatively"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


FILES = {module_of(path): path for path in MODULES}


def layer_of(module: str) -> str:
    """The folder below training that a module's file lies in."""
    parts = FILES[module].parent.parts
    return parts[1] if len(parts) > 1 else ""


def test_every_folder_has_its_place() -> None:
    assert {layer_of(module) for module in FILES} == set(LAYERS)


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_imports_from_its_own_layer_and_those_below(path: Path) -> None:
    own = LAYERS.index(layer_of(module_of(path)))
    above = {name for name in imports(path) if name in FILES and LAYERS.index(layer_of(name)) > own}
    assert not above


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_imports_neither_the_server_nor_its_commands_nor_the_benchmarks(path: Path) -> None:
    forbidden = ("service.server", "service.cli", "bench", "tools", "deploy", "tests")
    assert not [name for name in imports(path) if any(f"{name}.".startswith(f"{start}.") for start in forbidden)]


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module: {name for name in imports(path) if name in FILES} - {module} for module, path in FILES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(error.args[1][::-1]))
