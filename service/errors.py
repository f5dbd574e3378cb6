"""The errors of the service: of requests, by kind, and of the server's start.

A kind has a constant name and title. What happened in one request is in its detail: sentences that tell what was wrong,
what was expected and what to do. service.server.problems maps the kinds to the codes of each transport.
"""

import traceback
from dataclasses import dataclass
from typing import Final

# Messages of libraries that have no exception type for a lack of memory: onnxruntime with and without its arena, CUDA
# and Pillow, Linux.
NO_MEMORY_WORDS: Final = ("failed to allocate memory", "bad_alloc", "out of memory", "cannot allocate memory")


@dataclass(frozen=True)
class ProblemKind:
    """A kind of failure. name: short and stable, for programs. title: constant, for people."""

    name: str
    title: str


BAD_PICTURE: Final = ProblemKind("bad-picture", "The picture cannot be decoded")
BAD_REQUEST: Final = ProblemKind("bad-request", "The request is not HTTP/1.1")
BAD_BODY: Final = ProblemKind("bad-body", "The request body cannot be read")
BAD_PARAMETER: Final = ProblemKind("bad-parameter", "A parameter is not valid")
UNAUTHENTICATED: Final = ProblemKind("unauthenticated", "The key is missing or wrong")
ORIGIN_REFUSED: Final = ProblemKind("origin-refused", "Pages of this origin may not ask")
NOT_FOUND: Final = ProblemKind("not-found", "There is nothing at this path")
METHOD_NOT_ALLOWED: Final = ProblemKind("method-not-allowed", "This path has no such method")
NOT_ACCEPTABLE: Final = ProblemKind("not-acceptable", "The request accepts no form that there is")
REQUEST_TIMEOUT: Final = ProblemKind("request-timeout", "The request came too slowly")
TOO_LARGE: Final = ProblemKind("too-large", "The picture has more bytes or pixels than allowed")
UNSUPPORTED_MEDIA: Final = ProblemKind("unsupported-media", "The media type is not supported")
UNSUPPORTED_ENCODING: Final = ProblemKind("unsupported-encoding", "The content encoding is not supported")
RANGE_NOT_SATISFIABLE: Final = ProblemKind("range-not-satisfiable", "The file has no such bytes")
OVERLOADED: Final = ProblemKind("overloaded", "The server has no room for more")
HEADERS_TOO_LARGE: Final = ProblemKind("headers-too-large", "The headers are more than allowed")
INTERNAL: Final = ProblemKind("internal", "The server failed")
UNAVAILABLE: Final = ProblemKind("unavailable", "The server is loading or draining")
NO_MEMORY: Final = ProblemKind("no-memory", "The server has no memory left for this request")
DEADLINE_PASSED: Final = ProblemKind("deadline-passed", "The deadline has passed")


class RequestError(Exception):
    """A request that cannot be served.

    detail: sentences for the client. retry_after: seconds until a retry may succeed, None where a retry does not help.
    """

    def __init__(self, kind: ProblemKind, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after


class StartError(Exception):
    """A setting or a model file with which the server refuses to start; the message names it."""


def out_of_range(name: str, value: float, low: float, high: float) -> RequestError:
    """The error of a parameter whose value is not within low..high, both included."""
    shown = value if isinstance(value, int) else f"{value:g}"
    return RequestError(BAD_PARAMETER, f"The parameter {name} is {shown}; expected a number from {low:g} to {high:g}.")


def too_many_bytes(limit: int) -> RequestError:
    """The error of a picture of more than `limit` bytes."""
    return RequestError(
        TOO_LARGE, f"The picture has more than {limit} bytes, the most allowed. Scale it down or compress it more."
    )


def deadline_passed(seconds: float) -> RequestError:
    """The error of a request that was not finished within `seconds`."""
    return RequestError(
        DEADLINE_PASSED,
        f"No answer after {seconds:g} s, the most that a picture may take. "
        "Send a smaller picture, or send it again when the server is less busy.",
    )


def internal_failure() -> RequestError:
    """The error of a request that failed through the server's own fault; the cause is only in its log."""
    return RequestError(
        INTERNAL, "The server could not finish this request; the error is in its log. Others are served as before."
    )


def lacks_memory(error: Exception) -> bool:
    """Whether an error was raised for lack of memory; onnxruntime and Pillow's decoders tell it only in the message."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in NO_MEMORY_WORDS)


def memory_problem(error: Exception) -> RequestError | None:
    """The error of a request that failed for lack of memory; None where it failed for another reason.

    Clears the frames of the traceback, so that what they hold is freed now, not when the garbage collector finds the
    reference cycle.
    """
    if not lacks_memory(error):
        return None
    traceback.clear_frames(error.__traceback__)
    return RequestError(
        NO_MEMORY,
        "The server has no memory left for this request. Send it again a little later, or send a smaller picture.",
        retry_after=1,
    )
