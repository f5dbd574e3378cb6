"""Whatever is wrong with a manifest is told in one line, or does not keep the models from answering."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from service.errors import StartError
from service.inference.models import Models
from service.inference.options import RetargetOptions
from service.inference.pipeline import Pipeline
from service.server import schema
from service.server.grpc.messages import model_of
from service.vision.image import Picture

Place = tuple[str | int, ...]
ODD: list[Any] = [
    None, True, -1, 0, 1, 2, 7, 64, 10**9, 10**30, 0.5, 1e-308, 1e308, float("nan"), float("inf"), "", "x", "9", "\n",
    "é", "../x", "a/b", "{x}", "x" * 1000, [], {}, [[]], [None], [1] * 1000, [1e308, 1], {"": 1}, "0" * 64,
]  # fmt: skip
GONE = object()


def places(document: Any, at: Place = ()) -> Iterator[Place]:
    """Every place of a document, but of lists only the first and the last."""
    yield at
    if isinstance(document, dict):
        for name, value in document.items():
            yield from places(value, (*at, name))
    elif isinstance(document, list) and document:
        for index in {0, len(document) - 1}:
            yield from places(document[index], (*at, index))


def spoiled(document: Any, at: Place, value: Any) -> Any:
    """A copy of a document with another value at a place, or without it."""
    if not at:
        return value
    copy = document.copy()
    copy[at[0]] = spoiled(copy[at[0]], at[1:], value)
    if copy[at[0]] is GONE:
        del copy[at[0]]
    return copy


def answers_or_says_why(folder: Path) -> str:
    """The one line that tells why models are not served; empty where they are, and answer."""
    try:
        models = Models.load(folder)
    except StartError as error:
        return str(error)
    to_json(schema.model_document(models), inf_nan_mode="null")
    model_of(models).SerializeToString()
    picture = np.full((200, 300, 3), 40, np.uint8)
    picture[60:120, 90:160] = 250
    pipeline = Pipeline(models)
    for side in models.priors:
        options = RetargetOptions(refine=True, input_size=side)
        result = pipeline.retarget_picture(Picture(picture, 300, 200), options)
        to_json(schema.retarget_document(result, models, schema.INCLUDES))
    return ""


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_manifest_with_any_other_value(data: st.DataObject, own_models_dir: Path) -> None:
    path = own_models_dir / "manifest.json"
    whole = path.with_suffix(".whole")
    if not whole.exists():
        whole.write_bytes(path.read_bytes())
    manifest = json.loads(whole.read_bytes())
    place = data.draw(st.sampled_from([place for place in places(manifest) if place]))
    value = data.draw(st.sampled_from([*ODD, GONE]))
    path.write_text(json.dumps(spoiled(manifest, place, value)))
    line = answers_or_says_why(own_models_dir)
    assert len(line.splitlines()) <= 1
    assert not line or str(own_models_dir) in line


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("networks", "sfn", "crop_factor"), 1e308),
        (("networks", "sfn", "crop_factor"), float("nan")),
        (("networks", "sfn", "crop_factor"), -1.4),
        (("networks", "mfn", "input_sizes"), [10**9]),
        (("networks", "mfn", "input", "shape"), [1, 10**9, 10**9, 3]),
        (("networks", "mfn", "levels", 0, "anchors"), [[1e308, 1]]),
        (("networks", "mfn", "levels", 0, "anchors"), [[8, 8]] * 1000),
        (("networks", "mfn", "levels", 0, "stride"), 1),
        (("networks", "mfn", "outputs"), []),
        (("name",), "a/{b}"),
        (("face_model", "sha256"), "0" * 64),
        (("face_model", "sha256"), 0),
    ],
)
def test_absurd_values_are_refused(place: Place, value: Any, own_models_dir: Path) -> None:
    path = own_models_dir / "manifest.json"
    path.write_text(json.dumps(spoiled(json.loads(path.read_bytes()), place, value)))
    line = answers_or_says_why(own_models_dir)
    assert len(line.splitlines()) == 1
    assert str(own_models_dir) in line


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff\xfe", b"\x1f\x8b", b"null", b'"x"', b"[" * 100_000, b"1" * 9999]
)
def test_what_is_no_manifest_is_refused(data: bytes, own_models_dir: Path) -> None:
    (own_models_dir / "manifest.json").write_bytes(data)
    line = answers_or_says_why(own_models_dir)
    assert "manifest.json is not valid" in line
    assert len(line.splitlines()) == 1
