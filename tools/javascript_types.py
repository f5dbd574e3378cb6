"""The JavaScript client's types, made from the OpenAPI document of REST and the schema of streams over WebSocket."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.server.problems import CODES
from service.server.rest.app import RestApp
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings
from service.vision.arkit import ARKIT_NAMES
from service.vision.gaze import GAZE_NAMES
from tools import websocket_schema

# Definitions that the client has a type for, with all that they refer to: first those of OpenAPI.
FROM_REST: Final = ("RetargetAnswer", "ModelAnswer")
FROM_WEBSOCKET: Final = ("Configuration", "CalibrationMessage", "RotationMessage", "FromServer")

# The names of these members' weights, which a schema of their numbers does not tell.
NAMES: Final = {
    "expression": "ExpressionName",
    "expression_names": "ExpressionName",
    "neutral": "ExpressionName",
    "gaze": "GazeName",
    "gaze_names": "GazeName",
    "blendshapes": "ArkitName",
    "arkit_names": "ArkitName",
    "unobserved_arkit": "ArkitName",
}

HEAD: Final = "/** The service's messages and names. Made by tools/javascript_types.py; `make readme` renews them. */"
PRIMITIVES: Final = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "null": "null"}
MAX_TUPLE: Final = 4  # numbers; longer arrays of one length are arrays in TypeScript, too
LINE: Final = 120  # characters

Schema = Mapping[str, Any]


def openapi() -> dict[str, Any]:
    """The OpenAPI document of a server with the published models."""
    settings, workers = Settings(), Workers(1, 1)
    try:
        state = ServerState(settings, Pipeline(Models.load(settings.models_dir), settings), workers)
        return RestApp(state).openapi()
    finally:
        workers.close()


def source() -> str:
    """The module of types, as TypeScript."""
    models = Models.load(Settings().models_dir)
    rest, websocket = openapi()["components"]["schemas"], websocket_schema.document()["$defs"]
    definitions = {name: rest[name] for name in _reached(FROM_REST, rest)}
    # of a definition in both, REST's: they are made from one model
    definitions |= {name: websocket[name] for name in _reached(FROM_WEBSOCKET, websocket) if name not in definitions}
    parts = [
        HEAD,
        _names("ARKIT_NAMES", "ArkitName", "ARKit's 52 blend shapes, by which `blendshapes` are told.", ARKIT_NAMES),
        _names("GAZE_NAMES", "GazeName", "Those of ARKit's names that `gaze` has.", GAZE_NAMES),
        _names(
            "EXPRESSION_NAMES", "ExpressionName", "The 46 of `expression`, in the order of the face model.",
            models.face_model.expression_names,
        ),
        _names(
            "PROBLEM_KINDS", "ProblemKind", "What can go wrong: the end of a problem's type.",
            tuple(kind.name for kind in CODES),
        ),
        *(_declaration(name, definitions[name]) for name in sorted(definitions)),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _reached(roots: tuple[str, ...], schemas: Schema) -> list[str]:
    """The names of definitions, and of those that they refer to."""
    found: list[str] = []
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            waiting += re.findall(r'"\$ref": "[^"]*/(\w+)"', json.dumps(schemas[name]))
    return found


def _names(constant: str, type_: str, meaning: str, names: tuple[str, ...]) -> str:
    listed = "".join(f'  "{name}",\n' for name in names)
    return (
        f"/** {meaning} */\nexport const {constant} = [\n{listed}] as const;\n"
        f"export type {type_} = (typeof {constant})[number];"
    )


def _declaration(name: str, schema: Schema) -> str:
    """A definition as an interface, or as a type where it has no members."""
    lines = list(_comment(schema.get("description"), ""))
    if "properties" not in schema:
        return "\n".join([*lines, f"export type {name} = {_type(name, schema)};"])
    required = schema.get("required", [])
    lines.append(f"export interface {name} {{")
    for member, part in schema["properties"].items():
        lines += _comment(part.get("description"), "  ")
        if member in required:
            lines.append(f"  {member}: {_type(member, part)};")
        else:
            lines.append(f"  {member}?: {_type(member, _without_null(part))};")
    return "\n".join([*lines, "}"])


def _without_null(schema: Schema) -> Schema:
    """A member that is there: instead of sending null it may be left out, and answers leave it out themselves."""
    if "anyOf" not in schema:
        return schema
    return {**schema, "anyOf": [part for part in schema["anyOf"] if part.get("type") != "null"]}


def _comment(text: str | None, indent: str) -> Iterator[str]:
    if not text:
        return
    words = " ".join(text.split())
    line = f"{indent}/** {words} */"
    if len(line) <= LINE:
        yield line
        return
    yield f"{indent}/**"
    row = f"{indent} *"
    for word in words.split():
        if len(row) + 1 + len(word) > LINE:
            yield row
            row = f"{indent} *"
        row += f" {word}"
    yield row
    yield f"{indent} */"


def _type(name: str, schema: Schema) -> str:
    """The type of a value. name: of the member that it is, or of its definition."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(_type(name, part) for part in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    if schema["type"] == "array":
        return _array(name, schema)
    if schema["type"] == "object":
        values = schema.get("additionalProperties")
        of = "unknown" if values is True else _type("", values or {})
        return f"Record<{NAMES.get(name, 'string')}, {of}>"
    return PRIMITIVES[schema["type"]]


def _array(name: str, schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(_type('', part) for part in schema['prefixItems'])}]"
    items = schema["items"]
    of = NAMES[name] if name in NAMES and items.get("type") == "string" else _type("", items)
    length = schema.get("minItems")
    if length is not None and length == schema.get("maxItems") and length <= MAX_TUPLE:
        return f"[{', '.join([of] * length)}]"
    return f"({of})[]" if " | " in of else f"{of}[]"
