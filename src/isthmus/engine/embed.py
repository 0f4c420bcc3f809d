"""The line for embeddings: one client request, from bytes to vectors.

As `serve`, but an answer is always whole. Between two ends of one dialect the bytes pass as they are; else the
inputs are told to the provider in as many requests as its dialect needs, a few at a time, and the vectors are put
together again.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial, reduce

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.embedding import EmbedReply, EmbedRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.core.usage import Usage
from isthmus.dialects.codec import EmbedCodec, Peek
from isthmus.dialects.table import EMBED_CODECS
from isthmus.engine.admit import identify
from isthmus.engine.answer import Answer
from isthmus.engine.exchange import Exchange, Lane
from isthmus.engine.fan_out import each
from isthmus.engine.lane import outgoing, spoken_for
from isthmus.engine.live import Now
from isthmus.engine.loss_policy import check_losses
from isthmus.engine.permits import hold_to_permits
from isthmus.engine.ports import Ports
from isthmus.engine.renaming import rename_whole
from isthmus.engine.reply_headers import reply_headers
from isthmus.engine.send import ERROR_BODY, send
from isthmus.engine.serve import look, plan_for, refuse
from isthmus.engine.traits import take_branch
from isthmus.engine.walk import Once, in_order
from isthmus.providers.provider import Aim, Provider
from isthmus.providers.quirks import apply_quirks
from isthmus.routing.plan import Target
from isthmus.wire import json
from isthmus.wire.headers import Headers


async def serve_embedding(
    exchange: Exchange, receive: Callable[[int], Awaitable[bytes]], now: Now, ports: Ports
) -> Answer:
    """Answer one request. As `serve`, never raises for what can go wrong."""
    try:
        exchange.client = identify(exchange.call.presented, now.snapshot, exchange.at)
        body = await receive(now.snapshot.limits.request_body)
        codec = exchange.call.codec
        assert isinstance(codec, EmbedCodec)  # noqa: S101  what the route says
        exchange.peek = peek = look(exchange.call, body)
        exchange.plan = plan_for(peek.model, now.directory)
        if exchange.client.permits is not None:
            now = hold_to_permits(exchange, now)
        if exchange.plan.rules.branches:
            take_branch(exchange, body, partial(as_conversation, body, codec), now, ports)
        once = embedding_at(exchange, body, codec, now=now, ports=ports)
        return await in_order(exchange, once, now, ports, body=body)
    except GatewayError as error:
        exchange.fail(error)
        return refuse(exchange, error)


def embedding_at(exchange: Exchange, body: bytes, codec: EmbedCodec, *, now: Now, ports: Ports) -> Once[Answer]:
    """How the exchange asks one target."""
    assert exchange.peek is not None  # noqa: S101  the line has peeked before it attempts
    return partial(_attempt, _Asked(exchange, body, codec, exchange.peek), now=now, ports=ports)


def as_conversation(body: bytes, codec: EmbedCodec) -> ChatRequest:
    """The texts as the words of a conversation, for conditions on a request. What comes as tokens is no text."""
    texts = tuple(Text(one) for one in codec.read_request(body).inputs if isinstance(one, str))
    return ChatRequest(model="", messages=(Message(Role.USER, texts),))


class _Asked:
    """The caller's request on its way to several targets."""

    __slots__ = ("_read", "body", "codec", "exchange", "peek")

    def __init__(self, exchange: Exchange, body: bytes, codec: EmbedCodec, peek: Peek) -> None:
        self.exchange = exchange
        self.body = body
        self.codec = codec
        self.peek = peek
        self._read: EmbedRequest | None = None

    def request(self) -> EmbedRequest:
        """It is read at most once, and only when it must be."""
        if self._read is None:
            self._read = self.codec.read_request(self.body)
        return self._read


async def _attempt(asked: _Asked, target: Target, provider: Provider, *, now: Now, ports: Ports) -> Answer:
    exchange = asked.exchange
    theirs = their_embeddings(asked.codec, provider, target.model)
    exchange.losses.found.clear()
    asking = _Asking(asked, theirs, provider, target.model, now=now, ports=ports)
    if theirs.dialect == asked.codec.dialect and asking.passes:
        exchange.lane = Lane.PATCH if provider.quirks else Lane.PASSTHROUGH
        body = asking.forwarded()
        if exchange.losses.found:
            check_losses(exchange, now.snapshot)
        return await _passed_on(asking, body)
    exchange.lane = Lane.TRANSLATE
    request = replace(asked.request(), model=target.model)
    parts = _parts(request, theirs.batch)
    bodies = [asking.written(part) for part in parts]
    if exchange.losses.found:
        check_losses(exchange, now.snapshot)
    return await _translated(asking, request, parts, bodies)


def their_embeddings(ours: EmbedCodec, provider: Provider, model: str) -> EmbedCodec:
    """The codec to ask `provider` in: the caller's own where the model is served in it, else the best one.

    Raises UNSUPPORTED where the provider embeds nothing.
    """
    spoken = spoken_for(Operation.EMBED, provider, model)
    if not spoken:
        raise GatewayError(Kind.UNSUPPORTED, f"the provider {provider.name} gives no embeddings", param="model")
    return ours if ours.dialect in spoken else EMBED_CODECS[spoken[0]]


