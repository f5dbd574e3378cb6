import pytest

from service.errors import BAD_PICTURE, PROBLEM_KINDS, RequestError, too_many_bytes

# Status and code as the public contract gives them for both doors.
CONTRACT = {
    "bad-picture": (400, "INVALID_ARGUMENT"),
    "bad-body": (400, "INVALID_ARGUMENT"),
    "bad-parameter": (422, "INVALID_ARGUMENT"),
    "unauthenticated": (401, "UNAUTHENTICATED"),
    "too-large": (413, "INVALID_ARGUMENT"),
    "unsupported-media": (415, "INVALID_ARGUMENT"),
    "overloaded": (429, "RESOURCE_EXHAUSTED"),
    "unavailable": (503, "UNAVAILABLE"),
    "deadline-passed": (504, "DEADLINE_EXCEEDED"),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_kind_has_the_codes_of_the_contract(name: str) -> None:
    (kind,) = (kind for kind in PROBLEM_KINDS if kind.name == name)
    assert (kind.status, kind.grpc) == CONTRACT[name]


def test_kinds_are_told_apart_by_type_and_title() -> None:
    assert (
        len({kind.type for kind in PROBLEM_KINDS}) == len({kind.title for kind in PROBLEM_KINDS}) == len(PROBLEM_KINDS)
    )


def test_document_has_the_members_of_rfc_9457() -> None:
    assert RequestError(BAD_PICTURE, "No picture. Send one.").document() == {
        "type": "urn:problem-type:mfn:bad-picture",
        "title": "The picture cannot be decoded",
        "status": 400,
        "detail": "No picture. Send one.",
    }


def test_too_many_bytes_names_the_limit() -> None:
    assert "1234 bytes" in too_many_bytes(1234).detail
