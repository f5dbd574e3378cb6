"""The files of the Studio: which there are, as what they are sent, and what tells their versions apart.

They are listed once, at the start. A request names one of the list or gets 404, so that none leads out of the folders.
"""

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from service.server.rest.media_types import JSON, OCTET_STREAM

INDEX: Final = "index.html"
# The networks of the local mode, and the face model, whose mesh is drawn over the picture.
# Those of a server whose MFN_MODELS_DIR is its own are not given away.
MODELS: Final = ("face_model.npz", "manifest.json", "mfn.int8.onnx", "sfn.int8.onnx")
MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".glb": "model/gltf-binary",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": JSON,
    ".mjs": "text/javascript",
    ".onnx": OCTET_STREAM,
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webm": "video/webm",
}
# Worth compressing; the rest is compressed already, or loses less than a tenth.
COMPRESSIBLE: Final = frozenset({".css", ".glb", ".html", ".js", ".json", ".mjs", ".svg", ".txt"})
STORED_CODINGS: Final = {".br": "br", ".gz": "gzip"}  # of files that are stored compressed, by the end of their name
DIGITS: Final = 32  # of a digest, which is in headers: 128 bits
GZIP_LEVEL: Final = 4  # a third of a character of 2.8 MB in 0.09 s; level 9 takes 17 times as long for 7 % less
# Vite puts a hash of the content into the names of scripts and styles. Others keep their address when they change.
HASHED: Final = re.compile(r"assets/.+-[\w-]{8}\.(js|css)")
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_EACH_TIME: Final = "no-cache"  # whether it has changed


@dataclass(frozen=True)
class StudioFile:
    """A file that is served. coding: the Content-Encoding in which it is stored; "" for none."""

    path: Path
    media_type: str
    cache_control: str
    coding: str = ""

    @cached_property
    def digest(self) -> str:
        """Of its content, as it is stored."""
        with self.path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()[:DIGITS]

    @property
    def compressible(self) -> bool:
        """Whether it is sent in gzip to those who accept it."""
        return self.path.suffix in COMPRESSIBLE

    @cached_property
    def gzipped(self) -> bytes:
        """Its content in gzip; kept, as it is a part of the file's size."""
        return gzip.compress(self.path.read_bytes(), GZIP_LEVEL, mtime=0)


def studio_files(studio: Path, models: Path) -> dict[str, StudioFile]:
    """The files by their paths below /studio/, the page itself under "". Empty where the page is not built.

    studio: its folder. models: of the published networks.
    """
    built = studio / "dist"
    if not (built / INDEX).is_file():
        return {}
    found = {_name(path.relative_to(built)): path for path in _files(built)}
    found |= {f"characters/{path.name}": path for path in (studio / "characters").glob("*.glb")}
    found |= {f"film/{path.name}": path for path in (studio / "film").glob("*.webm")}
    found |= {f"models/{name}": models / name for name in MODELS if (models / name).is_file()}
    return {name: _studio_file(name, path) for name, path in found.items()}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _name(path: Path) -> str:
    """The address of a file of the built page."""
    name = path.as_posix()
    return "" if name == INDEX else name.removesuffix(path.suffix) if path.suffix in STORED_CODINGS else name


def _studio_file(name: str, path: Path) -> StudioFile:
    return StudioFile(
        path,
        MEDIA_TYPES.get(Path(name or INDEX).suffix, OCTET_STREAM),
        FOR_EVER if HASHED.fullmatch(name) else ASK_EACH_TIME,
        STORED_CODINGS.get(path.suffix, ""),
    )
