"""One try at one target, for a conversation."""

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError
from isthmus.core.fold import fold
from isthmus.core.operations import Operation
from isthmus.dialects.codec import AnyCodec, Codec, Peek
from isthmus.engine.answer import Answer
from isthmus.engine.exchange import Exchange, Lane
from isthmus.engine.lane import choose_lane, forward, outgoing, their_codec, translate
from isthmus.engine.live import Now
from isthmus.engine.loss_policy import check_losses
from isthmus.engine.media import inline_media
from isthmus.engine.ports import Incoming, Ports
from isthmus.engine.reasoning_memory import Gatherer
from isthmus.engine.relay import Passage, Translation
from isthmus.engine.send import ERROR_BODY, send
from isthmus.engine.several import Several
from isthmus.engine.walk import in_order
from isthmus.providers.provider import Aim, Provider
from isthmus.routing.plan import Target
from isthmus.wire.framings import CONTENT_TYPES
from isthmus.wire.headers import Headers, find, pick


class Asked:
    """The caller's request on its way to several targets. It is read at most once, and only if a lane needs it.

    `peek` says what stands in its path where the dialect has the model there.
    """

    __slots__ = ("_peek", "_read", "body", "codec", "unknown")

    def __init__(self, body: bytes, codec: Codec, peek: Peek) -> None:
        self.body = body
        self.codec = codec
        self._peek = peek
        self._read: ChatRequest | None = None
        self.unknown: GatewayError | None = None

    def request(self) -> ChatRequest:
        """What is asked. Raises INVALID, and `unknown` where it continues something that only its provider may have."""
        if self.unknown is not None:
            raise self.unknown
        if self._read is None:
            read = self.codec.read_request(self.body)
            named = self.codec.model_in_path
            self._read = replace(read, model=self._peek.model, stream=self._peek.stream) if named else read
        return self._read


async def attempt_in_order(exchange: Exchange, asked: Asked, now: Now, ports: Ports) -> Answer:
    """Walk the plan until a target answers. Raises the last error when none does."""
    return await in_order(exchange, partial(_attempt, exchange, asked=asked, now=now, ports=ports), now, ports)


async def _attempt(
    exchange: Exchange, target: Target, provider: Provider, *, asked: Asked, now: Now, ports: Ports
) -> Answer:
    ours = asked.codec
    theirs = their_codec(ours, provider, target.model)
    assert exchange.peek is not None  # noqa: S101  the line has peeked before it attempts
    assert exchange.plan is not None  # noqa: S101  the line has planned before it attempts
    thinking = exchange.plan.reasoning
    exchange.lane = lane = choose_lane(ours, theirs, provider, exchange.peek) if thinking is None else Lane.TRANSLATE
    exchange.losses.found.clear()
    limit = now.snapshot.limits.reply_body
    if ours.split is not None and lane is Lane.TRANSLATE and len(pieces := ours.split(asked.body)) > 1:
        several = Several(exchange, ours, theirs, provider=provider, model=target.model, limit=limit)
        return await _several_answered(several, pieces, exchange, asked, now=now, ports=ports)
    emulator = provider.emulator() if provider.emulator is not None else None
    gatherer = _gatherer(provider, target.model, ports) if lane is Lane.TRANSLATE and emulator is None else None
    if lane is Lane.TRANSLATE:
        request = asked.request() if thinking is None else replace(asked.request(), reasoning=thinking)
        if gatherer is not None:
            request = await gatherer.recall(request, exchange.losses)
        if ports.fetcher is not None and not (theirs.fetches and provider.profile(target.model).fetches):
            request = await inline_media(request, ports.fetcher, ports.memory)
        body = translate(
            request, theirs, provider=provider, model=target.model, emulator=emulator, losses=exchange.losses
        )
    else:
        body = forward(asked.body, exchange.peek, ours, provider=provider, model=target.model, losses=exchange.losses)
    if exchange.losses.found:
        check_losses(exchange, now.snapshot)
    stream = exchange.peek.stream
    aim = Aim(Operation.CHAT, theirs.dialect, target.model, stream)
    signed = outgoing(provider, aim, body, client=exchange.call.headers, ours=ours)
    incoming = await send(signed, aim, provider, ports)
    try:
        if not 200 <= incoming.status < 300:
            read_error = (provider.envelope and provider.envelope.read_error) or theirs.read_error
            raise read_error(incoming.status, incoming.headers, await incoming.body(ERROR_BODY))
        streamed = CONTENT_TYPES[theirs.framing] in (find(incoming.headers, b"content-type") or b"")
        if lane is not Lane.TRANSLATE and stream == streamed:
            if stream:
                return await _stream_passed_on(exchange, incoming, ours, provider)
            return await _passed_on(exchange, incoming, ours, limit)
        guess = _guess(exchange, asked, target.model, ports) if stream and lane is Lane.TRANSLATE else 0
        translation = Translation(
            exchange,
            incoming,
            theirs,
            ours,
            emulator=emulator,
            provider=provider,
            input_estimate=guess,
        )
        translation.gatherer = gatherer
        translation.echo = ours.echo(asked.request()) if ours.echo is not None else None
        return await _translated(translation, streamed=streamed, limit=limit)
    except BaseException:
        incoming.close()
        raise


