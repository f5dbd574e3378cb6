"""Fixtures of the service's tests: tiny models and what stands on them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service.inference.models import Models
from service.inference.pipeline import Pipeline
from service.server.workers import Workers
from service.settings import Settings
from tests.service.tiny_models import encoded, write_models


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models that tests only read."""
    folder = tmp_path_factory.mktemp("models")
    write_models(folder)
    return folder


@pytest.fixture
def own_models_dir(tmp_path: Path) -> Path:
    """A folder of models that a test may spoil."""
    write_models(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def settings(models_dir: Path) -> Settings:
    return Settings(models_dir=models_dir, workers=2, queue_length=4, max_bytes=2**20, max_megapixels=4.0)


@pytest.fixture(scope="session")
def models(models_dir: Path) -> Models:
    return Models.load(models_dir)


@pytest.fixture(scope="session")
def models_without_gaze(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """As those before 0.6 are."""
    folder = tmp_path_factory.mktemp("models-without-gaze")
    write_models(folder, gaze=False)
    return Models.load(folder)


@pytest.fixture(scope="session")
def pipeline(models: Models, settings: Settings) -> Pipeline:
    return Pipeline(models, settings)


@pytest.fixture(scope="session")
def workers(settings: Settings) -> Iterator[Workers]:
    workers = Workers(settings.workers, settings.queue_length)
    yield workers
    workers.close()


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """192 x 192: dark, with one bright cell for the tiny MFN, at 96..128 across and 32..64 down."""
    pixels = np.full((192, 192, 3), 40, np.uint8)
    pixels[32:64, 96:128] = 250
    return Image.fromarray(pixels)


@pytest.fixture(scope="session")
def png(photo: Image.Image) -> bytes:
    return encoded(photo, "PNG")
