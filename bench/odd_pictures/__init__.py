"""Some 400 odd pictures, made by programs: files as cameras, phones, browsers and editors write them, and damaged ones.

They are the same at each run but for what the encoders of Pillow and OpenCV make of them.
"""

from bench.odd_pictures import avif, jpeg, others, png, webp
from bench.odd_pictures.picture import OddPicture


def all_pictures() -> list[OddPicture]:
    """All of them; no two have the same name."""
    return [*jpeg.pictures(), *png.pictures(), *webp.pictures(), *avif.pictures(), *others.pictures()]
