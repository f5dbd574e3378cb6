"""Answers as JSON, problems as RFC 9457 documents, and how OpenAPI describes them."""

from typing import Any, Final

from pydantic_core import to_json
from starlette.responses import Response

from service import errors
from service.errors import ProblemKind, RequestError
from service.server import schema
from service.server.rest.body import JSON

PROBLEM_TYPE: Final = "application/problem+json"


def json_response(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    text = to_json(document, inf_nan_mode="null")  # five times as fast as json.dumps
    return Response(text, media_type=JSON, headers=headers)


def problem_response(problem: RequestError, headers: dict[str, str] | None = None) -> Response:
    headers = dict(headers or {})
    if problem.kind is errors.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    return Response(
        to_json(problem.document()), status_code=problem.kind.status, media_type=PROBLEM_TYPE, headers=headers
    )


def documented(*kinds: ProblemKind) -> dict[int | str, dict[str, Any]]:
    """The problems of a path, for OpenAPI, which has one entry for each status."""
    titles: dict[int | str, list[str]] = {}
    for kind in kinds:
        titles.setdefault(kind.status, []).append(kind.title)
    return {
        status: {
            "description": "; or: ".join(named),
            "content": {PROBLEM_TYPE: {"schema": schema.ProblemDocument.model_json_schema()}},
        }
        for status, named in titles.items()
    }
