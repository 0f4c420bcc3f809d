"""codex-claude-proxy's bare routes: its settings and its log; its accounts and Claude Code's configuration join them.

Its clients send no secret, so they are for programs on this machine.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.engine.haiku_lane import KILO, KILO_ENTRY, LONGEST, MODELS, NAMES, OPENROUTER, aliases_to, model_of
from isthmus.engine.listed_models import ListedModel
from isthmus.engine.logs import LogLine, LogQuery
from isthmus.providers.build import build
from isthmus.providers.provider import Provider
from isthmus.providers.table import PROVIDERS
from isthmus.routing.places import PoolStrategy
from isthmus.server.admin.call import AdminCall, Facade, Flow, Media, Role, Row
from isthmus.server.admin.configuration import configurer_of
from isthmus.server.admin.desk import Configurer, Desk, logs_of
from isthmus.server.admin.logs import PING
from isthmus.server.admin.readers import reader
from isthmus.server.admin.refusals import headers_of
from isthmus.server.admin.times import as_date
from isthmus.server.compat import claude_config, codex_accounts, codex_callback, codex_quotas
from isthmus.server.pages import Page
from isthmus.wire import json

KEPT = 1000
"""Lines of the log that are told."""
CODEX_NAME = "codex"
"""The provider whose accounts its clients mean."""
STRATEGIES = (PoolStrategy.STICKY.value, PoolStrategy.ROUND_ROBIN.value)
ICONS: Mapping[str, str] = {"debug": "·", "info": "i", "warning": "!", "error": "x", "critical": "x"}


class Haiku(Value, frozen=True, rename="camel"):
    """The model behind the lane for Haiku; None where the lane is not set."""

    success: bool
    haiku_kilo_model: str | None


class SetHaiku(Value, frozen=True, rename="camel"):
    haiku_kilo_model: str


class LaneModel(Value, frozen=True):
    id: str
    name: str
    context_length: int | None
    supportsTools: bool | None  # noqa: N815  as its clients know it


class LaneModels(Value, frozen=True):
    success: bool
    models: tuple[LaneModel, ...]
    current: str | None


class AccountStrategy(Value, frozen=True, rename="camel"):
    success: bool
    account_strategy: str


class SetStrategy(Value, frozen=True, rename="camel"):
    account_strategy: str


class Said(Value, frozen=True):
    timestamp: str
    level: str
    message: str
    icon: str


class LogSaid(Value, frozen=True):
    status: str
    logs: tuple[Said, ...]


class Refusal(Value, frozen=True):
    success: bool
    error: str
    message: str


_set_haiku, _set_strategy = reader(SetHaiku), reader(SetStrategy)


def refuse(error: GatewayError) -> Page:
    return Page(error.status, json.encode(Refusal(False, error.message, error.message)), headers_of(error))


async def show_haiku(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    return Page(200, json.encode(Haiku(True, lane_of(configurer_of(desk)))))


async def change_haiku(call: AdminCall, desk: Desk) -> Page:
    asked = _set_haiku(call.body).haiku_kilo_model.strip()
    if not asked or len(asked) > LONGEST or not asked.isprintable():
        raise GatewayError(Kind.INVALID, "haikuKiloModel is the name of a model", param="haikuKiloModel")
    await _check_listed(asked, desk)
    snapshot = desk.live.take().snapshot
    await set_lane(asked, configurer_of(desk), call.actor.name, found=(*snapshot.providers, *snapshot.awaited))
    return Page(200, json.encode(Haiku(True, asked)))


async def list_lane(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    listed = await desk.listed.of(_provider_of(desk)) or ()
    found = {one.id: one for one in listed}
    short = [_lane_model(name, own, found.get(own)) for name, own in MODELS.items()]
    free = [_lane_model(one.id, one.name or one.id, one) for one in listed if one.is_free]
    return Page(200, json.encode(LaneModels(True, (*short, *free), lane_of(configurer_of(desk)))))


def _lane_model(shown: str, name: str, one: ListedModel | None) -> LaneModel:
    said = None if one is None else one.supported_parameters
    length = None if one is None or one.context_length is None else int(one.context_length)
    return LaneModel(shown, name, length, None if said is None else "tools" in said)


async def _check_listed(asked: str, desk: Desk) -> None:
    """Raises INVALID for a model that the lane's provider does not list: of Kilo's, which has no key, the free ones.

    Where its list cannot be had, any name may be one of its models.
    """
    target = aliases_to(asked, desk.live.take().snapshot.providers)[NAMES[0]]
    provider, _, model = target.partition("/")
    if asked in MODELS or provider not in (KILO, OPENROUTER):
        return
    listed = await desk.listed.of(_provider_of(desk))
    if listed is not None and not any(one.id == model and (one.is_free or provider != KILO) for one in listed):
        words = f"{asked!r} is none of the models that {provider} lists; GET /settings/kilo-models tells the free ones"
        raise GatewayError(Kind.INVALID, words, param="haikuKiloModel")


def _provider_of(desk: Desk) -> Provider:
    """The one behind the lane, which may not be configured yet."""
    providers = desk.live.take().snapshot.providers
    found = providers.get(OPENROUTER) or providers.get(KILO)
    return found or build(PROVIDERS["compatible"], name=KILO, base_url=KILO_ENTRY["base-url"])


def lane_of(configurer: Configurer) -> str | None:
    """The model that the lane's names lead to; None where they lead nowhere of their own."""
    aliases = configurer.shown()["aliases"]
    found = aliases.get(NAMES[1]) if isinstance(aliases, dict) else None
    names = found.get("names") if isinstance(found, dict) else None
    return model_of(str(names[0])) if names else None


