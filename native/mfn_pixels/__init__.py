"""Resampling of 8-bit pixels as Pillow does it, byte for byte, compiled; where NumPy's arrays lie."""

from mfn_pixels._pixels import block_means, crop, mix, resize

__all__ = ["block_means", "crop", "mix", "resize"]
