"""What a set of calibration pictures must be: ranges of 8 bits are taken from what a network makes of them."""

import numpy as np

LEAST_CONTRAST = 100  # grey levels between the darkest and the brightest value of a set; of any photo it is above 200


def check_pictures(pictures: np.ndarray, side: int) -> None:
    """Raises ValueError where pictures cannot calibrate a network of square inputs of `side` pixels.

    pictures: (N, side, side, 3) uint8, N at least 1. Single ones may be blank, but not all of them.
    """
    wanted = f"calibration needs uint8 pictures (N, {side}, {side}, 3)"
    if not isinstance(pictures, np.ndarray):
        raise ValueError(f"{wanted}, not {type(pictures).__name__}")
    if pictures.dtype != np.uint8:
        raise ValueError(f"{wanted}; these are {pictures.dtype}. Give grey levels 0 to 255, not normalised ones")
    if pictures.ndim != 4 or pictures.shape[1:] != (side, side, 3):
        raise ValueError(f"{wanted}; these are {pictures.shape}. Give RGB pictures, cut or scaled to that size")
    if not len(pictures):
        raise ValueError(f"{wanted}, but there is none. Give some dozens that look like what the network will see")
    darkest, brightest = int(pictures.min()), int(pictures.max())
    if brightest - darkest < LEAST_CONTRAST:
        kind = "every pixel is" if darkest == brightest else "all values lie within"
        values = f"{darkest}" if darkest == brightest else f"{darkest} to {brightest}"
        raise ValueError(
            f"calibration needs pictures that show something: on the {len(pictures)} given {kind} {values}. The ranges "
            f"of a network's activations cannot be learned from them; give photos or drawings of faces, of at least "
            f"{LEAST_CONTRAST} grey levels of contrast"
        )
