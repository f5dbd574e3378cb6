"""Files that are no picture that is decoded."""

import gzip
import json
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO

from bench.odd_pictures.avif import box
from bench.odd_pictures.picture import OddPicture, encoded, scene
from service.errors import BAD_PICTURE


def files() -> dict[str, bytes]:
    """Files by the word that names their format in the error."""
    image = scene(30, 20)
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("picture.jpg", encoded(image, "JPEG"))
    return {
        "0 bytes": b"",
        "GIF": encoded(image, "GIF"),
        "BMP": encoded(image, "BMP"),
        "TIFF": encoded(image, "TIFF"),
        "JPEG 2000": encoded(image, "JPEG2000"),
        "ICO": encoded(image, "ICO"),
        "PDF": encoded(image, "PDF"),
        "HEIC": box(b"ftyp", b"heic", bytes(4), b"mif1heic") + box(b"meta", bytes(100)),
        "JPEG XL": b"\xff\x0a" + bytes(100),
        "PSD": b"8BPS\0\1" + bytes(100),
        "SVG": b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
        "HTML": b"<!DOCTYPE html><html><title>404</title></html>",
        "XML": b'<?xml version="1.0"?><error>no such picture</error>',
        "JSON": json.dumps({"image": "..."}).encode(),
        "plain text": b"There is no such picture here.\n",
        "base64": b64encode(encoded(image, "JPEG")),
        "video (MP4": box(b"ftyp", b"isom", bytes(4), b"isommp42") + box(b"free", bytes(100)),
        "video (WebM": b"\x1a\x45\xdf\xa3" + bytes(100),
        "ZIP": archive.getvalue(),
        "gzip": gzip.compress(encoded(image, "JPEG")),
        "not a picture": b"\1\2\3" * 1000,
    }


def pictures() -> Iterator[OddPicture]:
    """All of them."""
    for name, data in files().items():
        yield OddPicture(f"other {name}", data, refused=BAD_PICTURE)
    for name, data in {
        "heix": box(b"ftyp", b"heix", bytes(4), b"mif1heix"),
        "mif1": box(b"ftyp", b"mif1", bytes(4), b"mif1heic"),
        "a JPEG after two zeros": b"\0\0" + encoded(scene(30, 20), "JPEG"),
        "zeros": bytes(5000),
        "one byte": b"\xff",
        "base64 of PNG": b64encode(encoded(scene(30, 20), "PNG")),
        "a data URL": b"data:image/png;base64," + b64encode(encoded(scene(30, 20), "PNG")),
    }.items():
        yield OddPicture(f"other {name}", data, refused=BAD_PICTURE)
