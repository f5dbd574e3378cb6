from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def mobile() -> Path:
    """The folder of what phones need."""
    return ROOT / "models" / "mobile"
