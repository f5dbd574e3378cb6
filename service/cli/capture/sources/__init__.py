"""What is captured: a film, a folder of pictures, a camera."""

from fractions import Fraction
from pathlib import Path

from service.cli.capture.sources.camera import Camera, is_camera
from service.cli.capture.sources.film_file import FilmFile
from service.cli.capture.sources.folder import PictureFolder
from service.cli.capture.sources.source import DEFAULT_RATE, Source


def open_source(source: str, rate: Fraction | None = None) -> Source:
    """Opens a camera, by its number, device or address; a folder of pictures; or a film, by its file or address.

    rate: frames a second of pictures, None for 30. Raises VideoError.
    """
    if is_camera(source):
        return Camera(source)
    if Path(source).is_dir():
        return PictureFolder(Path(source), rate or DEFAULT_RATE)
    return FilmFile(source)
