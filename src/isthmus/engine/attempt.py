"""One try at one target, for a conversation."""

from collections.abc import Sequence
from copy import copy
from functools import partial

from msgspec.structs import replace

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.fold import fold
from isthmus.core.operations import Operation
from isthmus.core.reply import ChatReply, says_nothing
from isthmus.core.value import Value
from isthmus.dialects.codec import Codec, Peek
from isthmus.engine.affinity import find_bond
from isthmus.engine.answer import Answer
from isthmus.engine.asked import Asked
from isthmus.engine.continuation import Continuation
from isthmus.engine.empty import Aside
from isthmus.engine.exchange import Exchange, Lane
from isthmus.engine.hedge import Race
from isthmus.engine.lane import choose_lane, forward, names_files, outgoing, their_codec, translate
from isthmus.engine.live import Now
from isthmus.engine.loss_policy import check_losses
from isthmus.engine.media import inline_media
from isthmus.engine.ports import Incoming, Ports
from isthmus.engine.reasoning_memory import Gatherer
from isthmus.engine.relay import Passage, Translation
from isthmus.engine.renaming import Renaming, rename_whole
from isthmus.engine.repeatable import leaves_nothing, lets_act
from isthmus.engine.reply_headers import reply_headers
from isthmus.engine.send import ERROR_BODY, send
from isthmus.engine.several import Several
from isthmus.engine.traits import take_branch
from isthmus.engine.walk import in_order
from isthmus.providers.provider import Aim, Provider
from isthmus.routing.plan import Target
from isthmus.wire.framings import CONTENT_TYPES
from isthmus.wire.headers import find

_TRANSLATE, _CHAT = Lane.TRANSLATE, Operation.CHAT


async def attempt_in_order(exchange: Exchange, asked: Asked, now: Now, ports: Ports) -> Answer:
    """Walk the plan until a target answers. Raises the last error when none does."""
    assert exchange.plan is not None  # noqa: S101  the line has planned before
    if exchange.plan.rules.branches:
        take_branch(exchange, asked.body, asked.request, now, ports)
    lone = now.places.lone(exchange.plan)
    if lone is None and ports.memory is not None and now.places.several(exchange.plan):
        exchange.bond = await find_bond(exchange, asked.body, now.snapshot.affinity, ports.memory)
    once = partial(attempt_at, exchange, asked=asked, now=now, ports=ports)
    race = _race(exchange, asked, now, ports) if exchange.plan.rules.hedge is not None else None
    try:
        answer = await in_order(exchange, once, now, ports, race, body=asked.body, lone=lone)
    except GatewayError:
        if asked.aside is None:
            raise
        return asked.aside.passed_on(exchange)
    asked.aside = None
    if exchange.plan.rules.shadow is not None and ports.shadows is not None:
        ports.shadows.cast(exchange, partial(attempt_in_order, asked=copy(asked), ports=ports), now, ports)
    return answer if race is None else race.settled(answer)


def _race(exchange: Exchange, asked: Asked, now: Now, ports: Ports) -> Race[Answer] | None:
    """For a stream that may be asked of two places at once. None for all others."""
    if exchange.peek is None or not exchange.peek.stream:
        return None
    once = partial(attempt_at, asked=asked, now=now, ports=ports)
    return Race(exchange, once, now, ports) if leaves_nothing(asked.body, asked.codec, asked.request) else None


class _Try(Value, frozen=True):
    """One try: whom to ask, in which dialect, and for what."""

    exchange: Exchange
    target: Target
    provider: Provider
    asked: Asked
    theirs: Codec
    now: Now
    ports: Ports

    @property
    def stream(self) -> bool:
        """Does the caller want a stream?"""
        return self.exchange.peek is not None and self.exchange.peek.stream

    @property
    def limit(self) -> int:
        return self.now.snapshot.limits.reply_body

    @property
    def shown(self) -> str:
        """The name for the model that the answer shows."""
        peek, habits = self.exchange.peek, self.now.snapshot.habits
        return self.target.model if peek is None or habits.real_model_name else peek.model

    def content(self, answer: Answer) -> Answer:
        """The answer. Raises EMPTY for the first one that is, which is set aside; the second is what there is.

        A provider that may do more than answer, as in the background, is not made to do it twice.
        """
        if not answer.empty or lets_act(self.asked.body, self.asked.request):
            return answer
        if self.asked.aside is None:
            self.asked.aside = Aside(self.exchange, answer)
            raise GatewayError(Kind.EMPTY, f"{self.provider.name} answered, and said nothing")
        self.exchange.empty = True
        return answer


