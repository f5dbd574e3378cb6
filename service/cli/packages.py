"""Packages that some commands need beside those that serving does."""

import shlex
import sys


def pip_install(package: str) -> str:
    """The command that installs a package for the Python that runs this program, which need not be the shell's own."""
    return f"{shlex.quote(sys.executable)} -m pip install {package}"
