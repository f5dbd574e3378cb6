"""Tensors of the open inference protocol: in its JSON, or behind it as in the extension binary_tensor_data."""

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service.errors import BAD_BODY, RequestError

BYTES: Final = "BYTES"
DTYPES: Final = {"FP32": np.dtype("<f4"), "INT32": np.dtype("<i4")}  # of the protocol's datatypes in binary data
LENGTH: Final = struct.Struct("<I")  # of an element of BYTES, before it
DECIMALS: Final = 6  # of numbers in JSON: as many as float32 has between 1 and 10


@dataclass(frozen=True)
class Tensor:
    """An output. data: an array of the datatype's dtype; of BYTES a list of texts, one a row."""

    name: str
    datatype: str
    data: NDArray[Any] | list[bytes]

    @property
    def description(self) -> dict[str, Any]:
        """Its name, datatype and shape, as JSON types."""
        shape = [len(self.data)] if isinstance(self.data, list) else list(self.data.shape)
        return {"name": self.name, "datatype": self.datatype, "shape": shape}

    def to_list(self) -> list[Any]:
        """Its elements for JSON, flat, in row-major order."""
        if isinstance(self.data, list):
            return [text.decode() for text in self.data]
        # as float64, so that JSON has no trailing float32 digits
        exact = np.round(self.data.astype(np.float64), DECIMALS) if self.datatype == "FP32" else self.data
        elements: list[Any] = exact.ravel().tolist()
        return elements

    def to_bytes(self) -> bytes:
        """Its elements as binary data: in row-major order, texts with their length before them."""
        if isinstance(self.data, list):
            return b"".join(LENGTH.pack(len(text)) + text for text in self.data)
        return self.data.tobytes()


def split_bytes(data: bytes, most: int) -> list[bytes]:
    """The elements of a tensor of BYTES in binary data, the first `most` and one more. Raises RequestError BAD_BODY."""
    elements: list[bytes] = []
    position = 0
    while position < len(data) and len(elements) <= most:
        start = position + LENGTH.size
        position = start + LENGTH.unpack_from(data, position)[0] if start <= len(data) else start
        if position > len(data):
            raise RequestError(
                BAD_BODY,
                "The binary data of the input end within an element. Before each of BYTES its length stands in four "
                "bytes, little-endian.",
            )
        elements.append(data[start:position])
    return elements
