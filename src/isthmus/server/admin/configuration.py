"""The configuration over the admin API: shown, planned, applied, edited, remembered, rolled back. Secrets are hidden.

A text travels as YAML. What hides a secret in it (`<hidden:STAMP/NUMBER>`) may be sent back, and stands for it. Texts
are for owners: a comment may hold what nobody can tell for a secret.
"""

from collections.abc import Mapping

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.change import Change
from isthmus.server.admin.call import AdminCall, Media, Role, Row
from isthmus.server.admin.desk import Configurer, Desk
from isthmus.server.admin.times import as_date
from isthmus.server.pages import Page
from isthmus.wire import json

YAML = b"application/yaml; charset=utf-8"
MOST = 4 * 1024 * 1024
"""Bytes of a text."""
MOST_EDITS = 100
PAGE = 100
"""Configurations that the history lists."""


class Shown(Value, frozen=True):
    """What is in force. `editable`: there is a file behind it."""

    version: int
    editable: bool
    configuration: Mapping[str, object]


class Edit(Value, frozen=True, forbid_unknown_fields=True):
    """A value for a path of keys and positions; null takes away what is there."""

    path: tuple[str | int, ...]
    value: object


class Edits(Value, frozen=True, forbid_unknown_fields=True):
    edits: tuple[Edit, ...]
    note: str = ""


class Applied(Value, frozen=True, kw_only=True):
    """`version` is what is in force now. `restart` names changed sections that take a restart."""

    version: int
    diff: str
    changed: tuple[str, ...]
    restart: tuple[str, ...]


class Remembered(Value, frozen=True):
    """One configuration that was put in force."""

    number: int
    at: str
    who: str
    note: str


class History(Value, frozen=True):
    configurations: tuple[Remembered, ...]


class Reloaded(Value, frozen=True):
    version: int


_edits = json.decoder(Edits)


async def show(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    configurer = configurer_of(desk)
    return Page(200, json.encode(Shown(configurer.version, configurer.editable, configurer.shown())))


async def show_file(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    return Page(200, configurer_of(desk).text().encode(), ((b"cache-control", b"no-store"),), YAML)


async def plan(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(configurer_of(desk).plan(text_of(call))))


async def apply(call: AdminCall, desk: Desk) -> Page:
    configurer = configurer_of(desk)
    change = await configurer.apply(text_of(call), call.actor.name, call.asked("note")[:500])
    return _applied(change, configurer)


async def edit(call: AdminCall, desk: Desk) -> Page:
    """Single values, by their paths."""
    configurer = configurer_of(desk)
    try:
        asked = _edits(call.body)
    except json.DECODE_ERRORS as error:
        raise GatewayError(Kind.INVALID, f"no list of edits: {error}") from error
    if not 0 < len(asked.edits) <= MOST_EDITS:
        raise GatewayError(Kind.INVALID, f"between 1 and {MOST_EDITS} edits are made at once", param="edits")
    changes = {one.path: one.value for one in asked.edits}
    return _applied(await configurer.edit(changes, call.actor.name, asked.note[:500]), configurer)


async def history(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    found = await configurer_of(desk).history(PAGE)
    told = tuple(Remembered(one.number, as_date(one.at), one.who, one.note) for one in found)
    return Page(200, json.encode(History(told)))


async def past(call: AdminCall, desk: Desk) -> Page:
    found = await configurer_of(desk).past(_number(call))
    return Page(200, found.text.encode(), ((b"cache-control", b"no-store"),), YAML)


async def roll_back(call: AdminCall, desk: Desk) -> Page:
    configurer = configurer_of(desk)
    return _applied(await configurer.roll_back(_number(call), call.actor.name), configurer)


async def reload(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    configurer = configurer_of(desk)
    if not configurer.reload():
        raise GatewayError(Kind.INVALID, "the file is not good, and nothing was changed; the log names its problems")
    return Page(200, json.encode(Reloaded(configurer.version)))


def configurer_of(desk: Desk) -> Configurer:
    """Raises UNSUPPORTED where the configuration cannot be reached."""
    if desk.configurer is None:
        raise GatewayError(Kind.UNSUPPORTED, "the configuration is not managed here", status=501)
    return desk.configurer


def text_of(call: AdminCall) -> str:
    """The body as text. Raises INVALID."""
    try:
        return call.body.decode()
    except UnicodeDecodeError as error:
        raise GatewayError(Kind.INVALID, "a configuration is UTF-8 text") from error


def _number(call: AdminCall) -> int:
    said = call.params["number"]
    if not (said.isascii() and said.isdigit() and len(said) < 10):
        raise GatewayError(Kind.UNKNOWN_PATH, "configurations are numbered; GET /admin/config/history lists them")
    return int(said)


def _applied(change: Change, configurer: Configurer) -> Page:
    applied = Applied(version=configurer.version, diff=change.diff, changed=change.changed, restart=change.restart)
    return Page(200, json.encode(applied))


ROWS = (
    Row(
        method="GET",
        path="/admin/config",
        role=Role.VIEWER,
        handler=show,
        about="What is in force, with all its defaults.",
        gives=Shown,
    ),
    Row(
        method="PATCH",
        path="/admin/config",
        role=Role.OWNER,
        handler=edit,
        about="Set single values of the file and put it in force; its comments stay.",
        takes=Edits,
        gives=Applied,
        audited=True,
    ),
    Row(
        method="GET",
        path="/admin/config/file",
        role=Role.OWNER,
        handler=show_file,
        about="The file as it is, as YAML.",
        gives=Media("application/yaml"),
    ),
    Row(
        method="PUT",
        path="/admin/config/file",
        role=Role.OWNER,
        handler=apply,
        about="Put a YAML text into the file and in force.",
        takes=Media("application/yaml"),
        gives=Applied,
        most=MOST,
        audited=True,
        query={"note": "What the change is for; the history keeps it."},
    ),
    Row(
        method="POST",
        path="/admin/config/plan",
        role=Role.OWNER,
        handler=plan,
        about="What a YAML text would change, or what is wrong with it. Nothing is changed.",
        takes=Media("application/yaml"),
        gives=Change,
        most=MOST,
    ),
    Row(
        method="GET",
        path="/admin/config/history",
        role=Role.VIEWER,
        handler=history,
        about="The configurations that were put in force, the latest first.",
        gives=History,
    ),
    Row(
        method="GET",
        path="/admin/config/history/{number}",
        role=Role.OWNER,
        handler=past,
        about="One of them, as YAML.",
        gives=Media("application/yaml"),
    ),
    Row(
        method="POST",
        path="/admin/config/history/{number}/restore",
        role=Role.OWNER,
        handler=roll_back,
        about="Put one of them in force again.",
        gives=Applied,
        audited=True,
    ),
    Row(
        method="POST",
        path="/admin/reload",
        role=Role.OPERATOR,
        handler=reload,
        about="Read the file again.",
        gives=Reloaded,
        audited=True,
    ),
)
