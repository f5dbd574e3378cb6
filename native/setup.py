"""Builds the extension, one wheel for every Python from 3.11 on."""

import sys

from setuptools import Extension, setup

# Products and sums are rounded one by one, as Pillow's are, not fused where a processor can.
FLAGS = ["/O2"] if sys.platform == "win32" else ["-O3", "-g0", "-ffp-contract=off"]

setup(
    ext_modules=[
        Extension(
            "mfn_pixels._pixels",
            sources=["src/module.c", "src/means.c", "src/mix.c", "src/resize.c", "src/crop.c"],
            depends=["src/pixels.h"],
            extra_compile_args=FLAGS,
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
