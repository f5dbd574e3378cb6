"""Where the folders are that come with this code, as `models` and `studio`."""

from pathlib import Path


def published(name: str) -> Path:
    """The folder of this name: inside the package where it is installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name