class _Asking:
    """One target, and the way to ask it."""

    def __init__(
        self, asked: _Asked, theirs: EmbedCodec, provider: Provider, model: str, *, now: Now, ports: Ports
    ) -> None:
        self.exchange = asked.exchange
        self.ours = asked.codec
        self.theirs = theirs
        self._asked = asked
        self.provider = provider
        self._model = model
        self._ports = ports
        self._limit = now.snapshot.limits.reply_body
        self.shown = model if now.snapshot.habits.real_model_name else asked.peek.model

    @property
    def renamed(self) -> bool:
        """Must what is passed on show another name than the provider's?"""
        return self.shown != self._model

    @property
    def passes(self) -> bool:
        """May the caller's bytes go on? Where the model stands in the path, they may hold its name once more."""
        return not self.theirs.model_in_path or self._model == self._asked.peek.model

    def forwarded(self) -> bytes:
        """The caller's own body, with the provider's name for the model."""
        body, model = self._asked.body, self._model
        if not self.theirs.model_in_path and model != self._asked.peek.model:
            body = json.splice(body, {"model": json.raw(model)})
        return self._suited(body)

    def written(self, request: EmbedRequest) -> bytes:
        """The request in the provider's dialect."""
        body = self.theirs.write_request(request, self.provider.profile(self._model), self.exchange.losses)
        return self._suited(body)

    def _suited(self, body: bytes) -> bytes:
        """What the host refuses is left out. What it wants set concerns chats."""
        quirks = self.provider.quirks
        if quirks is None or not (quirks.rename or quirks.drop):
            return body
        fields: dict[str, Raw] = json.read_fields(body)
        return json.encode(apply_quirks(fields, replace(quirks, default={}), self.exchange.losses))

    async def ask(self, body: bytes) -> tuple[Headers, bytes]:
        """Send one request; the answer's headers and body. Raises what the provider refused."""
        theirs = self.theirs
        aim = Aim(Operation.EMBED, theirs.dialect, self._model)
        signed = outgoing(self.provider, aim, body, call=self.exchange.call, ours=self.ours)
        incoming = await send(signed, aim, self.provider, self._ports)
        self.exchange.hear(incoming.headers)
        try:
            if not 200 <= incoming.status < 300:
                raise theirs.read_error(incoming.status, incoming.headers, await incoming.body(ERROR_BODY))
            return incoming.headers, await incoming.body(self._limit)
        finally:
            incoming.close()

    async def vectors(self, body: bytes, wanted: int) -> tuple[Headers, EmbedReply]:
        """The answer, read. Raises GARBLED when it does not hold one vector for each input."""
        headers, answer = await self.ask(body)
        reply = self.theirs.read_reply(answer)
        if len(reply.vectors) != wanted:
            found = len(reply.vectors)
            raise GatewayError(Kind.GARBLED, f"the provider sent {found} vectors for {wanted} inputs")
        return headers, reply


async def _passed_on(asking: _Asking, body: bytes) -> Answer:
    codec, exchange = asking.ours, asking.exchange
    headers, answer = await asking.ask(body)
    exchange.usage = codec.read_reply(answer).usage if codec.tap_reply is None else codec.tap_reply(answer)
    if asking.renamed:
        answer = rename_whole(answer, codec, asking.shown)
    return Answer(200, reply_headers(exchange, headers, codec, b"application/json", asking.provider), answer)


async def _translated(
    asking: _Asking, request: EmbedRequest, parts: Sequence[EmbedRequest], bodies: Sequence[bytes]
) -> Answer:
    jobs = [partial(asking.vectors, body, len(part.inputs)) for part, body in zip(parts, bodies, strict=True)]
    answers = await each(jobs)
    exchange = asking.exchange
    reply = replace(joined([reply for _, reply in answers]), model=asking.shown)
    exchange.usage = reply.usage
    body = asking.ours.write_reply(reply, request, exchange.losses)
    headers = reply_headers(exchange, answers[0][0], asking.ours, b"application/json", asking.provider)
    return Answer(200, headers, body)


def _parts(request: EmbedRequest, size: int) -> Sequence[EmbedRequest]:
    """The request in pieces of at most `size` inputs."""
    inputs = request.inputs
    if len(inputs) <= size:
        return (request,)
    return [replace(request, inputs=inputs[start : start + size]) for start in range(0, len(inputs), size)]


def joined(replies: Sequence[EmbedReply]) -> EmbedReply:
    """One answer of several: all vectors in order, and the sum of what they cost."""
    if len(replies) == 1:
        return replies[0]
    counted = [reply.usage for reply in replies if reply.usage is not None]
    usage = reduce(lambda sum_, one: Usage(fresh_input=sum_.input + one.input), counted, Usage()) if counted else None
    vectors = tuple(vector for reply in replies for vector in reply.vectors)
    return replace(replies[0], vectors=vectors, usage=usage)
