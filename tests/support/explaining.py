"""Questions to the engine about what would become of a request, as the server asks them."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from isthmus.engine.exchange import Exchange
from isthmus.engine.explain import explain
from isthmus.engine.live import Live
from isthmus.engine.shown import Viewer
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.provider import Provider
from isthmus.routing.places import Credential
from isthmus.wire import json
from isthmus.wire.headers import Headers
from support.line import Line

BODY = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'


def pooled(line: Line, provider: Provider, names: Sequence[str], models: Mapping[str, Sequence[str]] = {}) -> None:
    """Give a provider several keys; `models` are what some of them may serve."""
    keys = tuple(Credential(name, tuple(models.get(name, ()))) for name in names)
    change(line, credentials={provider.name: keys}, keys={provider.name: dict.fromkeys(names, provider)})


def change(line: Line, **fields: Any) -> None:
    """Put another configuration in force."""
    snapshot: Snapshot = replace(line.live.take().snapshot, **fields)
    line.live.swap(snapshot)


async def explained(
    line: Line,
    body: bytes = BODY,
    dialect: str = "openai_chat",
    headers: Headers = (),
    *,
    every: bool = True,
    manages: bool = True,
) -> Any:
    """The answer as a program reads it."""
    live: Live = line.live
    now = live.take()
    exchange: Exchange = line.open(dialect, headers)
    told = await explain(exchange, body, now, line.ports, every=every, viewer=Viewer(now, manages=manages))
    return json.decode(json.encode(told))


def places(told: Any) -> list[tuple[str, str]]:
    """Who would be asked, in order: provider and key."""
    return [(one["provider"], one["key"]) for one in told["candidates"] if one["verdict"] != "skipped"]


def why(told: Any, provider: str, key: str = "key") -> str:
    """Everything that is said of one candidate."""
    return "; ".join(
        word for one in told["candidates"] if (one["provider"], one["key"]) == (provider, key) for word in one["why"]
    )
