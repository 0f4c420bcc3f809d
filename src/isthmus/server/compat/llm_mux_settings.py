"""llm-mux's single settings: those that mean something here can be changed, others say what holds in their place."""

from collections.abc import Callable, Mapping
from typing import Any

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.server.admin.call import AdminCall
from isthmus.server.admin.configuration import configurer_of
from isthmus.server.admin.debug import set_level
from isthmus.server.admin.desk import Desk, logs_of
from isthmus.server.admin.readers import reader

Shown = Mapping[str, Any]


class Sent(Value, frozen=True):
    value: bool | int | float | str


_sent = reader(Sent)


class Setting(Value, frozen=True):
    """One setting. `read` finds its value in what is in force. `path` is what is set in the file, None for nothing.

    `write` makes of a value what the file has; `else_` says what to do where it cannot be changed.
    """

    read: Callable[[Shown], object]
    path: tuple[str | int, ...] | None = None
    write: Callable[[Any], object] = lambda value: value
    kind: type = bool
    else_: str = ""


SETTINGS: Mapping[str, Setting] = {
    "request-retry": Setting(
        lambda shown: shown["limits"]["attempts"] - 1, ("limits", "attempts"), lambda value: value + 1, int
    ),
    "max-retry-interval": Setting(lambda shown: shown["limits"]["wait"], ("limits", "wait"), kind=int),
    "request-log": Setting(lambda shown: shown["log"]["bodies"]["requests"], ("log", "bodies", "requests")),
    "logging-to-file": Setting(
        lambda shown: shown["log"]["file"] is not None, else_="where the log is written is said in the file (log.file)"
    ),
    "usage-statistics-enabled": Setting(
        lambda shown: shown["store"]["enabled"], else_="what is used is kept as the file says (store.enabled)"
    ),
    "ws-auth": Setting(lambda _: False, else_="no WebSocket is served here"),
    "quota-exceeded/switch-project": Setting(lambda _: True, else_="the next account is always asked"),
    "quota-exceeded/switch-preview-model": Setting(
        lambda _: False, else_="a preview is another model; name it under routing.fallbacks in the file"
    ),
    "proxy-url": Setting(
        lambda _: "", kind=str, else_="a proxy is said of each provider in the file (providers.NAME.proxy-url)"
    ),
}
"""By the last of its path. `debug` is beside them: it is of the process, not of the file."""


async def show_debug(call: AdminCall, desk: Desk) -> object:  # noqa: ARG001  a handler
    return {"debug": logs_of(desk).level == "debug"}


async def put_debug(call: AdminCall, desk: Desk) -> object:
    """Until the gateway starts again."""
    value = _sent(call.body).value
    if not isinstance(value, bool):
        raise GatewayError(Kind.INVALID, 'send {"value": true} or {"value": false}', param="value")
    set_level("debug" if value else "info", logs_of(desk))
    return {"status": "ok"}


async def show(call: AdminCall, desk: Desk) -> object:
    name = _name(call)
    return {name.rpartition("/")[2]: SETTINGS[name].read(configurer_of(desk).shown())}


async def put(call: AdminCall, desk: Desk) -> object:
    """What holds already may be sent; what cannot be changed is told, with where it is said instead."""
    configurer, name, value = configurer_of(desk), _name(call), _sent(call.body).value
    setting = SETTINGS[name]
    if not isinstance(value, setting.kind) or (setting.kind is int and isinstance(value, bool)):
        raise GatewayError(Kind.INVALID, f"value is of the type {setting.kind.__name__}", param="value")
    if setting.path is not None:
        await configurer.edit({setting.path: setting.write(value)}, call.actor.name, name)
    elif value != setting.read(configurer.shown()):
        raise GatewayError(Kind.UNSUPPORTED, setting.else_, status=501)
    return {"status": "ok"}


def _name(call: AdminCall) -> str:
    """The setting that the path names."""
    return next(name for name in SETTINGS if call.path.rstrip("/").endswith(f"/{name}"))
