"""The application with the published models, as the documents have it."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.server.rest.app import RestApp
from service.server.state import ServerState
from service.server.workers import Workers
from service.settings import Settings


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    settings = Settings()
    workers = Workers(1, 1)
    app = RestApp(ServerState(settings, Pipeline(Models.load(settings.models_dir), settings), workers))
    with TestClient(app, base_url="http://localhost:8000") as client:
        yield client
    workers.close()
