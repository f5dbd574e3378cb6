"""The command line. Each command has a file, with its arguments and the function that runs it."""

import os

# Before NumPy is loaded: by default its OpenBLAS starts a thread for every core of the machine, whatever the quota.
# None of our products is large enough for two.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
