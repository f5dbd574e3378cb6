"""How the C library keeps memory while a network trains on a CPU."""

import ctypes
import sys


def keep_memory() -> None:
    """Makes glibc keep freed memory instead of returning it to the system after every operation.

    Training on a CPU allocates the same hundreds of megabytes each step; without this, half of the time goes into
    page faults.
    """
    if sys.platform == "linux":
        mallopt = ctypes.CDLL(None).mallopt
        trim_threshold, top_pad, mmap_max = -1, -2, -4  # <malloc.h>
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(top_pad, 256 * 2**20)
