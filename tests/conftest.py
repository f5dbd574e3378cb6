"""What holds for all tests: no settings of this machine's environment, and no deadlines on property tests."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from service.vision.resampling import by_pillow

# How long an example takes is the machine's affair; speed is measured in bench/.
settings.register_profile("mfn", deadline=None)
settings.register_profile("few-examples", deadline=None, max_examples=10)  # where the same code is tested once more
settings.load_profile("mfn")


@pytest.fixture(autouse=True)
def default_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests start from the default settings, whatever MFN_* variables are set outside."""
    for name in list(os.environ):
        if name.startswith("MFN_"):
            monkeypatch.delenv(name)


@pytest.fixture
def resampled_by_pillow() -> Iterator[None]:
    """Pictures are resampled by Pillow, as those of reference answers were, whatever else is installed."""
    with by_pillow():
        yield
