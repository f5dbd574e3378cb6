"""What can go wrong: with a request, by kind, and with the start of the server.

A kind has a name and a title, the same words each time; what happened this time goes into the detail, a sentence that
says what was wrong, what was expected and what to do. How each transport tells a kind is in service.server.problems.
"""

import traceback
from dataclasses import dataclass
from typing import Final

# What says so in libraries without an exception of their own for it: onnxruntime's arena, CUDA and Pillow, Linux.
NO_MEMORY_WORDS: Final = ("failed to allocate memory", "out of memory", "cannot allocate memory")


@dataclass(frozen=True)
class ProblemKind:
    """A kind of failure. name: short and stable, for programs. title: for people, the same words each time."""

    name: str
    title: str


BAD_PICTURE: Final = ProblemKind("bad-picture", "The picture cannot be decoded")
BAD_BODY: Final = ProblemKind("bad-body", "The request body cannot be read")
BAD_PARAMETER: Final = ProblemKind("bad-parameter", "A parameter is not valid")
UNAUTHENTICATED: Final = ProblemKind("unauthenticated", "The key is missing or wrong")
NOT_FOUND: Final = ProblemKind("not-found", "There is nothing at this path")
METHOD_NOT_ALLOWED: Final = ProblemKind("method-not-allowed", "This path has no such method")
TOO_LARGE: Final = ProblemKind("too-large", "The picture has more bytes or pixels than allowed")
UNSUPPORTED_MEDIA: Final = ProblemKind("unsupported-media", "The media type is not supported")
OVERLOADED: Final = ProblemKind("overloaded", "The queue is full")
HEADERS_TOO_LARGE: Final = ProblemKind("headers-too-large", "The headers are more than allowed")
INTERNAL: Final = ProblemKind("internal", "The server failed")
UNAVAILABLE: Final = ProblemKind("unavailable", "The server is loading or draining")
NO_MEMORY: Final = ProblemKind("no-memory", "The server has no memory left for this request")
DEADLINE_PASSED: Final = ProblemKind("deadline-passed", "The deadline has passed")


class RequestError(Exception):
    """A request that cannot be served. detail: the sentence for its sender. retry_after: seconds, where it helps."""

    def __init__(self, kind: ProblemKind, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after


class StartError(Exception):
    """A setting or a model file with which the server refuses to start; the message names it."""


def out_of_range(name: str, value: float, low: float, high: float) -> RequestError:
    """The answer to a parameter whose value is not within low..high, both included."""
    shown = value if isinstance(value, int) else f"{value:g}"
    return RequestError(BAD_PARAMETER, f"The parameter {name} is {shown}; expected a number from {low:g} to {high:g}.")


def too_many_bytes(limit: int) -> RequestError:
    """The answer to a picture of more than `limit` bytes."""
    return RequestError(
        TOO_LARGE, f"The picture has more than {limit} bytes, the most allowed. Scale it down or compress it more."
    )


def deadline_passed(seconds: float) -> RequestError:
    """The answer to a picture that was not answered within `seconds`."""
    return RequestError(
        DEADLINE_PASSED,
        f"No answer after {seconds:g} s, the most that a picture may take. "
        "Send a smaller picture, or send it again when the server is less busy.",
    )


def internal_failure() -> RequestError:
    """The answer to a request that failed for a reason that is the server's own, which only its log tells."""
    return RequestError(
        INTERNAL, "The server could not finish this request; the error is in its log. Others are served as before."
    )


def lacks_memory(error: Exception) -> bool:
    """Whether it was raised for want of memory; onnxruntime and Pillow's decoders say so in words alone."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in NO_MEMORY_WORDS)


def memory_problem(error: Exception) -> RequestError | None:
    """The answer to a request that failed for want of memory; None where it failed for something else.

    What the failed calls held is let go of at once, not whenever the traceback's reference cycle is found.
    """
    if not lacks_memory(error):
        return None
    traceback.clear_frames(error.__traceback__)
    return RequestError(
        NO_MEMORY,
        "The server has no memory left for this request. Send it again a little later, or send a smaller picture.",
        retry_after=1,
    )
