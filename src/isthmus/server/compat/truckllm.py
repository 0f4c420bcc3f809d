"""TruckLLM's admin API, under `/admin/v1`: its configuration object, its providers and what their keys used, its log.

An error's `code` is its status, a number. Keys' figures are since the start, where TruckLLM's are of a minute.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from isthmus import __version__
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.change import Change
from isthmus.engine.facts import Facts
from isthmus.engine.logs import LogQuery
from isthmus.engine.snapshot import Snapshot
from isthmus.server.admin.call import AdminCall, Facade, Role, Row
from isthmus.server.admin.configuration import MOST, configurer_of, text_of
from isthmus.server.admin.desk import Configurer, Desk, logs_of
from isthmus.server.admin.providers import ProviderTold, providers
from isthmus.server.admin.queries import whole
from isthmus.server.admin.refusals import TYPES, headers_of
from isthmus.server.compat.sections import Changes, changes_of, said
from isthmus.server.pages import Page
from isthmus.wire import json

VERSION = "1.0"
"""Of the configuration object, as its own files say."""
KIND = "truckllm"
_OURS_ALONE = frozenset({"listeners", "client-keys"})
"""What its object is not asked for: where we listen is read at the start, and its clients send its keys' secrets."""
LINES = 1000
"""Lines of the log that are looked through."""
PER_THOUSAND = 1000
STRATEGIES = ("round_robin", "least_error", "hybrid")
"""Those that it knows too; of any other its object says nothing."""
_WEIGHTS = {
    "token_ratio": "tokens",
    "req_ratio": "requests",
    "error_score": "errors",
    "latency": "latency",
    "cost_ratio": "cost",
}


class Fault(Value, frozen=True):
    message: str
    type: str
    code: int


class Refusal(Value, frozen=True):
    error: Fault


class Validity(Value, frozen=True, omit_defaults=True):
    """`errors` are told where it is not valid."""

    valid: bool
    errors: tuple[str, ...] = ()


class Done(Value, frozen=True):
    status: str
    message: str


class KeyTold(Value, frozen=True):
    id: str
    usage_req: int
    usage_tokens: int
    errors: int


class Told(Value, frozen=True):
    """`status` is healthy, degraded where some of its keys rest, or unhealthy where it cannot be asked at all."""

    id: str
    name: str
    status: str
    keys: tuple[KeyTold, ...]


class AllTold(Value, frozen=True):
    providers: tuple[Told, ...]


class LogEntry(Value, frozen=True, omit_defaults=True, kw_only=True):
    timestamp: str
    level: str
    provider: str
    model: str
    latency_ms: float
    status: int
    tokens: int
    req_id: str
    error: str | None = None


class Log(Value, frozen=True):
    logs: tuple[LogEntry, ...]


_facts = json.decoder(Facts)


def refuse(error: GatewayError) -> Page:
    kind = TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "server_error")
    return Page(error.status, json.encode(Refusal(Fault(error.message, kind, error.status))), headers_of(error))