async def attempt_at(
    exchange: Exchange, target: Target, provider: Provider, *, asked: Asked, now: Now, ports: Ports
) -> Answer:
    ours, theirs = asked.codec, their_codec(asked.codec, provider, target.model)
    assert exchange.peek is not None  # noqa: S101  the line has peeked before it attempts
    assert exchange.plan is not None  # noqa: S101  the line has planned before it attempts
    thinking = exchange.plan.reasoning
    anew = thinking is not None or (ports.fetcher is not None and names_files(asked.body, provider, target.model))
    if exchange.plan.rules.continues and provider.emulator is None and asked.can_break_off():
        anew = continues = True
    else:
        continues = False
    exchange.lane = lane = _TRANSLATE if anew else choose_lane(ours, theirs, provider, exchange.peek)
    exchange.losses.found.clear()
    one = _Try(exchange, target, provider, asked, theirs, now, ports)
    if lane is not _TRANSLATE:
        return one.content(await _carried(one, exchange.peek))
    if ours.split is not None and len(pieces := ours.split(asked.body)) > 1:
        return await _several_answered(one, pieces)
    request = asked.request() if thinking is None else replace(asked.request(), reasoning=thinking)
    return one.content(await _said_anew(one, request, continues=continues))


async def _carried(one: _Try, peek: Peek) -> Answer:
    """The caller's own body goes on, and so does the answer, unless it came otherwise than it was asked for."""
    exchange, ours = one.exchange, one.asked.codec
    body = forward(one.asked.body, peek, ours, provider=one.provider, model=one.target.model, losses=exchange.losses)
    incoming = await _send(one, body)
    try:
        if not 200 <= incoming.status < 300:
            raise await _refusal(one, incoming)
        streamed = _is_stream(one, incoming)
        if one.stream == streamed:
            return await (_stream_passed_on(one, incoming) if streamed else _passed_on(one, incoming))
        translation = Translation(
            exchange, incoming, one.theirs, ours, emulator=None, provider=one.provider, input_estimate=0
        )
        translation.model = one.shown
        return await _translated(translation, streamed=streamed, limit=one.limit)
    except BaseException:
        incoming.close()
        raise


async def _said_anew(one: _Try, request: ChatRequest, *, continues: bool) -> Answer:
    """The request is written in the provider's dialect, and the answer in the caller's."""
    translation, streamed = await _asked_anew(one, request)
    if continues:
        leg = partial(_rest, asked=one.asked, now=one.now, ports=one.ports)
        words = Continuation(one.exchange, request, leg, body=one.asked.body, now=one.now, ports=one.ports)
        translation.followed = partial(words.follow, provider=one.provider)
    try:
        return await _translated(translation, streamed=streamed, limit=one.limit)
    except BaseException:
        translation.incoming.close()
        raise


async def _rest(
    exchange: Exchange,
    target: Target,
    provider: Provider,
    request: ChatRequest,
    *,
    asked: Asked,
    now: Now,
    ports: Ports,
) -> Translation:
    """The answer of another target to a request that goes on where an answer broke off, as soon as it has begun."""
    one = _Try(exchange, target, provider, asked, their_codec(asked.codec, provider, target.model), now, ports)
    translation, streamed = await _asked_anew(one, request)
    try:
        await _begun(translation, streamed=streamed, limit=one.limit)
    except BaseException:
        translation.incoming.close()
        raise
    return translation


async def _asked_anew(one: _Try, request: ChatRequest) -> tuple[Translation, bool]:
    """The answer's head: what will be made of the rest, and whether it is a stream."""
    exchange, provider, ports, ours = one.exchange, one.provider, one.ports, one.asked.codec
    emulator = provider.emulator() if provider.emulator is not None else None
    gatherer = Gatherer(ports.memory, provider, one.target.model) if ports.memory and emulator is None else None
    if gatherer is not None:
        request = await gatherer.recall(request, exchange.losses)
    if ports.fetcher is not None and not (one.theirs.fetches and provider.profile(one.target.model).fetches):
        request = await inline_media(request, ports.fetcher, ports.memory)
    body = translate(
        request, one.theirs, provider=provider, model=one.target.model, emulator=emulator, losses=exchange.losses
    )
    incoming = await _send(one, body)
    try:
        if not 200 <= incoming.status < 300:
            raise await _refusal(one, incoming)
        streamed = _is_stream(one, incoming)
        guess = _guess(exchange, one.asked, one.target.model, ports) if one.stream else 0
        translation = Translation(
            exchange, incoming, one.theirs, ours, emulator=emulator, provider=provider, input_estimate=guess
        )
        translation.model = one.shown
        translation.gatherer = gatherer
        translation.marker = ours.done_marker if one.now.snapshot.habits.done_marker else b""
        translation.echo = ours.echo(one.asked.request()) if ours.echo is not None else None
    except BaseException:
        incoming.close()
        raise
    return translation, streamed


