"""The line for counting: how many tokens of input a request has.

Who would answer the request counts it, where it can; else, or where that fails, it is counted here. So there is always
an answer, also for a model that nobody knows and for a request that names none.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from msgspec.structs import replace

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.dialects.codec import CountCodec, Peek
from isthmus.dialects.table import COUNT_CODECS
from isthmus.engine.admission import admission
from isthmus.engine.admit import identify
from isthmus.engine.answer import Answer
from isthmus.engine.exchange import Exchange, Lane
from isthmus.engine.lane import outgoing, spoken_for
from isthmus.engine.live import Now
from isthmus.engine.permits import check_operation, hold_to_permits
from isthmus.engine.ports import Ports
from isthmus.engine.reply_headers import reply_headers
from isthmus.engine.send import ERROR_BODY, send
from isthmus.engine.serve import look, plan_for, refuse
from isthmus.engine.traits import take_branch
from isthmus.engine.walk import Once, attempt
from isthmus.providers.provider import Aim, Provider
from isthmus.routing.plan import Target
from isthmus.wire import json

REPLY_BODY = 64 * 1024
"""Bytes of a provider's count that are read."""
COUNTED_BY = b"x-isthmus-counted-by"
"""Who has counted: the provider's name, or `estimate`."""


async def serve_count(exchange: Exchange, receive: Callable[[int], Awaitable[bytes]], now: Now, ports: Ports) -> Answer:
    """Answer one request. Refuses callers that are not known and bodies that cannot be read, and nothing else."""
    try:
        exchange.client = identify(exchange.call.presented, now.snapshot, exchange.at)
        body = await receive(now.snapshot.limits.request_body)
        codec = exchange.call.codec
        assert isinstance(codec, CountCodec)  # noqa: S101  what the route says
        exchange.peek = peek = look(exchange.call, body)
        asked = _Asked(exchange, body, codec, peek)
        now = _planned(asked, now)
        target = _target(asked, now, ports)
        if target is not None and (answer := await _ask_them(asked, target, now, ports)) is not None:
            return answer
        tokens = await ports.counting.count(asked.request(), peek.model if target is None else target.model)
        headers = reply_headers(exchange, (), codec, b"application/json")
        return Answer(200, (*headers, (COUNTED_BY, b"estimate")), codec.write_reply(tokens))
    except GatewayError as error:
        exchange.fail(error)
        return refuse(exchange, error)


class _Asked:
    """The caller's request, read when somebody must know it."""

    __slots__ = ("_read", "body", "codec", "exchange", "peek")

    def __init__(self, exchange: Exchange, body: bytes, codec: CountCodec, peek: Peek) -> None:
        self.exchange = exchange
        self.body = body
        self.codec = codec
        self.peek = peek
        self._read: ChatRequest | None = None

    def request(self) -> ChatRequest:
        """Raises INVALID, naming the field at fault."""
        if self._read is None:
            self._read = self.codec.read_request(self.body)
        return self._read


def counting_at(exchange: Exchange, body: bytes, codec: CountCodec, *, ports: Ports) -> Once[Answer]:
    """How the exchange has one target count. It raises UNSUPPORTED where that does not count."""
    assert exchange.peek is not None  # noqa: S101  the line has peeked before it attempts
    asked = _Asked(exchange, body, codec, exchange.peek)

    async def once(target: Target, provider: Provider) -> Answer:
        theirs = _their_codec(codec, provider, target.model)
        if theirs is None:
            raise GatewayError(Kind.UNSUPPORTED, f"{provider.name} counts no tokens, so they are counted here")
        return await _ask(asked, target, provider, theirs=theirs, ports=ports)

    return once


def _planned(asked: _Asked, now: Now) -> Now:
    """Plan the exchange, where a model is named that anybody has; what it then runs on."""
    exchange = asked.exchange
    if exchange.client.permits is not None:
        check_operation(exchange)
    if not asked.peek.model:
        return now
    try:
        exchange.plan = plan_for(asked.peek.model, now.directory)
    except GatewayError as error:
        if error.kind is not Kind.UNKNOWN_MODEL:
            raise
        return now
    return now if exchange.client.permits is None else hold_to_permits(exchange, now)


def _target(asked: _Asked, now: Now, ports: Ports) -> Target | None:
    """Who would be asked first; None where no model is named, or nobody has it."""
    exchange = asked.exchange
    if exchange.plan is None:
        return None
    if exchange.plan.rules.branches:
        take_branch(exchange, asked.body, asked.request, now, ports)
    return exchange.plan.targets[0] if exchange.plan.targets else None


def _their_codec(ours: CountCodec, provider: Provider, model: str) -> CountCodec | None:
    """The codec to have `provider` count in; None where it does not."""
    spoken = spoken_for(Operation.COUNT_TOKENS, provider, model)
    if ours.dialect in spoken:
        return ours
    return COUNT_CODECS[spoken[0]] if spoken else None


async def _ask_them(asked: _Asked, target: Target, now: Now, ports: Ports) -> Answer | None:
    """The provider's own count; None where it has none to give."""
    theirs = _their_codec(asked.codec, now.snapshot.providers[target.provider], target.model)
    if theirs is None:
        return None
    try:
        once = partial(_ask, asked, theirs=theirs, ports=ports)
        gate = admission(asked.exchange, None, now, ports)
        for ask in now.places.of(target)[:1]:
            if gate is not None and not await gate.admits(ask):
                return None
            return await attempt(asked.exchange, ask, once, now=now, ports=ports)
    except GatewayError:
        asked.exchange.lane = None
    return None


async def _ask(asked: _Asked, target: Target, provider: Provider, *, theirs: CountCodec, ports: Ports) -> Answer:
    exchange, ours = asked.exchange, asked.codec
    body = _body(asked, theirs, provider, target.model)
    aim = Aim(Operation.COUNT_TOKENS, theirs.dialect, target.model)
    signed = outgoing(provider, aim, body, call=exchange.call, ours=ours)
    incoming = await send(signed, aim, provider, ports)
    exchange.hear(incoming.headers)
    try:
        if not 200 <= incoming.status < 300:
            raise theirs.read_error(incoming.status, incoming.headers, await incoming.body(ERROR_BODY))
        answer = await incoming.body(REPLY_BODY)
    finally:
        incoming.close()
    tokens = theirs.read_reply(answer)
    told = answer if exchange.lane is Lane.PASSTHROUGH else ours.write_reply(tokens)
    headers = reply_headers(exchange, incoming.headers, ours, b"application/json", provider)
    return Answer(200, (*headers, (COUNTED_BY, provider.name.encode())), told)


def _body(asked: _Asked, theirs: CountCodec, provider: Provider, model: str) -> bytes:
    """The caller's own bytes between two ends of one dialect, else the request written anew.

    What is lost on the way is lost of a request that nobody answers, and is nobody's loss.
    """
    exchange, ours = asked.exchange, asked.codec
    if theirs is ours and (not ours.model_in_path or model == asked.peek.model):
        exchange.lane = Lane.PASSTHROUGH
        if ours.model_in_path or model == asked.peek.model:
            return asked.body
        return json.splice(asked.body, {"model": json.raw(model)})
    exchange.lane = Lane.TRANSLATE
    return theirs.write_request(replace(asked.request(), model=model), provider.profile(model), Losses())
