"""Every route of the process, and whose it is. A route that is not listed here fails, whoever adds it."""

import hashlib
from collections.abc import Mapping, Set

import pytest

from isthmus.engine.clients import Client
from isthmus.server.admin.call import Role, Row
from isthmus.server.endpoints import ENDPOINTS
from isthmus.server.facades import FACADES
from support.administering import ELSEWHERE, OPERATOR, OWNER, VIEWER, Managed, key

CLIENT, ANYONE, SEEN = "a client key", "anyone", "this machine, a client key or an administrator"

AUTHORITY = {
    "/v1/chat/completions": CLIENT,
    "/v1/completions": CLIENT,
    "/v1/responses": CLIENT,
    "/v1/responses/input_tokens": CLIENT,
    "/v1/responses/*": CLIENT,
    "/v1/embeddings": CLIENT,
    "/v1/messages": CLIENT,
    "/v1/messages/count_tokens": CLIENT,
    "/v1/models": CLIENT,
    "/v1/models/*": CLIENT,
    "/v1beta/models": CLIENT,
    "/v1beta/models/*": CLIENT,
    "/v0/explain": CLIENT,
    "/v0/explain/*": CLIENT,
    "/api/chat": CLIENT,
    "/api/generate": CLIENT,
    "/api/embed": CLIENT,
    "/api/embeddings": CLIENT,
    "/api/tags": CLIENT,
    "/api/show": CLIENT,
    "/api/ps": CLIENT,
    "/metrics": SEEN,
    "/": ANYONE,
    "/health": ANYONE,
    "/ready": ANYONE,
    "/api/version": ANYONE,
    "/api/pull": ANYONE,
    "/api/push": ANYONE,
    "/api/create": ANYONE,
    "/api/copy": ANYONE,
    "/api/delete": ANYONE,
    "/api/blobs/*": ANYONE,
}
"""What stands below /ollama as well is listed once. What anyone may have says nothing of the gateway's work."""
SAYS_NO = {("GET", "/v1/responses")}
"""Answered with a plain no, whoever asks."""