async def set_lane(model: str, configurer: Configurer, who: str, *, found: Iterable[str]) -> None:
    """Have the lane's names lead to this model, in the file and at once. Raises INVALID.

    Where that names the first provider of the file, those that are `found` are named with it: they would be gone.
    """
    providers = configurer.shown()["providers"]
    known: Mapping[str, object] = providers if isinstance(providers, dict) else {}
    targets = aliases_to(model, known)
    changes: dict[tuple[str | int, ...], object] = {("aliases", name): target for name, target in targets.items()}
    provider, _, own = targets[NAMES[0]].partition("/")
    if provider == KILO and configurer.automatic:
        changes |= {("providers", name): {} for name in found}
    if provider == KILO and KILO not in known:
        changes[("providers", KILO)] = {**KILO_ENTRY, "models": [own]}
    elif provider == KILO:
        changes[("providers", KILO, "models")] = [own]
    await configurer.edit(changes, who, "the lane for Haiku")


async def show_strategy(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    shown = configurer_of(desk).shown()
    own, usual = _pools(shown)
    return Page(200, json.encode(AccountStrategy(True, str(own or usual))))


async def change_strategy(call: AdminCall, desk: Desk) -> Page:
    asked = _set_strategy(call.body).account_strategy
    if asked not in STRATEGIES:
        words = f"accountStrategy is one of {', '.join(STRATEGIES)}"
        raise GatewayError(Kind.INVALID, words, param="accountStrategy")
    configurer = configurer_of(desk)
    await configurer.edit({_pool_of(configurer.shown()): asked}, call.actor.name, "the strategy of accounts")
    return Page(200, json.encode(AccountStrategy(True, asked)))


def _pool_of(shown: Mapping[str, object]) -> tuple[str, ...]:
    """Where the file says how accounts take turns: at the provider, where it is in the file. One that is there without
    being named stays so: to name it would leave out all others that are."""
    return ("providers", CODEX_NAME, "pool") if _codex_in(shown) is not None else ("routing", "pool")


def _pools(shown: Mapping[str, object]) -> tuple[object, object]:
    """How the provider's accounts take turns by its own word, and by that for all."""
    entry, routing = _codex_in(shown) or {}, shown["routing"]
    return entry.get("pool"), routing.get("pool") if isinstance(routing, dict) else None


def _codex_in(shown: Mapping[str, object]) -> Mapping[str, object] | None:
    """The provider as the file has it."""
    providers = shown["providers"]
    found = providers.get(CODEX_NAME) if isinstance(providers, dict) else None
    return found if isinstance(found, dict) else None


async def read_logs(call: AdminCall, desk: Desk) -> Page:  # noqa: ARG001  a handler
    found = logs_of(desk).lines(LogQuery(limit=KEPT))
    return Page(200, json.encode(LogSaid("ok", tuple(map(_said, found)))))


async def follow_logs(call: AdminCall, desk: Desk) -> Flow:
    logs = logs_of(desk)
    after = 0 if call.asked("history") == "true" else logs.last
    return Flow(_events(logs.follow(LogQuery(after=after, limit=KEPT))))


async def _events(feed: AsyncGenerator[Sequence[LogLine], None]) -> AsyncIterator[bytes]:
    async with aclosing(feed):
        async for lines in feed:
            yield b"".join(b"data: %b\n\n" % json.encode(_said(line)) for line in lines) if lines else PING


def _said(line: LogLine) -> Said:
    return Said(as_date(line.at), line.level, line.text, ICONS.get(line.level, "i"))


_ROWS = (
    Row(
        method="GET",
        path="/settings/haiku-model",
        role=Role.VIEWER,
        handler=show_haiku,
        about="The model behind the names of Haiku.",
        gives=Haiku,
    ),
    Row(
        method="POST",
        path="/settings/haiku-model",
        role=Role.OWNER,
        handler=change_haiku,
        about="Have the names of Haiku lead to another model.",
        takes=SetHaiku,
        gives=Haiku,
        audited=True,
    ),
    Row(
        method="GET",
        path="/settings/kilo-models",
        role=Role.VIEWER,
        handler=list_lane,
        about="Models for the lane of Haiku: those with short names, and the free ones that its provider lists.",
        gives=LaneModels,
    ),
    Row(
        method="GET",
        path="/settings/account-strategy",
        role=Role.VIEWER,
        handler=show_strategy,
        about="The order in which accounts are asked.",
        gives=AccountStrategy,
    ),
    Row(
        method="POST",
        path="/settings/account-strategy",
        role=Role.OWNER,
        handler=change_strategy,
        about="Change the order in which accounts are asked.",
        takes=SetStrategy,
        gives=AccountStrategy,
        audited=True,
    ),
    Row(
        method="GET",
        path="/api/logs",
        role=Role.VIEWER,
        handler=read_logs,
        about="The latest lines of the log.",
        gives=LogSaid,
    ),
    Row(
        method="GET",
        path="/api/logs/stream",
        role=Role.VIEWER,
        handler=follow_logs,
        about="Lines of the log as they are written.",
        gives=Media("text/event-stream"),
        query={"history": "true: the latest lines first."},
    ),
)

_ACCOUNTS = (*codex_accounts.ROWS, *codex_quotas.ROWS, *codex_callback.ROWS)
CODEX = Facade(name="codex-claude-proxy", bare=True, refuse=refuse, rows=(*_ROWS, *_ACCOUNTS, *claude_config.ROWS))
