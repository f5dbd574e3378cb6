"""What schemathesis makes of the OpenAPI document, sent over loopback: no 500, and answers as documented."""

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from service.server.rest.app import RestApp
from tests.service.server.rest.conftest import running

CHECKED = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="session")
def document(app: RestApp) -> Iterator[OpenApiSchema]:
    with running(app) as client:
        url = str(client.base_url).rstrip("/")
        yield schemathesis.openapi.from_url(f"{url}/openapi.json")


def test_answers_are_as_documented(document: OpenApiSchema) -> None:
    operations = []
    for result in document.get_all_operations():
        assert isinstance(result, Ok), result
        operations.append(result.ok())
    assert {operation.path for operation in operations} >= {"/retarget", "/model", "/livez", "/readyz"}
    for operation in operations:

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(max_examples=60, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck))
        def check(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(checks=CHECKED)

        check()