MANAGEMENT: Mapping[Role, Set[str]] = {
    Role.VIEWER: {
        "GET /admin/v1/config",
        "GET /admin/v1/providers",
        "GET /admin/v1/logs",
        "GET /admin/status",
        "GET /admin/providers",
        "GET /admin/providers/{name}",
        "GET /admin/models",
        "GET /admin/models/{name...}",
        "GET /admin/keys",
        "GET /admin/keys/{id}",
        "GET /admin/accounts",
        "GET /admin/accounts/{id}",
        "GET /admin/issuers",
        "GET /admin/limits",
        "GET /admin/budgets",
        "GET /admin/rests",
        "GET /admin/losses/{id}",
        "GET /admin/explain/{id}",
        "GET /admin/exchanges",
        "GET /admin/logs",
        "GET /admin/logs/stream",
        "GET /admin/debug",
        "GET /admin/config",
        "GET /admin/config/history",
        "GET /admin/usage",
        "GET /admin/openapi.json",
        "GET /v0/management/config",
        "GET /v0/management/usage",
        "GET /v0/management/api-keys",
        "GET /v0/management/logs",
        "GET /v0/management/debug",
        "GET /v0/management/providers",
        "GET /v0/management/request-retry",
        "GET /v0/management/max-retry-interval",
        "GET /v0/management/request-log",
        "GET /v0/management/logging-to-file",
        "GET /v0/management/usage-statistics-enabled",
        "GET /v0/management/ws-auth",
        "GET /v0/management/quota-exceeded/switch-project",
        "GET /v0/management/quota-exceeded/switch-preview-model",
        "GET /v0/management/proxy-url",
        "GET /accounts",
        "GET /accounts/status",
        "GET /settings/haiku-model",
        "GET /settings/kilo-models",
        "GET /settings/account-strategy",
        "GET /api/logs",
        "GET /api/logs/stream",
        "GET /claude/config",
        "GET /models",
        "GET /providers",
        "GET /status",
    },
    Role.OPERATOR: {
        "POST /admin/v1/config/validate",
        "POST /admin/v1/reload",
        "POST /admin/accounts/{id}/activate",
        "POST /admin/accounts/{id}/refresh",
        "POST /admin/accounts/{id}/enable",
        "POST /admin/accounts/{id}/disable",
        "GET /admin/accounts/{id}/quota",
        "GET /admin/accounts/{id}/usage",
        "GET /admin/accounts/{id}/models",
        "GET /accounts/models",
        "GET /accounts/quota",
        "GET /accounts/quota/all",
        "GET /accounts/usage",
        "DELETE /admin/rests",
        "DELETE /admin/rests/{place...}",
        "DELETE /admin/logs",
        "GET /admin/dumps",
        "GET /admin/dumps/{name}",
        "PUT /admin/debug",
        "POST /admin/reload",
        "DELETE /v0/management/logs",
        "PUT /v0/management/debug",
        "PATCH /v0/management/debug",
        "GET /v0/management/request-error-logs",
        "GET /v0/management/request-error-logs/{name}",
    },
    Role.OWNER: {
        "POST /admin/v1/config",
        "POST /admin/keys",
        "PATCH /admin/keys/{id}",
        "POST /admin/keys/{id}/rotate",
        "DELETE /admin/keys/{id}",
        "POST /admin/accounts",
        "POST /admin/accounts/import",
        "POST /admin/accounts/export",
        "POST /admin/accounts/restore",
        "PATCH /admin/accounts/{id}",
        "DELETE /admin/accounts/{id}",
        "POST /admin/sign-ins",
        "DELETE /admin/sign-ins",
        "GET /admin/sign-ins/{state}",
        "POST /admin/sign-ins/{state}/finish",
        "DELETE /admin/sign-ins/{state}",
        "GET /admin/exchanges/{id}/bodies",
        "GET /admin/audit",
        "PATCH /admin/config",
        "PUT /admin/config/file",
        "GET /admin/config/file",
        "GET /admin/config/history/{number}",
        "GET /v0/management/config.yaml",
        "POST /admin/config/plan",
        "POST /admin/config/history/{number}/restore",
        "PUT /v0/management/config.yaml",
        "PUT /v0/management/api-keys",
        "PATCH /v0/management/api-keys",
        "DELETE /v0/management/api-keys",
        "PUT /v0/management/providers",
        "DELETE /v0/management/providers",
        "PUT /v0/management/request-retry",
        "PATCH /v0/management/request-retry",
        "PUT /v0/management/max-retry-interval",
        "PATCH /v0/management/max-retry-interval",
        "PUT /v0/management/request-log",
        "PATCH /v0/management/request-log",
        "PUT /v0/management/logging-to-file",
        "PATCH /v0/management/logging-to-file",
        "PUT /v0/management/usage-statistics-enabled",
        "PATCH /v0/management/usage-statistics-enabled",
        "PUT /v0/management/ws-auth",
        "PATCH /v0/management/ws-auth",
        "PUT /v0/management/quota-exceeded/switch-project",
        "PATCH /v0/management/quota-exceeded/switch-project",
        "PUT /v0/management/quota-exceeded/switch-preview-model",
        "PATCH /v0/management/quota-exceeded/switch-preview-model",
        "PUT /v0/management/proxy-url",
        "PATCH /v0/management/proxy-url",
        "GET /v0/management/auth-files",
        "POST /v0/management/auth-files",
        "DELETE /v0/management/auth-files",
        "GET /v0/management/auth-files/download",
        "POST /v0/management/vertex/import",
        "POST /v0/management/oauth/start",
        "GET /v0/management/oauth/status/{state}",
        "POST /v0/management/oauth/cancel/{state}",
        "GET /v0/management/oauth-excluded-models",
        "PUT /v0/management/oauth-excluded-models",
        "PATCH /v0/management/oauth-excluded-models",
        "DELETE /v0/management/oauth-excluded-models",
        "POST /accounts/add",
        "POST /accounts/add/manual",
        "POST /accounts/switch",
        "POST /accounts/import",
        "POST /accounts/refresh",
        "POST /accounts/refresh/all",
        "POST /accounts/oauth/cleanup",
        "POST /accounts/{email}/refresh",
        "DELETE /accounts/{email}",
        "GET /auth/callback",
        "POST /settings/haiku-model",
        "POST /settings/account-strategy",
        "POST /claude/config/proxy",
        "POST /claude/config/direct",
        "POST /claude/config/set",
        "POST /providers/{id}",
    },
}
ROWS = [row for facade in FACADES for row in facade.rows]
SECRETS = {Role.OWNER: OWNER, Role.OPERATOR: OPERATOR, Role.VIEWER: VIEWER}


def named(row: Row) -> str:
    return f"{row.method} {row.path}"


def listed(row: Row) -> str:
    """What is served under two paths is listed once."""
    return named(row).replace("/v1/management/", "/v0/management/")


