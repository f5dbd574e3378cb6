import pytest

from service import errors
from service.errors import ProblemKind, RequestError
from service.server.problems import CODES, codes_of, problem_document, problem_type

# Status and code as the public contract gives them for REST and gRPC.
CONTRACT = {
    "bad-picture": (400, "INVALID_ARGUMENT"),
    "bad-body": (400, "INVALID_ARGUMENT"),
    "bad-parameter": (422, "INVALID_ARGUMENT"),
    "unauthenticated": (401, "UNAUTHENTICATED"),
    "request-timeout": (408, "ABORTED"),
    "too-large": (413, "INVALID_ARGUMENT"),
    "unsupported-media": (415, "INVALID_ARGUMENT"),
    "unsupported-encoding": (415, "INVALID_ARGUMENT"),
    "overloaded": (429, "RESOURCE_EXHAUSTED"),
    "unavailable": (503, "UNAVAILABLE"),
    "no-memory": (503, "UNAVAILABLE"),
    "deadline-passed": (504, "DEADLINE_EXCEEDED"),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_kind_has_the_codes_of_the_contract(name: str) -> None:
    (kind,) = (kind for kind in CODES if kind.name == name)
    assert (CODES[kind].http, CODES[kind].grpc) == CONTRACT[name]


def test_kinds_are_told_apart_by_type_and_title() -> None:
    assert len({problem_type(kind) for kind in CODES}) == len({kind.title for kind in CODES}) == len(CODES)


def test_every_kind_has_codes() -> None:
    assert [kind for kind in vars(errors).values() if isinstance(kind, ProblemKind)] == list(CODES)


@pytest.mark.parametrize(
    ("kind", "code"), [(errors.OVERLOADED, 1013), (errors.INTERNAL, 1011), (errors.BAD_PARAMETER, 1008)]
)
def test_streams_close_with_the_codes_of_rfc_6455(kind: ProblemKind, code: int) -> None:
    assert codes_of(RequestError(kind, "")).websocket == code


def test_document_has_the_members_of_rfc_9457() -> None:
    assert problem_document(RequestError(errors.BAD_PICTURE, "No picture. Send one.")) == {
        "type": "urn:problem-type:mfn:bad-picture",
        "title": "The picture cannot be decoded",
        "status": 400,
        "detail": "No picture. Send one.",
    }
