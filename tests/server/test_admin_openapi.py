"""The management API is what its description says, whether it is asked as that allows or otherwise."""

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck
from schemathesis import CheckContext, Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from fakes.gateway import RunningGateway
from isthmus.server.admin.openapi import described
from isthmus.server.admin.routes import ADMIN


def no_fault_of_ours(ctx: CheckContext, response: Response, case: schemathesis.Case) -> None:
    """What is switched off or out of reach is said to be; nothing fails by a mistake."""
    assert response.status_code in (501, 503) or response.status_code < 500


ENDLESS = "/admin/logs/stream"
CHECKS = (
    no_fault_of_ours,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
)
REFUSING = schemathesis.Config.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": ["4xx", "5xx"]}}})
"""A body beyond its bound is refused with 413, which is not among the statuses that this tool expects by itself."""
schema = schemathesis.openapi.from_dict(dict(described(ADMIN.rows)), config=REFUSING).exclude(path=ENDLESS)


@schema.parametrize()
@hypothesis.settings(
    max_examples=6, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
def test_every_operation_is_as_described(case: schemathesis.Case, gateway: RunningGateway) -> None:
    case.call_and_validate(base_url=gateway.root, checks=CHECKS)


def test_every_row_is_described_with_its_role() -> None:
    paths = described(ADMIN.rows)["paths"]
    told = {(method, operation["x-role"]) for path in paths.values() for method, operation in path.items()}
    assert {(row.method.lower(), row.role.name.lower()) for row in ADMIN.rows} == told
    assert sum(map(len, paths.values())) == len(ADMIN.rows)


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [one["operationId"] for path in described(ADMIN.rows)["paths"].values() for one in path.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", ADMIN.rows, ids=lambda row: f"{row.method} {row.path}")
def test_every_row_says_what_it_gives(row: object) -> None:
    assert row.gives is not None or row.status == 204  # type: ignore[attr-defined]  # a Row
