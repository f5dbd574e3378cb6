"""Tensors of the open inference protocol: in its JSON, or behind it as in the extension binary_tensor_data."""

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from service.errors import BAD_BODY, RequestError

BYTES: Final = "BYTES"
DATATYPES: Final = {np.dtype(np.float32): "FP32", np.dtype(np.int32): "INT32"}  # the protocol's names
LENGTH: Final = struct.Struct("<I")  # of an element of BYTES, before it
DECIMALS: Final = 6  # of numbers in JSON: as many as float32 has between 1 and 10


@dataclass(frozen=True)
class Tensor:
    """An output. data: (rows, ...) float32 or int32; or a list of texts, one a row."""

    name: str
    data: NDArray[Any] | list[bytes]

    @property
    def description(self) -> dict[str, Any]:
        """Its name, datatype and shape, as JSON types."""
        if isinstance(self.data, list):
            return {"name": self.name, "datatype": BYTES, "shape": [len(self.data)]}
        return {"name": self.name, "datatype": DATATYPES[self.data.dtype], "shape": list(self.data.shape)}

    def to_list(self) -> list[Any]:
        """Its elements for JSON, flat, in row-major order."""
        if isinstance(self.data, list):
            return [text.decode() for text in self.data]
        # as float64, so that JSON has no trailing float32 digits
        exact = self.data if self.data.dtype == np.int32 else np.round(self.data.astype(np.float64), DECIMALS)
        elements: list[Any] = exact.ravel().tolist()
        return elements

    def to_bytes(self) -> bytes:
        """Its elements as binary data: little-endian in row-major order, texts with their length before them."""
        if isinstance(self.data, list):
            return b"".join(LENGTH.pack(len(text)) + text for text in self.data)
        return self.data.astype(self.data.dtype.newbyteorder("<")).tobytes()


def split_bytes(data: bytes, most: int) -> list[bytes]:
    """The elements of a tensor of BYTES in binary data. most: number of them, at most. Raises RequestError BAD_BODY."""
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
