"""What stubs/android.txt declares is in Android's API, as PyPI's package chaquopy-stubs-android tells it.

That package was made from the real android.jar. It is not locked, and this is run by hand:
`pip install chaquopy-stubs-android==36.* && pytest tests/models/mobile/test_android_api.py`.
"""

import ast
import importlib.metadata
import re
from pathlib import Path
from typing import Any

import pytest

STUBS = Path(__file__).with_name("stubs") / "android.txt"
MEMBER = re.compile(r"    (ctor|method|field|enum_constant) .*?([\w.]+)(?:\((.*)\)(?: throws .*)?| =.*)?;")
TYPE = re.compile(r"  public .*?(?:class|interface|enum) ([\w.]+)")
PRIMITIVES = {"jint": "int", "jlong": "long", "jfloat": "float", "jboolean": "boolean"}

Members = set[tuple[str, tuple[str, ...] | None]]


@pytest.fixture(scope="module")
def folder() -> Path:
    try:
        distribution = importlib.metadata.distribution("chaquopy-stubs-android")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("no package chaquopy-stubs-android")
    return Path(str(distribution.locate_file("")))


def python_type(annotation: ast.expr) -> str:
    """The last name of a parameter's Java type."""
    names = ast.unparse(annotation).split(" | ")
    primitive = [PRIMITIVES[name.split(".")[-1]] for name in names if name.split(".")[-1] in PRIMITIVES]
    return primitive[0] if primitive else names[-1].split(".")[-1]


def python_class(folder: Path, package: str, name: str) -> ast.ClassDef:
    root, *rest = package.split(".")
    module = ast.parse(folder.joinpath(f"{root}-stubs", *rest, "__init__.pyi").read_text(encoding="utf-8"))
    scope: ast.Module | ast.ClassDef = module
    for part in name.split("."):
        scope = next(node for node in scope.body if isinstance(node, ast.ClassDef) and node.name == part)
    assert isinstance(scope, ast.ClassDef)
    return scope


def python_members(definition: ast.ClassDef) -> Members:
    """Names with types of parameters; of fields names alone."""
    members: Members = set()
    for node in definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            members.add((node.target.id, None))
        elif isinstance(node, ast.FunctionDef):
            every = [*node.args.posonlyargs, *node.args.args, *([node.args.vararg] if node.args.vararg else [])]
            types = [python_type(argument.annotation) for argument in every if argument.annotation]
            members.add((node.name, tuple(types)))
    return members


def listed() -> dict[tuple[str, str], Members]:
    """The members in the stubs, by package and type."""
    types: dict[tuple[str, str], Members] = {}
    package, members = "", set[Any]()
    for line in STUBS.read_text().splitlines():
        if match := re.match(r"package ([\w.]+)", line):
            package = match[1]
        elif match := TYPE.match(line):
            members = types.setdefault((package, match[1]), set())
        elif match := MEMBER.match(line):
            kind, name, parameters = match.groups()
            parts = [part.strip().removesuffix("...").rstrip("?") for part in (parameters or "").split(",")]
            given = tuple(part.split(".")[-1] for part in parts if part)
            members.add(
                (
                    "__init__" if kind == "ctor" else name.split(".")[-1],
                    given if kind in ("ctor", "method") else None,
                )
            )
    return types


@pytest.mark.parametrize(("package", "name"), listed())
def test_every_member_is_in_the_api(folder: Path, package: str, name: str) -> None:
    members = listed()[package, name]
    assert members <= python_members(python_class(folder, package, name))
