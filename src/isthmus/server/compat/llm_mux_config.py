"""llm-mux's configuration: what is in force in its own keys, the file, its providers. Secrets are hidden.

The file is ours. A text of llm-mux's own form is taken too, and changes what it has words for.
"""

from collections.abc import Mapping
from typing import Any

from isthmus.core.errors import GatewayError, Kind
from isthmus.server.admin.call import AdminCall
from isthmus.server.admin.configuration import YAML, configurer_of, text_of
from isthmus.server.admin.desk import Configurer, Desk
from isthmus.server.admin.queries import whole
from isthmus.server.compat.sections import Changes, changes_of, decoded, said
from isthmus.server.pages import Page
from isthmus.wire import json

KIND = "llm-mux"
_LIST = 'send a list of providers, or {"providers": [...]}'
MOST_PROVIDERS = 10_000
TYPES: Mapping[str, str] = {"gemini": "gemini", "anthropic": "anthropic"}
"""Its types of providers, by ours or by the dialect; every other is openai."""


async def show(call: AdminCall, desk: Desk) -> object:  # noqa: ARG001  a handler
    return as_keys(configurer_of(desk).shown())


async def show_file(call: AdminCall, desk: Desk) -> object:  # noqa: ARG001  a handler
    return Page(200, configurer_of(desk).text().encode(), ((b"cache-control", b"no-store"),), YAML)


async def put_file(call: AdminCall, desk: Desk) -> object:
    configurer, text, who = configurer_of(desk), text_of(call), call.actor.name
    try:
        if configurer.kind_of(text) == KIND:
            await configurer.edit(changes_of(configurer, text, KIND), who, "sent as llm-mux's file")
        else:
            await configurer.apply(text, who)
    except GatewayError as error:
        status = 422 if error.code == "invalid_config" else error.status
        raise GatewayError(error.kind, error.message, status=status, code=error.code) from error
    return {"ok": True, "changed": ["config"]}


async def show_providers(call: AdminCall, desk: Desk) -> object:  # noqa: ARG001  a handler
    return {"providers": _providers(configurer_of(desk).shown())}


async def put_providers(call: AdminCall, desk: Desk) -> object:
    """A list of its providers, or an object with one; it takes the place of all that there are."""
    configurer = configurer_of(desk)
    told: object = decoded(call.body, _LIST)
    listed = told.get("providers", told.get("items")) if isinstance(told, dict) else told
    if not isinstance(listed, list):
        raise GatewayError(Kind.INVALID, _LIST)
    text = json.encode({"providers": listed}).decode()
    found = changes_of(configurer, text, KIND)
    await configurer.edit({("providers",): found.get(("providers",), {}), **_aliases(found)}, call.actor.name)
    return {"status": "ok"}


async def drop_provider(call: AdminCall, desk: Desk) -> object:
    configurer = configurer_of(desk)
    names = list(_configured(configurer))
    index = whole(call, "index", -1, least=0, most=MOST_PROVIDERS)
    if not 0 <= index < len(names):
        raise GatewayError(
            Kind.INVALID, f"index is the place of a provider in the list, of which there are {len(names)}"
        )
    await configurer.edit({("providers", names[index]): None}, call.actor.name)
    return {"status": "ok"}


def as_keys(shown: Mapping[str, Any]) -> Mapping[str, object]:
    """What is in force in llm-mux's keys."""
    routing, log = shown["routing"], shown["log"]
    return {
        "port": shown["listeners"][0]["port"],
        "disable-auth": str(shown["auth"]) == "off" or not shown["client-keys"],
        "api-keys": [entry["key"] for entry in shown["client-keys"]],
        "debug": str(log["level"]) == "debug",
        "logging-to-file": log["file"] is not None,
        "request-log": log["bodies"]["requests"],
        "request-retry": shown["limits"]["attempts"] - 1,
        "max-retry-interval": shown["limits"]["wait"],
        "max-request-size": shown["limits"]["request-body"],
        "max-response-size": shown["limits"]["reply-body"],
        "usage-statistics-enabled": shown["store"]["enabled"],
        "quota-exceeded": {"switch-project": True, "switch-preview-model": False},
        "remote-management": {"allow-remote": shown["admin"]["remote"]},
        "routing": {
            "provider-priority": routing["priority"],
            "aliases": {name: entry["names"][0] for name, entry in shown["aliases"].items()},
            "fallbacks": {name: entry["names"] for name, entry in routing["fallbacks"].items()},
        },
        "providers": _providers(shown),
    }


def _providers(shown: Mapping[str, Any]) -> list[Mapping[str, object]]:
    return [_provider(name, entry) for name, entry in shown["providers"].items()]


def _provider(name: str, entry: Mapping[str, Any]) -> Mapping[str, object]:
    kind = str(entry["dialect"] or entry["type"] or name)
    told: dict[str, object] = {
        "type": TYPES.get(kind, "openai"),
        "name": name,
        "enabled": entry["enabled"],
        "api-key": entry["api-key"],
        "api-keys": [{"key": key["key"], "proxy-url": key["proxy-url"] or ""} for key in entry["api-keys"]] or None,
        "base-url": entry["base-url"],
        "proxy-url": entry["proxy-url"],
        "headers": entry["headers"] or None,
        "models": [{"name": model} for model in entry["models"]] or None,
        "excluded-models": entry["models-excluded"] or None,
    }
    return said(told)


def _aliases(changes: Changes) -> Changes:
    """Further names of models: those that are there stay."""
    found = changes.get(("aliases",), {})
    return {("aliases", name): target for name, target in found.items()} if isinstance(found, Mapping) else {}


def _configured(configurer: Configurer) -> Mapping[str, Any]:
    found = configurer.shown()["providers"]
    return found if isinstance(found, dict) else {}
