"""Fixtures of the tests of live streams."""

import pytest

from service.inference.models import Models
from tests.service.tracking.blobs import World


@pytest.fixture
def world(models: Models) -> World:
    """Blobs for faces, and networks that see them without error."""
    return World.of(models)
