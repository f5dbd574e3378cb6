import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from pydantic_core import to_json

from service.inference.models import Models
from service.inference.pipeline import RetargetResult, Timing
from service.server import schema
from service.vision.arkit import ARKIT_NAMES, WITHOUT_GAZE
from service.vision.arrays import Array
from service.vision.faces import Faces
from service.vision.gaze import GAZE_NAMES
from service.vision.rotation import euler_to_quaternion, normalize, quaternion_to_euler

TIMING = Timing(1.23456, 2, 3, inference=3.0004, refine=1.0002, postprocess=5)


@pytest.fixture
def result() -> RetargetResult:
    random = np.random.default_rng(0)
    faces = Faces(
        score=np.array([0.9, 1 / 3], np.float32),
        box=np.array([[10, 20, 40, 70], [-5.5, 0, 100.126, 50]], np.float32),
        quaternion=euler_to_quaternion([30, 0], [-10, 0], [45, 0]).astype(np.float32),
        translation=np.array([[1, 2, -300], [0, 0, -90]], np.float32),
        scale=np.array([4, 1 / 3], np.float32),
        identity=random.normal(size=(2, 50)).astype(np.float32),
        expression=random.uniform(size=(2, 46)).astype(np.float32),
        gaze=random.uniform(size=(2, 8)).astype(np.float32),
    )
    return RetargetResult(faces, 640, 480, TIMING)


@pytest.mark.parametrize("include", [(), ("landmarks",), ("blendshapes",), ("landmarks", "blendshapes")])
@pytest.mark.parametrize("exclude", [(), ("identity",)])
def test_document_is_what_the_schema_says(
    result: RetargetResult, models: Models, include: tuple[str, ...], exclude: tuple[str, ...]
) -> None:
    document = schema.retarget_document(result, models, include, exclude)
    answer = schema.RetargetAnswer.model_validate(document)
    assert json.loads(answer.model_dump_json(exclude_none=True)) == json.loads(to_json(document))


def test_values_by_hand(result: RetargetResult, models: Models) -> None:
    document = schema.retarget_document(result, models, schema.INCLUDES)
    first, second = document["faces"]
    assert document["image"] == {"width": 640, "height": 480}
    assert document["timing_ms"] == {
        "decode": 1.235, "preprocess": 2, "queue": 3, "inference": 3.0, "refine": 1.0, "postprocess": 5,
    }  # fmt: skip
    assert first["box"] == {"x": 10, "y": 20, "width": 30, "height": 50}
    assert second["box"] == {"x": -5.5, "y": 0, "width": 105.63, "height": 50}
    assert second["score"] == 0.33333
    assert [first["pose"][angle] for angle in ("yaw", "pitch", "roll")] == pytest.approx([30, -10, 45], abs=1e-3)
    assert first["pose"]["translation"] == [1, 2, -300]
    assert first["pose"]["scale"] == 4
    names = models.face_model.expression_names
    assert first["expression"]["jawOpen"] == pytest.approx(result.faces.expression[0, names.index("jawOpen")], abs=1e-5)
    assert tuple(first["blendshapes"]) == ARKIT_NAMES
    np.testing.assert_allclose(first["landmarks"], result.faces.landmarks(models.face_model, 640, 480)[0], atol=0.006)


def test_gaze_is_each_faces_own(result: RetargetResult, models: Models) -> None:
    """Of two faces the first had no second look."""
    result.faces.gaze[0] = np.nan
    document = schema.retarget_document(result, models, ("blendshapes",))
    first, second = document["faces"]
    assert "gaze" not in first
    assert tuple(second["gaze"]) == GAZE_NAMES
    assert list(second["gaze"].values()) == pytest.approx(result.faces.gaze[1], abs=1e-5)
    assert document["unobserved_arkit"] == list(WITHOUT_GAZE)
    assert schema.RetargetAnswer.model_validate(document).faces[0].gaze is None


def test_numbers_are_short(result: RetargetResult, models: Models) -> None:
    """No digits of float32 rounding trail: 0.1 is written 0.1."""
    text = to_json(schema.retarget_document(result, models, schema.INCLUDES)).decode()
    assert max(len(number) for number in text.replace("[", ",").replace("]", ",").split(",") if number[:1] == "0") <= 8


def test_header_has_the_same_times() -> None:
    assert schema.server_timing(schema.timing_document(TIMING)) == (
        "decode;dur=1.235, preprocess;dur=2.000, queue;dur=3.000, inference;dur=3.000, refine;dur=1.000, "
        "postprocess;dur=5.000"
    )


def test_there_is_a_time_of_the_second_look_only_where_it_was_taken() -> None:
    assert list(schema.timing_document(replace(TIMING, refine=0.0))) == [
        "decode", "preprocess", "queue", "inference", "postprocess"
    ]  # fmt: skip


def test_no_faces(models: Models) -> None:
    document = schema.retarget_document(RetargetResult(Faces.none(), 1, 1, TIMING), models, schema.INCLUDES)
    assert document["faces"] == []
    assert document["unobserved_arkit"] == list(WITHOUT_GAZE)


def test_model_answer_is_what_the_schema_says(models: Models) -> None:
    document = schema.model_document(models)
    assert schema.ModelAnswer.model_validate(document).model_dump() == document


def rounded(value: ArrayLike, decimals: int) -> float:
    return float(np.round(np.asarray(value, np.float64), decimals))


@given(st.integers(0, 2**32 - 1), st.integers(0, 4), st.sets(st.integers(0, 3)))
def test_each_number_is_rounded_by_itself(seed: int, count: int, refined: set[int]) -> None:
    """Against the definition of the document, number by number."""
    random = np.random.default_rng(seed)

    def numbers(*shape: int) -> Array:
        return (random.normal(size=shape) * 10.0 ** random.integers(-6, 4, shape)).astype(np.float32)

    faces = Faces(
        numbers(count), numbers(count, 4), normalize(numbers(count, 4)), numbers(count, 3), numbers(count),
        numbers(count, 50), numbers(count, 46), np.full((count, 8), np.nan, np.float32),
    )  # fmt: skip
    for i in refined & set(range(count)):
        faces.gaze[i] = numbers(8)
    names = [f"e{i}" for i in range(46)]
    documents = schema.coefficient_documents(faces, names)
    assert len(documents) == count
    for i, document in enumerate(documents):
        face = faces[i]
        x1, y1, x2, y2 = face.box
        assert list(document["box"]) == ["x", "y", "width", "height"]
        assert list(document["box"].values()) == [rounded(value, 2) for value in (x1, y1, x2 - x1, y2 - y1)]
        assert (document["score"], document["pose"]["scale"]) == (rounded(face.score, 5), rounded(face.scale, 5))
        assert document["pose"]["quaternion"] == [rounded(value, 6) for value in face.quaternion]
        assert document["pose"]["translation"] == [rounded(value, 5) for value in face.translation]
        assert [document["pose"][angle] for angle in ("yaw", "pitch", "roll")] == [
            rounded(angle, 3) for angle in quaternion_to_euler(face.quaternion)
        ]
        assert document["identity"] == [rounded(value, 5) for value in face.identity]
        assert list(document["expression"].items()) == [
            (name, rounded(value, 5)) for name, value in zip(names, face.expression, strict=True)
        ]
        gaze = {name: rounded(value, 5) for name, value in zip(GAZE_NAMES, face.gaze, strict=True)}
        assert document.get("gaze") == (gaze if i in refined else None)
