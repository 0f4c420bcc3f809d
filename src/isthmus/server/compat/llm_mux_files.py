"""llm-mux's files of accounts: each account is listed as one, taken in as one, and forgotten as one.

There are no such files here, so none is given out: what would stand in them are tokens in clear.
"""

from collections.abc import Mapping
from typing import Any, NoReturn

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.engine.accounts import Account, AccountState, Tokens
from isthmus.server.admin.account_shapes import date_of
from isthmus.server.admin.accounts import all_accounts, find_account
from isthmus.server.admin.call import AdminCall
from isthmus.server.admin.desk import Desk, accounts_of
from isthmus.server.admin.forms import is_form, read_form
from isthmus.server.admin.times import as_date
from isthmus.server.compat.llm_mux_oauth import issuer_of
from isthmus.server.compat.sections import decoded, said
from isthmus.wire import json

CODEX, GOOGLE = "codex", "google-service-account"
STATUSES: Mapping[AccountState, str] = {
    AccountState.READY: "active",
    AccountState.REVOKED: "error",
    AccountState.DISABLED: "disabled",
}
LOCATION = "us-central1"
"""What it tells where nobody said another."""
_EVERYTHING = ("true", "1", "*")
_FILE = "this file holds no account: send Codex's auth.json, a service account's JSON, or {type: ISSUER, refresh_token}"
_NO_TOKENS = (
    "tokens are not given out in clear; POST /admin/accounts/export gives all accounts, sealed with a passphrase"
)
_WHICH = "say which: ?name=NAME, or ?all=true"


class Held(Value, frozen=True):
    """What a file holds: an account's tokens, and whose they are."""

    issuer: str
    tokens: Tokens


async def show_all(call: AdminCall, desk: Desk) -> Mapping[str, object]:  # noqa: ARG001  a handler
    entries = sorted(map(_entry, await all_accounts(desk)), key=lambda one: str(one["name"]).lower())
    return {"files": entries}


async def upload(call: AdminCall, desk: Desk) -> Mapping[str, object]:
    """A file as the body, or as the part `file` of a form."""
    book = accounts_of(desk)
    held = read_file(_file(call))
    issuer_of(book, held.issuer)
    account = await book.adopt(held.issuer, held.tokens, source=f"sent as a file by {call.actor.name}")
    return {"status": "ok", "name": file_name(account)}


async def download(call: AdminCall, desk: Desk) -> NoReturn:
    await _named(call, desk)
    raise GatewayError(Kind.FORBIDDEN, _NO_TOKENS)


async def delete(call: AdminCall, desk: Desk) -> Mapping[str, object]:
    book = accounts_of(desk)
    if call.asked("all") not in _EVERYTHING:
        await book.remove((await _named(call, desk)).id)
        return {"status": "ok"}
    gone = [await book.remove(account.id) for account in await all_accounts(desk)]
    return {"status": "ok", "deleted": len(gone)}


async def import_vertex(call: AdminCall, desk: Desk) -> Mapping[str, object]:
    """A service account of Google Cloud. Its `location` is told back; here it is said with the provider."""
    book, body = accounts_of(desk), _file(call)
    told: Any = decoded(body, _FILE)
    held = read_file(body)
    if held.issuer != GOOGLE:
        raise GatewayError(Kind.INVALID, "this is no service account's JSON", param="file")
    inner = told.get("service_account", told)
    account = await book.adopt(GOOGLE, held.tokens, source=f"sent as a file by {call.actor.name}")
    return {
        "status": "ok",
        "auth_file": file_name(account),
        "project_id": _text(inner, "project_id"),
        "email": _text(inner, "client_email"),
        "location": _location(call) or LOCATION,
    }


def file_name(account: Account) -> str:
    return f"{account.issuer}-{account.name}.json"


def read_file(body: bytes) -> Held:
    """Raises INVALID for what holds no account."""
    told: Any = decoded(body, _FILE)
    match told:
        case {"type": "service_account"}:
            return _service_account(told)
        case {"service_account": dict(file)}:
            return _service_account(file)
        case {"tokens": dict(tokens)}:
            return Held(CODEX, _tokens(tokens))
        case {"type": str(issuer), "refresh_token": str()}:
            return Held(issuer.strip().lower(), _tokens(told))
        case _:
            raise GatewayError(Kind.INVALID, _FILE)


def _service_account(file: Mapping[str, Any]) -> Held:
    return Held(GOOGLE, Tokens(service_account=Secret(json.encode(file).decode())))


def _tokens(told: Mapping[str, Any]) -> Tokens:
    refresh = _secret(told, "refresh_token")
    if refresh is None:
        raise GatewayError(Kind.INVALID, _FILE)
    return Tokens(access=_secret(told, "access_token"), refresh=refresh, id_token=_secret(told, "id_token"))


def _secret(told: Mapping[str, Any], name: str) -> Secret | None:
    found = _text(told, name)
    return Secret(found) if found else None


def _entry(account: Account) -> Mapping[str, object]:
    told = {
        "id": account.id,
        "name": file_name(account),
        "type": account.issuer,
        "provider": account.issuer,
        "label": account.name,
        "status": STATUSES[account.state],
        "status_message": account.why,
        "disabled": account.state is AccountState.DISABLED,
        "unavailable": account.state is not AccountState.READY,
        "runtime_only": False,
        "source": "memory",
        "size": 0,
        "email": account.email or None,
        "account_type": "oauth",
        "account": account.email or account.name,
        "created_at": as_date(account.added_at),
        "modtime": as_date(account.refreshed_at or account.added_at),
        "last_refresh": date_of(account.refreshed_at),
    }
    return said(told)


async def _named(call: AdminCall, desk: Desk) -> Account:
    """Raises INVALID without a name, UNKNOWN_PATH where there is none of it."""
    name = call.asked("name")
    if not name:
        raise GatewayError(Kind.INVALID, _WHICH, param="name")
    accounts = await all_accounts(desk)
    found = next((one for one in accounts if file_name(one) == name), None) or find_account(accounts, name)
    if found is None:
        raise GatewayError(Kind.UNKNOWN_PATH, "file not found")
    return found


def _file(call: AdminCall) -> bytes:
    if not is_form(call.headers):
        return call.body
    form = read_form(call.headers, call.body)
    if "file" not in form:
        raise GatewayError(Kind.INVALID, "file required", param="file")
    return form["file"]


def _location(call: AdminCall) -> str:
    said_in_form = read_form(call.headers, call.body).get("location", b"") if is_form(call.headers) else b""
    return (said_in_form.decode(errors="replace").strip() or call.asked("location"))[:100]


def _text(told: Mapping[str, Any], name: str) -> str:
    found = told.get(name)
    return found if isinstance(found, str) else ""
