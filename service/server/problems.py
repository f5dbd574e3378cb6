"""The codes of each kind of failure in REST, gRPC and WebSocket, and RFC 9457's problem documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from service import errors
from service.errors import ProblemKind, RequestError

# Close codes of WebSocket streams, RFC 6455 section 7.4.1; TRY_AGAIN_LATER is IANA's.
POLICY_VIOLATION, SERVER_FAILURE, TRY_AGAIN_LATER = 1008, 1011, 1013


@dataclass(frozen=True)
class Codes:
    """The codes of a kind of failure.

    http: status. grpc: name of the status code. websocket: close code of a stream that ends with the failure.
    """

    http: int
    grpc: str
    websocket: int = POLICY_VIOLATION


CODES: Final[Mapping[ProblemKind, Codes]] = MappingProxyType(
    {
        errors.BAD_PICTURE: Codes(400, "INVALID_ARGUMENT"),
        errors.BAD_REQUEST: Codes(400, "INVALID_ARGUMENT"),
        errors.BAD_BODY: Codes(400, "INVALID_ARGUMENT"),
        errors.BAD_PARAMETER: Codes(422, "INVALID_ARGUMENT"),
        errors.UNAUTHENTICATED: Codes(401, "UNAUTHENTICATED"),
        errors.ORIGIN_REFUSED: Codes(403, "PERMISSION_DENIED"),
        errors.NOT_FOUND: Codes(404, "UNIMPLEMENTED"),
        errors.METHOD_NOT_ALLOWED: Codes(405, "UNIMPLEMENTED"),
        errors.NOT_ACCEPTABLE: Codes(406, "UNIMPLEMENTED"),
        errors.REQUEST_TIMEOUT: Codes(408, "ABORTED"),
        errors.TOO_LARGE: Codes(413, "INVALID_ARGUMENT"),
        errors.UNSUPPORTED_MEDIA: Codes(415, "INVALID_ARGUMENT"),
        errors.UNSUPPORTED_ENCODING: Codes(415, "INVALID_ARGUMENT"),
        errors.RANGE_NOT_SATISFIABLE: Codes(416, "OUT_OF_RANGE"),
        errors.OVERLOADED: Codes(429, "RESOURCE_EXHAUSTED", TRY_AGAIN_LATER),
        errors.HEADERS_TOO_LARGE: Codes(431, "INVALID_ARGUMENT"),
        errors.INTERNAL: Codes(500, "INTERNAL", SERVER_FAILURE),
        errors.UNAVAILABLE: Codes(503, "UNAVAILABLE", TRY_AGAIN_LATER),
        errors.NO_MEMORY: Codes(503, "UNAVAILABLE", TRY_AGAIN_LATER),
        errors.DEADLINE_PASSED: Codes(504, "DEADLINE_EXCEEDED"),
    }
)


def codes_of(problem: RequestError) -> Codes:
    """The codes of a failure's kind."""
    return CODES[problem.kind]


def problem_type(kind: ProblemKind) -> str:
    """The URI that identifies the kind, RFC 9457 section 3.1.1."""
    return f"urn:problem-type:mfn:{kind.name}"


def problem_document(problem: RequestError) -> dict[str, Any]:
    """The problem document (RFC 9457) of an error, as JSON types."""
    kind = problem.kind
    return {"type": problem_type(kind), "title": kind.title, "status": CODES[kind].http, "detail": problem.detail}
