"""Java of published lists of an API, in the format of Android's current.txt: declarations that a compiler reads.

Only what stubs/*.txt need of the format: classes, enums and interfaces, constructors, methods and fields.
"""

import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = re.compile(r"package ([\w.]+) \{")
TYPE = re.compile(
    r"  public (?P<modifiers>(?:static |final |abstract )*)(?P<kind>class|interface|enum) (?P<name>[\w.]+)"
)
MEMBER = re.compile(r"    (?P<kind>ctor|method|field|enum_constant) (?P<rest>.*);")
VALUES = {"int": "0", "long": "0", "float": "0", "boolean": "false", "void": ""}
ANNOTATION = "org.jetbrains.annotations"


def write_java(lists: list[Path], folder: Path) -> None:
    """Writes a .java file for each outermost type of the lists, in folders by package."""
    for name in ("NotNull", "Nullable"):
        text = f"package {ANNOTATION}; public @interface {name} {{}}"
        _write(folder, ANNOTATION, name, text)
    for file in lists:
        for package, block in _packages(file.read_text()):
            types = list(_types(block))
            for name, head, members in types:
                if "." not in name:
                    inner = "\n".join(
                        f"public static {h.replace(f'{n} ', n.split('.')[1] + ' ', 1)}{{ {_members(n, h, m)} }}"
                        for n, h, m in types
                        if n.startswith(f"{name}.")
                    )
                    text = f"package {package};\npublic {head}{{ {_members(name, head, members)}\n{inner} }}\n"
                    _write(folder, package, name, text)


def _write(folder: Path, package: str, name: str, text: str) -> None:
    file = folder.joinpath(*package.split("."), f"{name}.java")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def _packages(text: str) -> Iterator[tuple[str, str]]:
    blocks = PACKAGE.split(text)[1:]
    yield from zip(blocks[::2], blocks[1::2], strict=True)


def _types(block: str) -> Iterator[tuple[str, str, list[str]]]:
    """Of each type its name, its declaration without public and static, and its members' lines."""
    for text in re.split(r"\n(?=  public )", block)[1:]:
        first, *members = text.splitlines()
        match = TYPE.match(first)
        assert match, f"no type: {first}"
        declaration = first.strip().removesuffix("{").removeprefix("public ").replace("static ", "", 1)
        yield match["name"], declaration, [line for line in members if line.startswith("    ")]


def _members(name: str, head: str, lines: list[str]) -> str:
    return " ".join(_member(name.split(".")[-1], head, line) for line in lines)


def _member(name: str, head: str, line: str) -> str:
    match = MEMBER.match(line)
    assert match, f"no member: {line}"
    kind, rest = match["kind"], match["rest"]
    if kind == "enum_constant":
        return rest.split()[-1] + ";"
    if kind == "field":
        return rest + (";" if "=" in rest or "final" not in rest else " = null;")
    before, arguments = rest.split("(", 1)
    arguments, throws = arguments.rsplit(")", 1)
    parameters = ", ".join(f"{_annotated(part)} a{i}" for i, part in enumerate(_split(arguments)))
    if kind == "ctor":
        return f"public {name}({parameters}) {{}}"
    *modifiers, result, method = _words(before)
    modifiers = [*modifiers[:1], *([ANNOTATED[result.endswith("?")]] if _is_object(result) else []), *modifiers[1:]]
    declaration = f"{' '.join(modifiers)} {result.rstrip('?')} {method}({parameters}){throws}"
    if " interface" in f" {head}":
        return f"{declaration};"
    return f"{declaration} {{ return {VALUES.get(result, 'null')}; }}"


ANNOTATED = (f"@{ANNOTATION}.NotNull", f"@{ANNOTATION}.Nullable")


def _annotated(parameter: str) -> str:
    bare = parameter.rstrip("?")
    return f"{ANNOTATED[parameter.endswith('?')]} {bare}" if _is_object(bare) else bare


def _is_object(name: str) -> bool:
    return name not in VALUES and len(name.strip("?")) > 1  # a name of one letter is a type parameter


def _split(text: str) -> list[str]:
    """Parameters, between commas outside of angle brackets."""
    return [part.strip() for part in re.split(r",(?![^<]*>)", text) if part.strip()]


def _words(text: str) -> list[str]:
    """Words, between blanks outside of angle brackets."""
    return re.split(r" (?![^<]*>)", text.strip())
