"""llm-mux's management API: the same table under `/v0/management`, flat, and under `/v1/management`, enveloped."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from isthmus import __version__
from isthmus.core.errors import GatewayError
from isthmus.core.value import Value
from isthmus.server.admin.call import AdminCall, Facade, Flow, Handler, Role, Row
from isthmus.server.admin.configuration import MOST
from isthmus.server.admin.desk import Desk
from isthmus.server.admin.dumps import dumps_of
from isthmus.server.admin.refusals import headers_of
from isthmus.server.admin.times import as_date
from isthmus.server.compat import llm_mux_config as config
from isthmus.server.compat import llm_mux_files as files
from isthmus.server.compat import llm_mux_keys as keys
from isthmus.server.compat import llm_mux_oauth as oauth
from isthmus.server.compat import llm_mux_settings as settings
from isthmus.server.compat import llm_mux_usage as usage
from isthmus.server.pages import Page
from isthmus.wire import json
from isthmus.wire.headers import Headers

Told = Callable[[AdminCall, Desk], Awaitable[object]]
"""A handler that gives what is told, or a whole page."""
VERSION: Headers = ((b"x-isthmus-version", __version__.encode()),)
CODES: Mapping[int, str] = {400: "INVALID_REQUEST", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND"}
OWN_CODES: Mapping[str, str] = {
    "invalid_yaml": "INVALID_CONFIG",
    "invalid_config": "VALIDATION_ERROR",
    "write_failed": "WRITE_FAILED",
    "reload_failed": "RELOAD_FAILED",
}
"""What the configuration's own errors are called in the envelope."""


class Served(Value, frozen=True):
    """One route under both prefixes. `again` answers the enveloped form, where it tells something else.

    `also` are further methods that mean the same. `top`: what is told stands beside the envelope as well, where its
    clients look for it. `forms`: the body may be a form, of an administrator who sent a key.
    """

    method: str
    path: str
    role: Role
    told: Told
    about: str
    again: Told | None = None
    also: tuple[str, ...] = ()
    most: int = 64 * 1024
    top: bool = False
    forms: bool = False


async def _list_errors(call: AdminCall, desk: Desk) -> object:  # noqa: ARG001  a handler
    found = await asyncio.to_thread(dumps_of(desk).names)
    return {"files": [{"name": one.name, "size": one.bytes, "modified": as_date(one.at)} for one in found]}


async def _read_error(call: AdminCall, desk: Desk) -> object:
    return Page(200, await asyncio.to_thread(dumps_of(desk).read, call.params["name"]))


def _settings() -> Sequence[Served]:
    shown = [
        Served("GET", f"/{name}", Role.VIEWER, settings.show, f"The setting {name}.") for name in settings.SETTINGS
    ]
    return [
        *shown,
        *(
            Served(
                "PUT", f"/{name}", Role.OWNER, settings.put, f"Change the setting {name}.", settings.show, ("PATCH",)
            )
            for name in settings.SETTINGS
        ),
    ]


_ACCOUNTS = (
    Served("GET", "/auth-files", Role.OWNER, files.show_all, "The accounts, as files."),
    Served("POST", "/auth-files", Role.OWNER, files.upload, "Take in the account that a file holds.", forms=True),
    Served("DELETE", "/auth-files", Role.OWNER, files.delete, "Forget an account, or all of them."),
    Served("GET", "/auth-files/download", Role.OWNER, files.download, "Refused: no token is given out in clear."),
    Served("POST", "/vertex/import", Role.OWNER, files.import_vertex, "Take in a service account.", forms=True),
    Served("POST", "/oauth/start", Role.OWNER, oauth.start, "Begin a sign-in.", top=True),
    Served("GET", "/oauth/status/{state}", Role.OWNER, oauth.show, "How far a sign-in is.", top=True),
    Served("POST", "/oauth/cancel/{state}", Role.OWNER, oauth.cancel, "Give a sign-in up."),
    Served("GET", "/oauth-excluded-models", Role.OWNER, oauth.show_excluded, "The models that accounts leave out."),
    Served("PUT", "/oauth-excluded-models", Role.OWNER, oauth.put_excluded, "Change them all."),
    Served("PATCH", "/oauth-excluded-models", Role.OWNER, oauth.patch_excluded, "Change those of one provider."),
    Served("DELETE", "/oauth-excluded-models", Role.OWNER, oauth.drop_excluded, "Leave out none of one provider's."),
)


