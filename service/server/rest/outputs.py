"""The outputs of the open inference protocol: the faces of a request's pictures, one picture's behind the other's."""

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
from service.server.rest.tensors import BYTES, DTYPES, Tensor
from service.vision.arkit import ARKIT_NAMES, blendshapes
from service.vision.arrays import Array
from service.vision.face_model import EXPRESSIONS, IDENTITY_MODES, LANDMARKS
from service.vision.faces import Faces
from service.vision.gaze import GAZE_COEFFICIENTS


@dataclass(frozen=True)
class Seen:
    """What a picture shows. included, excluded: of its JSON document, of schema.INCLUDES and EXCLUDES."""

    result: RetargetResult
    models: Models
    included: Collection[str]
    excluded: Collection[str]

    @property
    def faces(self) -> Faces:
        """The picture's faces."""
        return self.result.faces

    @property
    def boxes(self) -> Array:
        """Top left corners and sizes of the faces (N, 4), pixels."""
        low, high = self.faces.box[:, :2], self.faces.box[:, 2:]
        return np.concatenate([low, high - low], axis=-1)

    @property
    def landmarks(self) -> Array:
        """Of the faces (N, 68, 2), pixels."""
        return self.faces.landmarks(self.models.face_model, self.result.width, self.result.height)

    @property
    def blendshapes(self) -> Array:
        """ARKit's weights of the faces (N, 52)."""
        return blendshapes(self.faces.expression, self.faces.gaze, self.models.arkit)

    @property
    def document(self) -> bytes:
        """The answer to POST /retarget."""
        document = schema.retarget_document(self.result, self.models, self.included, self.excluded)
        return to_json(document, inf_nan_mode="null")


@dataclass(frozen=True)
class Output:
    """An output. datatype: of the protocol. row: shape of a row. rows_of: its rows for one picture."""

    datatype: str
    row: tuple[int, ...]
    rows_of: Callable[[Seen], NDArray[Any] | list[Any]]


# By name, in the order in which they are answered. Units and frames are those of POST /retarget.
OUTPUTS: Final[Mapping[str, Output]] = MappingProxyType(
    {
        # one row for each picture
        "face_count": Output("INT32", (), lambda seen: [len(seen.faces)]),
        "image_size": Output("INT32", (2,), lambda seen: [(seen.result.width, seen.result.height)]),
        # one row for each face
        "score": Output("FP32", (), lambda seen: seen.faces.score),
        "box": Output("FP32", (4,), lambda seen: seen.boxes),
        "quaternion": Output("FP32", (4,), lambda seen: seen.faces.quaternion),
        "translation": Output("FP32", (3,), lambda seen: seen.faces.translation),
        "scale": Output("FP32", (), lambda seen: seen.faces.scale),
        "identity": Output("FP32", (IDENTITY_MODES,), lambda seen: seen.faces.identity),
        "expression": Output("FP32", (EXPRESSIONS,), lambda seen: seen.faces.expression),
        "gaze": Output("FP32", (GAZE_COEFFICIENTS,), lambda seen: seen.faces.gaze),  # NaN without a second look
        "landmarks": Output("FP32", (LANDMARKS, 2), lambda seen: seen.landmarks),
        "blendshapes": Output("FP32", (len(ARKIT_NAMES),), lambda seen: seen.blendshapes),
        # one row for each picture
        "answer": Output(BYTES, (), lambda seen: [seen.document]),
    }
)


def tensor_of(name: str, pictures: list[Seen]) -> Tensor:
    """An output for all pictures of a request."""
    output = OUTPUTS[name]
    rows = [output.rows_of(seen) for seen in pictures]
    if output.datatype == BYTES:
        return Tensor(name, BYTES, [text for texts in rows for text in texts])
    return Tensor(name, output.datatype, np.concatenate(rows).astype(DTYPES[output.datatype]))