def _guess(exchange: Exchange, asked: Asked, model: str, ports: Ports) -> int:
    """Tokens of input, for a caller who is told at once; what the provider counts will show how good it was."""
    exchange.guessed = ports.counting.guess(asked.request(), model)
    return ports.counting.corrected(exchange.guessed, model)


def _gatherer(provider: Provider, model: str, ports: Ports) -> Gatherer | None:
    return None if ports.memory is None else Gatherer(ports.memory, provider, model)


async def _passed_on(exchange: Exchange, incoming: Incoming, codec: Codec, limit: int) -> Answer:
    body = await incoming.body(limit)
    exchange.usage = codec.tap_reply(body)
    incoming.close()
    return Answer(incoming.status, reply_headers(exchange, incoming.headers, codec, b"application/json"), body)


async def _stream_passed_on(exchange: Exchange, incoming: Incoming, codec: Codec, provider: Provider) -> Answer:
    passage = Passage(exchange, incoming, codec, provider=provider)
    await passage.commit()
    headers = reply_headers(exchange, incoming.headers, codec, codec.content_type)
    return Answer(200, headers, stream=passage.chunks())


async def _several_answered(
    several: Several, pieces: Sequence[bytes], exchange: Exchange, asked: Asked, *, now: Now, ports: Ports
) -> Answer:
    ours = asked.codec
    written = several.write(pieces)
    check_losses(exchange, now.snapshot)
    reply = await several.ask(written, ports)
    if ours.echo is not None:
        reply = replace(reply, echo=ours.echo(asked.request()))
    if exchange.peek is not None and exchange.peek.stream:
        return Answer(200, reply_headers(exchange, (), ours, ours.content_type), stream=several.chunks(reply))
    body = ours.write_reply(reply, exchange.losses)
    return Answer(200, reply_headers(exchange, (), ours, b"application/json"), body)


async def _translated(translation: Translation, *, streamed: bool, limit: int) -> Answer:
    """Any of the four: what the provider sent, whole or streamed, as the caller asked for it, whole or streamed."""
    exchange, ours = translation.exchange, translation.ours
    headers = translation.incoming.headers
    if streamed:
        await translation.commit()
    else:
        reply = translation.theirs.read_reply(await translation.incoming.body(limit))
        translation.incoming.close()
        translation.begin(reply)
    if translation.asked_stream:
        return Answer(200, reply_headers(exchange, headers, ours, ours.content_type), stream=translation.chunks())
    if streamed or translation.emulated:
        reply = fold([event async for event in translation.events()])
    exchange.usage = reply.usage
    await translation.remember(reply)
    body = ours.write_reply(translation.shown(reply), exchange.losses)
    return Answer(200, reply_headers(exchange, headers, ours, b"application/json"), body)


def reply_headers(exchange: Exchange, upstream: Headers, codec: AnyCodec, content_type: bytes) -> Headers:
    """The answer's headers: ours, and those of the upstream's that this dialect's clients know."""
    headers: Headers = (
        (b"content-type", content_type),
        (b"x-isthmus-id", exchange.id.encode()),
        *pick(upstream, codec.passed_reply_headers),
    )
    if exchange.losses.found:
        headers += ((b"x-isthmus-losses", told_losses(exchange)),)
    return headers


def told_losses(exchange: Exchange) -> bytes:
    """The ledger as one header of at most about a kilobyte: `path;deed` items, and how many more there are."""
    items, size = [], 0
    found = exchange.losses.found
    for loss in found:
        item = f"{loss.path};{loss.deed}".encode("ascii", "replace").replace(b"\n", b" ").replace(b"\r", b" ")
        size += len(item) + 2
        if size > 1000:
            break
        items.append(item)
    left = len(found) - len(items) + exchange.losses.more
    return b", ".join(items) + (b", +%d more" % left if left else b"")
