"""A real server on loopback, as the gRPC door's own tests have it."""

import pytest

from tests.service.conftest import models, models_dir, photo, pipeline, png, settings, workers
from tests.service.server.grpc.conftest import Running, door, local, serve

__all__ = ["door", "local", "models", "models_dir", "photo", "pipeline", "png", "serve", "settings", "workers"]


@pytest.fixture
def address(door: Running) -> str:
    return f"127.0.0.1:{door.port}"
