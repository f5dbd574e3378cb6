"""Several pictures in one request: one worker looks at them, one after the other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

from service.errors import RequestError, too_many_bytes
from service.inference.options import RetargetOptions
from service.inference.pipeline import RetargetResult
from service.server.base64_text import decode_base64
from service.server.core import Look
from service.settings import Settings
from service.vision.image import decode

MAX_PICTURES: Final = 64  # of a request: some tenths of a second of a worker's time


def decode_texts(texts: Sequence[bytes], name: str) -> list[bytes]:
    """The bytes of pictures that are sent as base64. name: of such a text, as the subject of a sentence.

    Raises RequestError BAD_BODY, which tells of several which one is wrong.
    """
    pictures = []
    for number, text in enumerate(texts, 1):
        with _numbered(number, len(texts)):
            pictures.append(decode_base64(text, name))
    return pictures


def look_at(pictures: list[bytes], options: RetargetOptions, settings: Settings, look: Look) -> list[RetargetResult]:
    """The faces in each of the encoded pictures. Raises RequestError, which tells of several which one is wrong."""
    results = []
    for number, picture in enumerate(pictures, 1):
        with _numbered(number, len(pictures)):
            if len(picture) > settings.max_bytes:
                raise too_many_bytes(settings.max_bytes)
            results.append(look(partial(decode, picture, max_megapixels=settings.max_megapixels), options))
    return results


@contextmanager
def _numbered(number: int, count: int) -> Iterator[None]:
    """A block about one of `count` pictures, whose RequestError tells its number where there are several."""
    try:
        yield
    except RequestError as problem:
        if count == 1:
            raise
        detail = f"Picture {number} of {count}: {problem.detail}"
        raise RequestError(problem.kind, detail, problem.retry_after) from problem
