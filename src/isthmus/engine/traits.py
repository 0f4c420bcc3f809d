"""What a request is like, as far as a route's branches ask; and the branch that it takes.

Reads a request only where a condition is about what stands in it. Plans without branches never come here.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from hashlib import blake2b
from random import Random

from msgspec.structs import replace

from isthmus.core.chat import ChatRequest
from isthmus.core.content import Media, MediaKind, Part, ToolResult
from isthmus.core.errors import GatewayError
from isthmus.engine.affinity import session_of
from isthmus.engine.exchange import Exchange
from isthmus.engine.live import Now
from isthmus.engine.permits import nothing_permitted
from isthmus.engine.ports import Ports
from isthmus.routing.branches import Picked, pick
from isthmus.wire.headers import find

TAGS = b"x-isthmus-tags"
"""The header in which a caller names what its request is for, with commas between."""
_DICE = Random()  # noqa: S311  a share of requests, not a secret


class RequestTraits:
    """Implements routing's Traits. `read` gives the conversation, None for a request that is none, or raises."""

    def __init__(self, exchange: Exchange, read: Callable[[], ChatRequest | None], ports: Ports) -> None:
        self._exchange = exchange
        self._read = read
        self._ports = ports

    @property
    def dialect(self) -> str:
        return self._exchange.call.codec.dialect

    @property
    def client(self) -> str:
        return self._exchange.client.name

    @property
    def stream(self) -> bool:
        return self._exchange.peek is not None and self._exchange.peek.stream

    @cached_property
    def tags(self) -> frozenset[str]:
        said = self.header(TAGS.decode()) or ""
        return frozenset(tag for tag in map(str.strip, said.split(",")) if tag)

    def header(self, name: str) -> str | None:
        found = find(self._exchange.call.headers, name.encode())
        return None if found is None else found.decode("utf-8", "replace")

    def images(self) -> bool | None:
        if (request := self._request) is None:
            return None
        return any(_pictures(message.parts) for message in request.messages)

    def tools(self) -> bool | None:
        return None if self._request is None else bool(self._request.tools)

    def tokens(self) -> int | None:
        plan = self._exchange.plan
        if self._request is None or plan is None or not plan.targets:
            return None
        model, counting = plan.targets[0].model, self._ports.counting
        return counting.corrected(counting.guess(self._request, model), model)

    @cached_property
    def _request(self) -> ChatRequest | None:
        """What cannot be read here may yet be understood by its provider: nobody can tell what it has."""
        try:
            return self._read()
        except GatewayError:
            return None


def take_branch(
    exchange: Exchange, body: bytes, read: Callable[[], ChatRequest | None], now: Now, ports: Ports
) -> Picked | None:
    """Give the exchange's plan the tiers of the branch that it takes; what was picked, None where nothing was to be."""
    plan = exchange.plan
    if plan is None or not plan.rules.branches:
        return None
    picked = pick(plan, RequestTraits(exchange, read, ports), draw_of(exchange, body), now.places)
    if not picked.tiers and exchange.client.permits is not None and exchange.peek is not None:
        raise nothing_permitted(exchange.client.permits, plan, exchange.peek.model)
    because = f"{plan.because}; {picked.because}" if picked.because else plan.because
    exchange.plan = replace(plan, tiers=picked.tiers, because=because)
    return picked


def draw_of(exchange: Exchange, body: bytes) -> float:
    """Between 0 and 1: the same for all requests of a conversation that names itself, by chance for others."""
    name = session_of(exchange, body, opening=False)
    if name is None:
        return _DICE.random()
    route = "" if exchange.plan is None else exchange.plan.name
    digest = blake2b(b"\0".join((route.encode(), exchange.client.name.encode(), name)), digest_size=7).digest()
    return int.from_bytes(digest, "big") / 2**56


def _pictures(parts: Iterable[Part]) -> bool:
    for part in parts:
        if isinstance(part, Media) and part.kind is MediaKind.IMAGE:
            return True
        if isinstance(part, ToolResult) and _pictures(part.parts):
            return True
    return False
