"""llm-mux's sign-ins: begun for a provider, looked at, given up; and the models that a provider's accounts leave out.

A provider is what an issuer is here. The verifier of a sign-in is not told: the code is exchanged by the gateway.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.accounts import AccountBook, SignIn, SignInProgress
from isthmus.providers.issuer import Issuer, SignInFlow
from isthmus.server.admin.account_shapes import LONGEST_SAID
from isthmus.server.admin.call import AdminCall
from isthmus.server.admin.configuration import configurer_of
from isthmus.server.admin.desk import Desk, accounts_of
from isthmus.server.admin.readers import reader
from isthmus.server.compat.sections import decoded, said

FLOWS: Mapping[SignInFlow, str] = {SignInFlow.CODE: "oauth", SignInFlow.DEVICE: "device"}
"""What each is called there; the first that an issuer has is begun."""
PROGRESS: Mapping[SignInProgress, str] = {SignInProgress.EXPIRED: "cancelled"}
"""Where it has another word."""
_LISTS = 'send an object of lists: {"PROVIDER": ["MODEL", ...]}'
_ONE = 'send {"provider": "PROVIDER", "models": ["MODEL", ...]}'


class Start(Value, frozen=True):
    """`project_id` is taken and not needed: which project is asked is said with the provider."""

    provider: str
    project_id: str = ""


_read_start = reader(Start)


async def start(call: AdminCall, desk: Desk) -> Mapping[str, object]:
    book, name = accounts_of(desk), _read_start(call.body).provider.strip().lower()
    issuer = issuer_of(book, name)
    flow = next((flow for flow in FLOWS if flow in issuer.flows), None)
    if flow is None:
        words = f"{name} is signed in to by a file: send it to auth-files"
        raise GatewayError(Kind.INVALID, words, param="provider")
    return _started(await book.begin(name, flow), issuer, call.time)


async def show(call: AdminCall, desk: Desk) -> Mapping[str, object]:
    found = _sign_in(call, accounts_of(desk), "OAuth state not found or expired")
    told = {
        "status": PROGRESS.get(found.progress, str(found.progress)),
        "state": found.id,
        "id": found.id,
        "provider": found.issuer,
        "flow_type": FLOWS.get(found.flow, str(found.flow)),
        "account": found.account or None,
        "error": found.why or None,
    }
    return said(told)


async def cancel(call: AdminCall, desk: Desk) -> Mapping[str, object]:
    book, words = accounts_of(desk), "OAuth state not found or already completed"
    found = _sign_in(call, book, words)
    if found.progress is not SignInProgress.PENDING:
        raise GatewayError(Kind.UNKNOWN_PATH, words)
    await book.cancel(found.id)
    return {"status": "ok"}


async def show_excluded(call: AdminCall, desk: Desk) -> Mapping[str, object]:  # noqa: ARG001  a handler
    return {"oauth-excluded-models": {name: models for name, models in _excluded(desk).items() if models}}


async def put_excluded(call: AdminCall, desk: Desk) -> Mapping[str, str]:
    """What is sent takes the place of all that there is."""
    told = decoded(call.body, _LISTS)
    told = told.get("items", told) if isinstance(told, dict) else told
    if not isinstance(told, dict) or not all(map(_is_models, told.values())):
        raise GatewayError(Kind.INVALID, _LISTS)
    return await _exclude(call, desk, {**dict.fromkeys(_excluded(desk), ()), **told})


async def patch_excluded(call: AdminCall, desk: Desk) -> Mapping[str, str]:
    match decoded(call.body, _ONE):
        case {"provider": str(name), "models": list(models)} if _is_models(models):
            return await _exclude(call, desk, {name: models})
        case _:
            raise GatewayError(Kind.INVALID, _ONE)


async def drop_excluded(call: AdminCall, desk: Desk) -> Mapping[str, str]:
    name = call.asked("provider").strip().lower()
    if not name:
        raise GatewayError(Kind.INVALID, "missing provider", param="provider")
    if not _excluded(desk).get(name):
        raise GatewayError(Kind.UNKNOWN_PATH, "provider not found")
    return await _exclude(call, desk, {name: ()})


def issuer_of(book: AccountBook, name: str) -> Issuer:
    """Raises INVALID for one that is not known, with those that are."""
    issuers = book.issuers()
    if name not in issuers:
        words = f"unknown provider; accounts are signed in to at {', '.join(sorted(issuers))}"
        raise GatewayError(Kind.INVALID, words, param="provider")
    return issuers[name]


def _started(begun: SignIn, issuer: Issuer, now: float) -> Mapping[str, object]:
    device = begun.flow is SignInFlow.DEVICE
    challenge = parse_qs(urlsplit(begun.url).query).get("code_challenge", [None])[0]
    told: Mapping[str, object] = {
        "status": "ok",
        "auth_url": begun.url,
        "state": begun.id,
        "id": begun.id,
        "code_challenge": challenge,
        "flow_type": FLOWS[begun.flow],
        "user_code": begun.user_code or None,
        "verification_url": begun.url if device else None,
        "expires_in": max(0, round(begun.expires_at - now)),
        "interval": round(begun.interval) if device else None,
        "terms": issuer.terms or None,
    }
    return said(told)


def _sign_in(call: AdminCall, book: AccountBook, unknown: str) -> SignIn:
    try:
        return book.sign_in(call.params["state"][:LONGEST_SAID])
    except GatewayError as error:
        if error.kind is not Kind.UNKNOWN_PATH:
            raise
        raise GatewayError(Kind.UNKNOWN_PATH, unknown) from error


def _excluded(desk: Desk) -> Mapping[str, Any]:
    """What every provider that has accounts leaves out, as the file says it."""
    shown, known = configurer_of(desk).shown()["providers"], desk.live.take().snapshot.providers
    entries = shown if isinstance(shown, dict) else {}
    return {name: entry["models-excluded"] for name, entry in entries.items() if name in known and known[name].issuer}


async def _exclude(call: AdminCall, desk: Desk, wanted: Mapping[str, Any]) -> Mapping[str, str]:
    present = _excluded(desk)
    lists = {name.strip().lower(): list(models) for name, models in wanted.items()}
    if unknown := sorted(lists.keys() - present.keys()):
        words = f"no provider with accounts is configured as {', '.join(unknown)[:200]} (providers.NAME in the file)"
        raise GatewayError(Kind.UNKNOWN_PATH, words)
    changes: dict[tuple[str | int, ...], object] = {
        ("providers", name, "models-excluded"): models or None
        for name, models in lists.items()
        if models or present[name]
    }
    if changes:
        await configurer_of(desk).edit(changes, call.actor.name, "models that accounts leave out")
    return {"status": "ok"}


def _is_models(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one for one in value)
