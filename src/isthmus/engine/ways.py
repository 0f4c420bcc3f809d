"""How each operation asks one target, for who only wants to know what it would be asked."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.dialects.codec import Codec, CountCodec, EmbedCodec
from isthmus.engine.affinity import find_bond
from isthmus.engine.asked import Asked
from isthmus.engine.attempt import attempt_at
from isthmus.engine.count import counting_at
from isthmus.engine.embed import as_conversation, embedding_at
from isthmus.engine.exchange import Exchange
from isthmus.engine.kept import Shelf
from isthmus.engine.live import Now
from isthmus.engine.ports import Ports
from isthmus.engine.serve import continued, plan_for
from isthmus.engine.traits import take_branch
from isthmus.engine.walk import Once

Way: TypeAlias = Callable[[Exchange, Ports], Once[Any]]
"""How an exchange asks one target through some ports, as its line does."""


def plan_or_aside(exchange: Exchange, body: bytes, now: Now) -> str | None:
    """Plan the exchange. Where nobody is asked for it, the reason. Raises UNKNOWN_MODEL, as its line would."""
    assert exchange.peek is not None  # noqa: S101  it was looked at
    codec = exchange.call.codec
    try:
        exchange.plan = plan_for(exchange.peek.model, now.directory)
    except GatewayError as error:
        if isinstance(codec, CountCodec) and error.kind is Kind.UNKNOWN_MODEL:
            return "nobody has the model, so the gateway counts the tokens by itself"
        raise
    if not isinstance(codec, Codec) or codec.aside is None:
        return None
    if codec.aside(body, int(exchange.clock.time())) is not None:
        return "the request asks nothing of a model, so the gateway answers it by itself"
    return None


async def way_of(exchange: Exchange, body: bytes, now: Now, ports: Ports) -> Way:
    """The way of the exchange's operation. Its plan takes a branch here, and its conversation a preference."""
    return await _WAYS[exchange.call.codec.operation](exchange, body, ports, now)


async def _chat(exchange: Exchange, body: bytes, ports: Ports, now: Now) -> Way:
    codec = exchange.call.codec
    assert isinstance(codec, Codec)  # noqa: S101  what the operation says
    assert exchange.peek is not None  # noqa: S101  it was looked at
    assert exchange.plan is not None  # noqa: S101  it was planned
    if codec.keeps and ports.memory is not None:
        asked = await continued(exchange, body, codec, Shelf(ports.memory, exchange.client.owner))
    else:
        asked = Asked(body, codec, exchange.peek)
    take_branch(exchange, asked.body, asked.request, now, ports)
    if ports.memory is not None and now.places.several(exchange.plan):
        exchange.bond = await find_bond(exchange, asked.body, now.snapshot.affinity, ports.memory)
    return lambda mine, outside: partial(attempt_at, mine, asked=asked, now=now, ports=outside)


async def _embedding(exchange: Exchange, body: bytes, ports: Ports, now: Now) -> Way:
    codec = exchange.call.codec
    assert isinstance(codec, EmbedCodec)  # noqa: S101  what the operation says
    take_branch(exchange, body, partial(as_conversation, body, codec), now, ports)
    return lambda mine, outside: embedding_at(mine, body, codec, now=now, ports=outside)


async def _count(exchange: Exchange, body: bytes, ports: Ports, now: Now) -> Way:
    codec = exchange.call.codec
    assert isinstance(codec, CountCodec)  # noqa: S101  what the operation says
    take_branch(exchange, body, partial(codec.read_request, body), now, ports)
    return lambda mine, outside: counting_at(mine, body, codec, ports=outside)


_WAYS: Mapping[Operation, Callable[[Exchange, bytes, Ports, Now], Awaitable[Way]]] = {
    Operation.CHAT: _chat,
    Operation.EMBED: _embedding,
    Operation.COUNT_TOKENS: _count,
}
