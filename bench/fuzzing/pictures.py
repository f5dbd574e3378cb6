"""Picture files of every accepted format, and files made of them by mutation."""

from io import BytesIO

import numpy as np
from hypothesis import strategies as st
from PIL import Image

SIZE = (48, 32)
MAX_MUTATIONS = 8
MAX_INSERTED = 64  # bytes


def seeds() -> list[bytes]:
    """Small valid files: baseline and progressive JPEG, PNG of several colour modes, WebP, AVIF."""
    noise = np.random.default_rng(7).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)
    colour = Image.fromarray(noise)
    exif = Image.Exif()
    exif[0x0112] = 6
    files: list[bytes] = []

    def add(image: Image.Image, kind: str, **options: object) -> None:
        buffer = BytesIO()
        image.save(buffer, kind, **options)
        files.append(buffer.getvalue())

    add(colour, "JPEG", exif=exif)
    add(colour, "JPEG", progressive=True)
    add(colour.convert("CMYK"), "JPEG")
    for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "I;16"):
        add(colour.convert("L").convert(mode) if mode == "I;16" else colour.convert(mode), "PNG", exif=exif)
    add(colour, "WEBP", exif=exif)
    add(colour.convert("RGBA"), "WEBP", lossless=True)
    add(colour, "AVIF")
    return files


@st.composite
def mutated(draw: st.DrawFn, files: list[bytes]) -> bytes:
    """A file with some of its bytes changed, cut out, repeated, or replaced by those of another file."""
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(0, MAX_MUTATIONS))):
        position = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(["change", "number", "cut", "truncate", "insert", "repeat", "splice"]))
        if kind == "change" and data:
            data[position] = draw(st.integers(0, 255))
        elif kind == "number":  # lengths and sizes are where decoders trust a file
            data[position : position + 4] = draw(
                st.sampled_from([b"\0" * 4, b"\xff" * 4, b"\x7f" + b"\xff" * 3, b"\0\0\0\1"])
            )
        elif kind == "cut":
            del data[position : position + draw(st.integers(1, MAX_INSERTED))]
        elif kind == "truncate":
            del data[position:]
        elif kind == "insert":
            data[position:position] = draw(st.binary(max_size=MAX_INSERTED))
        elif kind == "repeat":
            data[position:position] = data[position : position + draw(st.integers(1, MAX_INSERTED))]
        else:
            data[position:] = draw(st.sampled_from(files))[position:]
    return bytes(data)
