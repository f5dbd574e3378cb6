"""What can go wrong with a request, in one table for every door, and what keeps a server from starting.

The table is RFC 9457's: a kind has a type, a title and a status; what happened this time goes into the detail, a
sentence that says what was wrong, what was expected and what to do.
"""

import traceback
from dataclasses import dataclass
from typing import Any, Final

# What says so in libraries without an exception of their own for it: onnxruntime's arena, CUDA and Pillow, Linux.
NO_MEMORY_WORDS: Final = ("failed to allocate memory", "out of memory", "cannot allocate memory")


@dataclass(frozen=True)
class ProblemKind:
    """name: last part of the type URI. title: the same words each time. status: of HTTP. grpc: name of its code."""

    name: str
    title: str
    status: int
    grpc: str

    @property
    def type(self) -> str:
        """The URI that identifies the kind, RFC 9457 section 3.1.1."""
        return f"urn:problem-type:mfn:{self.name}"


BAD_PICTURE: Final = ProblemKind("bad-picture", "The picture cannot be decoded", 400, "INVALID_ARGUMENT")
BAD_BODY: Final = ProblemKind("bad-body", "The request body cannot be read", 400, "INVALID_ARGUMENT")
BAD_PARAMETER: Final = ProblemKind("bad-parameter", "A parameter is not valid", 422, "INVALID_ARGUMENT")
UNAUTHENTICATED: Final = ProblemKind("unauthenticated", "The key is missing or wrong", 401, "UNAUTHENTICATED")
NOT_FOUND: Final = ProblemKind("not-found", "There is nothing at this path", 404, "UNIMPLEMENTED")
METHOD_NOT_ALLOWED: Final = ProblemKind("method-not-allowed", "This path has no such method", 405, "UNIMPLEMENTED")
TOO_LARGE: Final = ProblemKind(
    "too-large", "The picture has more bytes or pixels than allowed", 413, "INVALID_ARGUMENT"
)
UNSUPPORTED_MEDIA: Final = ProblemKind("unsupported-media", "The media type is not supported", 415, "INVALID_ARGUMENT")
OVERLOADED: Final = ProblemKind("overloaded", "The queue is full", 429, "RESOURCE_EXHAUSTED")
HEADERS_TOO_LARGE: Final = ProblemKind(
    "headers-too-large", "The headers are more than allowed", 431, "INVALID_ARGUMENT"
)
INTERNAL: Final = ProblemKind("internal", "The server failed", 500, "INTERNAL")
UNAVAILABLE: Final = ProblemKind("unavailable", "The server is loading or draining", 503, "UNAVAILABLE")
NO_MEMORY: Final = ProblemKind("no-memory", "The server has no memory left for this request", 503, "UNAVAILABLE")
DEADLINE_PASSED: Final = ProblemKind("deadline-passed", "The deadline has passed", 504, "DEADLINE_EXCEEDED")

PROBLEM_KINDS: Final = (
    BAD_PICTURE,
    BAD_BODY,
    BAD_PARAMETER,
    UNAUTHENTICATED,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    TOO_LARGE,
    UNSUPPORTED_MEDIA,
    OVERLOADED,
    HEADERS_TOO_LARGE,
    INTERNAL,
    UNAVAILABLE,
    NO_MEMORY,
    DEADLINE_PASSED,
)


class RequestError(Exception):
    """A request that cannot be served. detail: the sentence for its sender. retry_after: seconds, where it helps."""

    def __init__(self, kind: ProblemKind, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after

    def document(self) -> dict[str, Any]:
        """The members of an RFC 9457 problem document."""
        return {"type": self.kind.type, "title": self.kind.title, "status": self.kind.status, "detail": self.detail}


def too_many_bytes(limit: int) -> RequestError:
    """The answer to a picture of more than `limit` bytes."""
    return RequestError(
        TOO_LARGE, f"The picture has more than {limit} bytes, the most allowed. Scale it down or compress it more."
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


class StartError(Exception):
    """A setting or a model file with which the server refuses to start; the message names it."""
