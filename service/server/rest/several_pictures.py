"""Several pictures in one request: one worker looks at them, one after the other."""

from functools import partial
from typing import Final

from service.errors import RequestError, too_many_bytes
from service.inference.options import RetargetOptions
from service.inference.pipeline import RetargetResult
from service.server.core import Look
from service.settings import Settings
from service.vision.image import decode

MAX_PICTURES: Final = 64  # of a request: some tenths of a second of a worker's time


def look_at(pictures: list[bytes], options: RetargetOptions, settings: Settings, look: Look) -> list[RetargetResult]:
    """The faces in each of the encoded pictures. Raises RequestError, which tells of several which one is wrong."""
    results = []
    for number, picture in enumerate(pictures, 1):
        try:
            if len(picture) > settings.max_bytes:
                raise too_many_bytes(settings.max_bytes)
            results.append(look(partial(decode, picture, max_megapixels=settings.max_megapixels), options))
        except RequestError as problem:
            if len(pictures) == 1:
                raise
            detail = f"Picture {number} of {len(pictures)}: {problem.detail}"
            raise RequestError(problem.kind, detail, problem.retry_after) from problem
    return results