async def show(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    return Page(200, json.encode(as_object(configurer_of(desk).shown(), desk.live.take().snapshot)))


async def apply(call: AdminCall, desk: Desk) -> Page:
    configurer = configurer_of(desk)
    await configurer.edit(_changes(configurer, text_of(call)), call.actor.name, "sent as TruckLLM's object")
    return Page(200, json.encode(Done("success", f"configuration {configurer.version} is in force")))


async def validate(call: AdminCall, desk: Desk) -> Page:
    problems = _planned(configurer_of(desk), text_of(call)).problems
    return Page(200, json.encode(Validity(not problems, problems)))


def _planned(configurer: Configurer, text: str) -> Change:
    try:
        return configurer.plan_edit(_changes(configurer, text))
    except GatewayError as error:
        return Change(problems=(error.message,))


def _changes(configurer: Configurer, text: str) -> Changes:
    """Client keys stay as they are: its clients send the secrets of its keys."""
    return changes_of(configurer, text, KIND, without=_OURS_ALONE)


async def reload(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    configurer = configurer_of(desk)
    if not configurer.reload():
        raise GatewayError(Kind.INVALID, "the file is not good, and nothing was changed; the log names its problems")
    return Page(200, json.encode(Done("success", f"configuration {configurer.version} is in force")))


async def list_providers(call: AdminCall, desk: Desk) -> Page:
    found = providers(call, desk, tuple(desk.live.take().snapshot.providers.values()))
    return Page(200, json.encode(AllTold(tuple(map(_told, found)))))


def _told(one: ProviderTold) -> Told:
    resting = [key.resting for key in one.keys]
    status = "unhealthy" if one.rests or all(resting) else "degraded" if any(resting) else "healthy"
    keys = tuple(
        KeyTold(
            key.name,
            key.since_start.requests,
            key.since_start.input_tokens + key.since_start.output_tokens,
            key.since_start.failed,
        )
        for key in one.keys
    )
    return Told(one.name, one.name, status, keys)


async def read_log(call: AdminCall, desk: Desk) -> Page:
    """The latest lines of requests. One that failed is at the level `error`."""
    limit = whole(call, "limit", 100, least=1, most=LINES)
    level = call.asked("level")
    found = logs_of(desk).lines(LogQuery(limit=LINES, provider=call.asked("provider") or None))
    entries = [entry for line in found if (entry := _entry(line.fields)) and level in ("", entry.level)]
    return Page(200, json.encode(Log(tuple(entries[-limit:]))))


def _entry(line: bytes) -> LogEntry | None:
    """None for a line that is of no request."""
    try:
        facts = _facts(line)
    except json.DECODE_ERRORS:
        return None
    return LogEntry(
        timestamp=facts.at,
        level="error" if facts.outcome == "failed" else "info",
        provider=(facts.target or "").partition("/")[0],
        model=facts.model or "",
        latency_ms=facts.ms,
        status=facts.status,
        tokens=(facts.input_tokens or 0) + (facts.output_tokens or 0),
        req_id=facts.id,
        error=facts.message,
    )


def as_object(shown: Mapping[str, Any], snapshot: Snapshot) -> Mapping[str, object]:
    """What is in force, as TruckLLM's configuration object. Secrets are hidden as they are in `shown`."""
    listener = shown["listeners"][0]
    return {
        "version": VERSION,
        "server": {"listen": f"{listener['host']}:{listener['port']}", "admin_api_key": shown["management-key"]},
        "logging": {
            "file": {"enabled": shown["log"]["file"] is not None, "path": shown["log"]["file"]},
            "prometheus": {"enabled": shown["metrics"]["enabled"], "endpoint": shown["metrics"]["path"]},
        },
        "providers": [
            _provider(name, entry, snapshot) for name, entry in shown["providers"].items() if entry["enabled"]
        ],
        "model_aliases": {name: _target(entry["names"]) for name, entry in shown["aliases"].items()},
        "policy": _policy(shown["routing"]),
        "gateway": {"name": "isthmus", "version": __version__},
    }


def _provider(name: str, entry: Mapping[str, Any], snapshot: Snapshot) -> Mapping[str, object]:
    keys = [_key(f"key-{number}", key) for number, key in enumerate(entry["api-keys"], 2 if entry["api-key"] else 1)]
    own = [_key("key-1", {**entry, "key": entry["api-key"], "price": (), "name": ""})] if entry["api-key"] else []
    found = snapshot.providers.get(name)
    origin = None if found is None else found.origin
    url = entry["base-url"] or (None if origin is None else f"{origin.scheme}://{origin.host}:{origin.port}")
    return {"id": name, "name": name, "base_url": url, "keys": [*own, *keys]}


def _key(name: str, entry: Mapping[str, Any]) -> Mapping[str, object]:
    told: dict[str, object] = {
        "id": entry["name"] or name,
        "secret": entry["key"],
        "limit_req_per_min": entry["requests-per-minute"],
        "limit_tokens_per_min": entry["tokens-per-minute"],
        "pricing": _pricing(entry["price"][-1]) if entry["price"] else None,
    }
    return said(told)


def _pricing(price: Mapping[str, Decimal]) -> Mapping[str, object]:
    """Dollars for a thousand tokens."""
    told = {"input_token_cost": price["input"], "output_token_cost": price["output"]}
    return {**{name: float(cost / PER_THOUSAND) for name, cost in told.items()}, "currency": "USD"}


def _target(names: Sequence[str]) -> str:
    """`PROVIDER:MODEL` for the first that an alias leads to."""
    provider, slash, model = names[0].partition("/")
    return f"{provider}:{model}" if slash else names[0]


def _policy(routing: Mapping[str, Any]) -> Mapping[str, object]:
    weights, strategy = routing["hybrid-weights"], str(routing["strategy"])
    return {
        **({"strategy": strategy} if strategy in STRATEGIES else {}),
        "cost_first": strategy == "cheapest",
        "hybrid_weights": {theirs: weights[ours] for theirs, ours in _WEIGHTS.items()},
    }


TRUCKLLM = Facade(
    name="TruckLLM",
    realm="/admin/v1/",
    refuse=refuse,
    rows=(
        Row(
            method="GET",
            path="/admin/v1/config",
            role=Role.VIEWER,
            handler=show,
            about="What is in force, as TruckLLM's configuration object.",
        ),
        Row(
            method="POST",
            path="/admin/v1/config",
            role=Role.OWNER,
            handler=apply,
            about="Put TruckLLM's configuration object in force.",
            gives=Done,
            most=MOST,
            audited=True,
        ),
        Row(
            method="POST",
            path="/admin/v1/config/validate",
            role=Role.OPERATOR,
            handler=validate,
            about="What is wrong with such an object, if anything.",
            gives=Validity,
            most=MOST,
        ),
        Row(
            method="POST",
            path="/admin/v1/reload",
            role=Role.OPERATOR,
            handler=reload,
            about="Read the file again.",
            gives=Done,
            audited=True,
        ),
        Row(
            method="GET",
            path="/admin/v1/providers",
            role=Role.VIEWER,
            handler=list_providers,
            about="Every provider, how it is, and what its keys used.",
            gives=AllTold,
        ),
        Row(
            method="GET",
            path="/admin/v1/logs",
            role=Role.VIEWER,
            handler=read_log,
            about="The latest requests.",
            gives=Log,
            query={
                "limit": "At most so many; 100 without it.",
                "provider": "Only requests that this provider answered.",
                "level": "info or error.",
            },
        ),
    ),
)
