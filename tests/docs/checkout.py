"""A checkout as the pages expect it: what the repository has, and the films and photos that their commands name."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import av
from PIL import Image

from tests.docs.pages import ROOT
from tests.service.cli.capture.films import write_film

FILM: Final = Path("studio/film/faces.webm")
FRAMES: Final = 3  # of the film that is captured
CAPTURED_RATE: Final = 5  # frames a second: a capture leaves out who is seen for less than half a second
WATCHED_RATE: Final = 30  # frames a second: avatars are sent them in real time
FILMS: Final = {"capture": "scene.mp4", "watch": "clip.mp4"}  # by what is done with them; a camera's stand-ins, too
PHOTOS: Final = ("group.jpg", "pictures/1.jpg", "pictures/2.jpg", "pictures/3.jpg")
SIDE: Final = 192  # pixels of the photos
OWN: Final = {"studio", "node_modules", "build", "dist", "site"}  # made anew, or made by builds


@dataclass(frozen=True)
class Checkout:
    """folder: in which commands run. http, grpc: HOST:PORT of a server that runs."""

    folder: Path
    http: str
    grpc: str


def write_checkout(folder: Path, films: Path) -> None:
    """Makes the folder. Of the repository it has links, so commands may write only beside what is there.

    films: where write_films has written.
    """
    for entry in ROOT.iterdir():
        if entry.name not in OWN and not entry.name.startswith("."):
            (folder / entry.name).symlink_to(entry)
    (folder / FILM).parent.mkdir(parents=True)
    for entry in (ROOT / "studio").iterdir():
        if entry.name not in {"film", "build"}:
            (folder / "studio" / entry.name).symlink_to(entry)
    for name in (FILM, FILMS["capture"], "rest.mp4"):
        (folder / name).symlink_to(films / FILMS["capture"])
    (folder / FILMS["watch"]).symlink_to(films / FILMS["watch"])
    (folder / "pictures").mkdir()
    for name in PHOTOS:
        (folder / name).symlink_to(films / "photo.jpg")


def write_films(folder: Path) -> None:
    """The first frames of the Studio's film, which has two people, to capture and to watch; and a photo."""
    with av.open(str(ROOT / FILM)) as film:
        pictures = [frame.to_ndarray(format="rgb24") for frame in islice(film.decode(video=0), FRAMES)]
    write_film(folder / FILMS["capture"], pictures, CAPTURED_RATE)
    smaller = [picture[::2, ::2] for picture in pictures[:2]]
    write_film(folder / FILMS["watch"], smaller, WATCHED_RATE)
    Image.open(ROOT / "docs/astronaut.jpg").resize((SIDE, SIDE)).save(folder / "photo.jpg")
