"""The outputs of the open inference protocol: the faces of all pictures of a request, one behind the other."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from service.inference.models import Models
from service.inference.pipeline import RetargetResult
from service.server import schema
from service.server.rest.tensors import BYTES, Tensor
from service.vision.arkit import ARKIT_NAMES, blendshapes
from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES, LANDMARKS
from service.vision.gaze import GAZE_COEFFICIENTS

Rows = NDArray[Any] | list[bytes]


@dataclass(frozen=True)
class Output:
    """An output. datatype, row: of the protocol; the shape of one row, of as many as there are faces or pictures.

    rows_of: its rows for one picture.
    """

    datatype: str
    row: tuple[int, ...]
    rows_of: Callable[[RetargetResult, Models, Collection[str]], Rows]


def _of_faces(name: str) -> Callable[[RetargetResult, Models, Collection[str]], Rows]:
    """An array of Faces as it is."""

    def rows(result: RetargetResult, _models: Models, _included: Collection[str]) -> Rows:
        return np.asarray(getattr(result.faces, name), np.float32)

    return rows


def _face_count(result: RetargetResult, _models: Models, _included: Collection[str]) -> Rows:
    return np.array([len(result.faces)], np.int32)


def _image_size(result: RetargetResult, _models: Models, _included: Collection[str]) -> Rows:
    return np.array([[result.width, result.height]], np.int32)


def _box(result: RetargetResult, _models: Models, _included: Collection[str]) -> Rows:
    corners = result.faces.box
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=-1)


def _landmarks(result: RetargetResult, models: Models, _included: Collection[str]) -> Rows:
    return result.faces.landmarks(models.face_model, result.width, result.height).astype(np.float32)


def _blendshapes(result: RetargetResult, models: Models, _included: Collection[str]) -> Rows:
    return blendshapes(result.faces.expression, result.faces.gaze, models.arkit).astype(np.float32)


def _answer(result: RetargetResult, models: Models, included: Collection[str]) -> Rows:
    return [to_json(schema.retarget_document(result, models, included), inf_nan_mode="null")]


# By name, in the order in which they are answered. Units and frames are those of POST /retarget.
OUTPUTS: Final[Mapping[str, Output]] = MappingProxyType(
    {
        "face_count": Output("INT32", (), _face_count),  # a row for each picture
        "image_size": Output("INT32", (2,), _image_size),  # a row for each picture: width, height
        "score": Output("FP32", (), _of_faces("score")),  # from here a row for each face
        "box": Output("FP32", (4,), _box),  # x, y, width, height
        "quaternion": Output("FP32", (4,), _of_faces("quaternion")),
        "translation": Output("FP32", (3,), _of_faces("translation")),
        "scale": Output("FP32", (), _of_faces("scale")),
        "identity": Output("FP32", (IDENTITY_MODES,), _of_faces("identity")),
        "expression": Output("FP32", (EXPRESSIONS,), _of_faces("expression")),
        "gaze": Output("FP32", (GAZE_COEFFICIENTS,), _of_faces("gaze")),  # NaN without a second look
        "landmarks": Output("FP32", (LANDMARKS, 2), _landmarks),
        "blendshapes": Output("FP32", (len(ARKIT_NAMES),), _blendshapes),
        "answer": Output(BYTES, (), _answer),  # a row for each picture: the JSON of POST /retarget
    }
)


def tensor_of(name: str, results: list[RetargetResult], models: Models, included: Collection[str]) -> Tensor:
    """An output for all pictures of a request. included: in the JSON of "answer", of schema.INCLUDES."""
    rows = [OUTPUTS[name].rows_of(result, models, included) for result in results]
    if OUTPUTS[name].datatype == BYTES:
        return Tensor(name, [text for texts in rows for text in texts])
    return Tensor(name, np.concatenate(rows))