SERVED: tuple[Served, ...] = (
    Served("GET", "/config", Role.VIEWER, config.show, "What is in force, in llm-mux's keys."),
    Served("GET", "/config.yaml", Role.OWNER, config.show_file, "The configuration file."),
    Served("PUT", "/config.yaml", Role.OWNER, config.put_file, "Put a configuration into the file.", most=MOST),
    Served("GET", "/usage", Role.VIEWER, usage.usage, "What was used.", usage.summary),
    Served("GET", "/api-keys", Role.VIEWER, keys.show, "The client keys of the file."),
    Served("PUT", "/api-keys", Role.OWNER, keys.put, "Put a list of client keys, or one more.", keys.show),
    Served("PATCH", "/api-keys", Role.OWNER, keys.patch, "Change one client key.", keys.show),
    Served("DELETE", "/api-keys", Role.OWNER, keys.drop, "Take a client key away.", keys.show),
    Served("GET", "/logs", Role.VIEWER, usage.read_logs, "The latest lines of the log."),
    Served("DELETE", "/logs", Role.OPERATOR, usage.clear_logs, "Forget them."),
    Served("GET", "/debug", Role.VIEWER, settings.show_debug, "Whether the log tells most."),
    Served(
        "PUT", "/debug", Role.OPERATOR, settings.put_debug, "Have it tell more, or less.", settings.show_debug,
        ("PATCH",),
    ),
    Served("GET", "/providers", Role.VIEWER, config.show_providers, "The providers of the file."),
    Served(
        "PUT", "/providers", Role.OWNER, config.put_providers, "Put a list of providers.", config.show_providers,
        most=MOST,
    ),
    Served("DELETE", "/providers", Role.OWNER, config.drop_provider, "Take one away.", config.show_providers),
    Served("GET", "/request-error-logs", Role.OPERATOR, _list_errors, "Files about requests that failed."),
    Served("GET", "/request-error-logs/{name}", Role.OPERATOR, _read_error, "One of them."),
    *_settings(),
    *_ACCOUNTS,
)  # fmt: skip


def _flat(served: Served) -> Handler:
    async def answer(call: AdminCall, desk: Desk) -> Page | Flow:
        told = await served.told(call, desk)
        return told if isinstance(told, Page) else Page(200, json.encode(told), VERSION)

    return answer


def _enveloped(served: Served) -> Handler:
    async def answer(call: AdminCall, desk: Desk) -> Page | Flow:
        told = served.again if served.method == "GET" and served.again is not None else served.told
        found = await told(call, desk)
        if served.method != "GET" and served.again is not None:
            found = await served.again(call, desk)
        if isinstance(found, Page):
            return found
        meta = {"timestamp": as_date(call.time), "version": __version__}
        beside = found if served.top and isinstance(found, Mapping) else {}
        return Page(200, json.encode({**beside, "data": found, "meta": meta}), VERSION)

    return answer


def _rows(prefix: str, dress: Callable[[Served], Handler]) -> tuple[Row, ...]:
    return tuple(
        Row(
            method=method,
            path=prefix + one.path,
            role=one.role,
            handler=dress(one),
            about=one.about,
            most=one.most,
            forms=one.forms,
            audited=method != "GET",
        )
        for one in SERVED
        for method in (one.method, *one.also)
    )


def _refuse_flat(error: GatewayError) -> Page:
    own = {"error": error.code, "message": error.message} if error.code in OWN_CODES else {"error": error.message}
    return Page(error.status, json.encode(own), (*headers_of(error), *VERSION))


def _refuse_enveloped(error: GatewayError) -> Page:
    code = OWN_CODES.get(error.code or "") or CODES.get(error.status)
    code = code or ("INVALID_REQUEST" if error.status < 500 else "INTERNAL_ERROR")
    body = json.encode({"error": {"code": code, "message": error.message}})
    return Page(error.status, body, (*headers_of(error), *VERSION))


FLAT = Facade(name="llm-mux", realm="/v0/management/", refuse=_refuse_flat, rows=_rows("/v0/management", _flat))
ENVELOPED = Facade(
    name="llm-mux, enveloped",
    realm="/v1/management/",
    refuse=_refuse_enveloped,
    rows=_rows("/v1/management", _enveloped),
)