def asked(template: str) -> str:
    """A path that the template matches."""
    return "/".join("x" if part.startswith("{") or part == "*" else part for part in template.split("/"))


def test_every_client_route_is_listed() -> None:
    assert {path.removeprefix("/ollama") for path in ENDPOINTS} == set(AUTHORITY)


def test_every_management_route_is_listed_with_its_role() -> None:
    found = {role: {listed(row) for row in ROWS if row.role is role} for role in Role if role is not Role.ANYONE}
    assert found == MANAGEMENT
    assert not [named(row) for row in ROWS if row.role is Role.ANYONE]


def test_no_management_route_is_hidden_by_a_client_route() -> None:
    assert not [named(row) for row in ROWS if row.method in ENDPOINTS.get(row.path, {})]


def test_what_changes_something_is_kept_in_the_audit_log() -> None:
    """So is who looks at what clients say. What is only planned changes nothing."""
    looking = {"POST /admin/config/plan", "POST /admin/v1/config/validate"}
    assert [named(row) for row in ROWS if row.method != "GET" and not row.audited and named(row) not in looking] == []


def test_no_viewer_changes_anything() -> None:
    assert [named(row) for row in ROWS if (row.audited or row.method != "GET") and row.role < Role.OPERATOR] == []


def guarded() -> Managed:
    managed = Managed(OWNER, OPERATOR, VIEWER, remote=True)
    managed.configure(clients={hashlib.sha256(b"sk-client").digest(): Client("laptop")})
    return managed


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_a_client_route_is_closed_to_who_has_no_key(path: str) -> None:
    whose = AUTHORITY[path.removeprefix("/ollama")]
    for method in ENDPOINTS[path]:
        if (method, path) in SAYS_NO:
            continue
        template = path.replace("/v1beta/models/*", "/v1beta/models/m:generateContent") if method == "POST" else path
        template = template.replace("/v1/models/*", "/v1/models/m:generateContent") if method == "POST" else template
        visit = await guarded().ask(method, asked(template), peer=ELSEWHERE)
        assert (visit.status == 401) == (whose != ANYONE), f"{method} {path} answered {visit.status}"


@pytest.mark.parametrize("row", ROWS, ids=named)
async def test_a_management_route_is_closed_to_who_has_no_secret(row: Row) -> None:
    for headers in ((), ((b"authorization", b"Bearer sk-client"),), (key(b"guess"),)):
        visit = await guarded().ask(row.method, asked(row.path), *headers, peer=ELSEWHERE)
        assert visit.status == 401


@pytest.mark.parametrize("row", [row for row in ROWS if row.role > Role.VIEWER], ids=named)
async def test_a_management_route_is_closed_to_a_role_that_is_too_small(row: Row) -> None:
    for role in Role:
        if Role.ANYONE < role < row.role:
            visit = await guarded().ask(row.method, asked(row.path), key(SECRETS[role]))
            assert visit.status == 403, role


@pytest.mark.parametrize("row", ROWS, ids=named)
async def test_a_management_route_is_closed_to_pages_of_other_origins(row: Row) -> None:
    for header in ((b"origin", b"https://attacker.example.com"), (b"sec-fetch-site", b"cross-site")):
        visit = await guarded().ask(row.method, asked(row.path), key(OWNER), header)
        assert visit.status == 403
        assert b"access-control-allow-origin" not in visit.headers


@pytest.mark.parametrize("row", [row for row in ROWS if row.method != "GET"], ids=named)
async def test_a_management_route_takes_no_body_that_a_page_of_any_origin_could_send(row: Row) -> None:
    """Not even of a program on this machine, where no key is asked for."""
    for kind in (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=b", b""):
        visit = await Managed().ask(row.method, asked(row.path), (b"content-type", kind), body=b"{}")
        assert visit.status == 415, kind


@pytest.mark.parametrize("row", ROWS, ids=named)
async def test_a_management_route_is_closed_to_names_that_were_made_to_lead_here(row: Row) -> None:
    for headers in (
        ((b"host", b"attacker.example.com:8317"),),
        ((b"host", b"attacker.example.com"), (b"origin", b"http://attacker.example.com")),
        ((b"host", b"localhost.attacker.example.com"), (b"sec-fetch-site", b"same-origin")),
        ((b"origin", b"null"),),
    ):
        visit = await Managed().ask(row.method, asked(row.path), *headers)
        assert visit.status in (401, 403)
