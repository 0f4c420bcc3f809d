"""llms.py's management routes: its models and providers, and switching a provider on and off. Its pages are not served.

Its clients send no secret, so they are for programs on this machine.
"""

from collections.abc import Mapping
from typing import Any

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.facts import Ability, Rates
from isthmus.core.value import Value
from isthmus.engine.live import Now
from isthmus.server.admin.call import AdminCall, Facade, Role, Row
from isthmus.server.admin.configuration import configurer_of
from isthmus.server.admin.desk import Configurer, Desk
from isthmus.server.admin.models import Model, model
from isthmus.server.admin.readers import reader
from isthmus.server.admin.refusals import refuse
from isthmus.server.compat.sections import said
from isthmus.server.pages import Page, entries
from isthmus.wire import json

MOST = 10_000
"""Models that are listed."""
_INPUT: Mapping[str, Ability] = {
    "image": Ability.VISION,
    "pdf": Ability.PDF,
    "audio": Ability.AUDIO,
    "video": Ability.VIDEO,
}
_OUTPUT: Mapping[str, Ability] = {"image": Ability.IMAGES, "audio": Ability.SPEECH}


class Enabled(Value, frozen=True):
    all: tuple[str, ...]
    enabled: tuple[str, ...]
    disabled: tuple[str, ...]


class Switched(Value, frozen=True):
    enabled: tuple[str, ...]
    disabled: tuple[str, ...]
    feedback: str


class Switch(Value, frozen=True):
    enable: bool = False
    disable: bool = False


_switch = reader(Switch)


async def list_models(call: AdminCall, desk: Desk) -> Page:
    now = desk.live.take()
    return Page(200, json.encode([_record(model(now, entry.id, call.time)) for entry in entries(now)[:MOST]]))


async def list_providers(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    now = desk.live.take()
    told = [
        {"id": name, "name": name, "models": _names(now, name), "server_tools": []} for name in now.snapshot.providers
    ]
    return Page(200, json.encode(told))


async def status(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    return Page(200, json.encode(switched(configurer_of(desk))))


async def switch(call: AdminCall, desk: Desk) -> Page:
    """The file says so afterwards, and it holds at once."""
    configurer, name, asked = configurer_of(desk), call.params["id"], _switch(call.body)
    if asked.enable == asked.disable:
        raise GatewayError(Kind.INVALID, 'send {"enable": true} or {"disable": true}')
    if name not in switched(configurer).all:
        raise GatewayError(Kind.UNKNOWN_PATH, f"no provider is called {name[:100]}; GET /status lists them")
    await configurer.edit({("providers", name, "enabled"): asked.enable}, call.actor.name)
    now = switched(configurer)
    word = "enabled" if asked.enable else "disabled"
    return Page(200, json.encode(Switched(now.enabled, now.disabled, f"{name} is {word}")))


def switched(configurer: Configurer) -> Enabled:
    """Which of the configured providers are used."""
    found = configurer.shown()["providers"]
    entries_: Mapping[str, Any] = found if isinstance(found, dict) else {}
    used = tuple(name for name, entry in entries_.items() if entry["enabled"])
    return Enabled(tuple(entries_), used, tuple(name for name in entries_ if name not in used))


def _names(now: Now, provider: str) -> tuple[str, ...]:
    return tuple(name for name, owner in now.directory.names() if owner == provider)[:MOST]


def _record(one: Model) -> Mapping[str, object]:
    """A model as models.dev describes it; what nobody said is left out."""
    can = one.abilities
    told: dict[str, object] = {
        "id": one.id,
        "name": one.id,
        "provider": one.owner,
        "reasoning": can.get(Ability.REASONING),
        "tool_call": can.get(Ability.TOOLS),
        "structured_output": can.get(Ability.SCHEMA),
        "attachment": None if not can else any(can.get(one) for one in _INPUT.values()),
        "modalities": {"input": _modalities(can, _INPUT), "output": _modalities(can, _OUTPUT)},
        "limit": said({"context": one.context_limit or one.input_limit, "output": one.output_limit}),
        "cost": None if one.rates is None else _cost(one.rates),
    }
    return said(told)


def _modalities(can: Mapping[Ability, bool], names: Mapping[str, Ability]) -> tuple[str, ...]:
    return ("text", *(name for name, ability in names.items() if can.get(ability)))


def _cost(rates: Rates) -> Mapping[str, object]:
    told = {name: getattr(rates, name) for name in ("input", "output", "cache_read", "cache_write")}
    return {name: float(rate) for name, rate in told.items() if rate is not None}


LLMS = Facade(
    name="llms.py",
    bare=True,
    refuse=refuse,
    rows=(
        Row(
            method="GET",
            path="/models",
            role=Role.VIEWER,
            handler=list_models,
            about="Every model, with all that is known of it.",
        ),
        Row(
            method="GET",
            path="/providers",
            role=Role.VIEWER,
            handler=list_providers,
            about="Every provider that is used, and its models.",
        ),
        Row(
            method="GET",
            path="/status",
            role=Role.VIEWER,
            handler=status,
            about="Which providers are used, and which are not.",
            gives=Enabled,
        ),
        Row(
            method="POST",
            path="/providers/{id}",
            role=Role.OWNER,
            handler=switch,
            about="Use a provider, or use it no more.",
            takes=Switch,
            gives=Switched,
            audited=True,
        ),
    ),
)