async def _send(one: _Try, body: bytes) -> Incoming:
    """Ask, unless something is lost of what may lose nothing."""
    exchange, envelope = one.exchange, one.provider.envelope
    aim = Aim(_CHAT, one.theirs.dialect, one.target.model, one.stream)
    if envelope is not None and envelope.note is not None and one.asked.codec.dialect == aim.dialect:
        envelope.note(aim, exchange.call.headers, body, exchange.losses)
    if exchange.losses.found:
        check_losses(exchange, one.now.snapshot)
    signed = outgoing(one.provider, aim, body, call=exchange.call, ours=one.asked.codec)
    incoming = await send(signed, aim, one.provider, one.ports)
    exchange.hear(incoming.headers)
    return incoming


async def _refusal(one: _Try, incoming: Incoming) -> GatewayError:
    """What the provider refused with."""
    envelope = one.provider.envelope
    read_error = (envelope and envelope.read_error) or one.theirs.read_error
    return read_error(incoming.status, incoming.headers, await incoming.body(ERROR_BODY))


def _is_stream(one: _Try, incoming: Incoming) -> bool:
    told = find(incoming.headers, b"content-type")
    return told is not None and told.find(CONTENT_TYPES[one.theirs.framing]) >= 0  # `in` raises and catches an error


def _guess(exchange: Exchange, asked: Asked, model: str, ports: Ports) -> int:
    """Tokens of input, for a caller who is told at once; what the provider counts will show how good it was."""
    exchange.guessed = ports.counting.guess(asked.request(), model)
    return ports.counting.corrected(exchange.guessed, model)


async def _passed_on(one: _Try, incoming: Incoming) -> Answer:
    exchange, codec = one.exchange, one.asked.codec
    body = await incoming.body(one.limit)
    exchange.usage = codec.tap_reply(body)
    incoming.close()
    empty = not (exchange.usage and exchange.usage.total_output) and _is_empty(body, codec)
    if (name := one.shown) != one.target.model:
        body = rename_whole(body, codec, name)
    headers = reply_headers(exchange, incoming.headers, codec, b"application/json", one.provider)
    return Answer(incoming.status, headers, body, empty=empty)


def _is_empty(body: bytes, codec: Codec) -> bool:
    """Does a whole answer say nothing? What cannot be read is its client's to judge."""
    try:
        return says_nothing(codec.read_reply(body))
    except GatewayError:
        return False


async def _stream_passed_on(one: _Try, incoming: Incoming) -> Answer:
    exchange, codec = one.exchange, one.asked.codec
    passage = Passage(exchange, incoming, codec, provider=one.provider)
    if (name := one.shown) != one.target.model and codec.shown_as:
        passage.renaming = Renaming(codec, name)
    await passage.commit()
    exchange.upstream = incoming
    headers = reply_headers(exchange, incoming.headers, codec, codec.content_type, one.provider)
    return Answer(200, headers, stream=passage.chunks(), empty=passage.empty)


async def _several_answered(one: _Try, pieces: Sequence[bytes]) -> Answer:
    exchange, ours = one.exchange, one.asked.codec
    several = Several(exchange, ours, one.theirs, provider=one.provider, model=one.target.model, limit=one.limit)
    several.shown = one.shown
    written = several.write(pieces)
    check_losses(exchange, one.now.snapshot)
    reply = await several.ask(written, one.ports)
    if ours.echo is not None:
        reply = replace(reply, echo=ours.echo(one.asked.request()))
    if one.stream:
        return Answer(200, reply_headers(exchange, (), ours, ours.content_type), stream=several.chunks(reply))
    body = ours.write_reply(reply, exchange.losses)
    return Answer(200, reply_headers(exchange, (), ours, b"application/json"), body)


async def _translated(translation: Translation, *, streamed: bool, limit: int) -> Answer:
    """Any of the four: what the provider sent, whole or streamed, as the caller asked for it, whole or streamed."""
    exchange, ours = translation.exchange, translation.ours
    headers = translation.incoming.headers
    reply = await _begun(translation, streamed=streamed, limit=limit)
    if translation.asked_stream:
        empty = translation.empty if reply is None else says_nothing(reply)
        told = reply_headers(exchange, headers, ours, ours.content_type, translation.provider)
        return Answer(200, told, stream=translation.chunks(), empty=empty)
    if reply is None or translation.emulated:
        reply = fold([event async for event in translation.events()])
    exchange.usage = reply.usage
    await translation.remember(reply)
    body = ours.write_reply(translation.shown(reply), exchange.losses)
    told = reply_headers(exchange, headers, ours, b"application/json", translation.provider)
    return Answer(200, told, body, empty=says_nothing(reply))


async def _begun(translation: Translation, *, streamed: bool, limit: int) -> ChatReply | None:
    """Wait until the answer has begun. The answer itself where it came whole."""
    if streamed:
        await translation.commit()
        translation.exchange.upstream = translation.incoming
        return None
    reply = translation.theirs.read_reply(await translation.incoming.body(limit))
    translation.incoming.close()
    translation.begin(reply)
    return reply
