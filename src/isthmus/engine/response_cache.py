"""Answers that are kept for the same request to come again: exactly the same, byte for byte, from the same audience.

An answer is kept once it is whole and good; a stream with its pieces, so that it is given as a stream again. Requests
that may act, that continue others or that a provider keeps are neither kept nor answered from here.
"""

import hashlib

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.dialects.codec import Codec
from isthmus.engine.admission import admission
from isthmus.engine.answer import Answer, Chunks
from isthmus.engine.asked import Asked
from isthmus.engine.attempt import attempt_in_order
from isthmus.engine.caching import NO_WISH, CacheRule, Wish, read_wish
from isthmus.engine.exchange import Exchange
from isthmus.engine.live import Now
from isthmus.engine.ports import Memory, Ports
from isthmus.engine.repeatable import leaves_nothing
from isthmus.wire import json
from isthmus.wire.headers import Headers, find

FORM = b"1"
"""Of what lies in the memory, and of the keys; another form is not found."""
_HEADERS = (b"anthropic-version", b"anthropic-beta", b"openai-beta", b"x-isthmus-on-loss", b"x-isthmus-tags")
"""Headers of a request that its answer may depend on."""
_KEPT = (b"content-type", b"x-isthmus-losses", b"x-isthmus-route")
"""Headers of an answer that are told again."""
TOLD = b"x-isthmus-cache"
NO_RULE = CacheRule()


class _Head(Value, frozen=True):
    """What lies before the bytes of an answer. `sizes` are those of a stream's pieces, None for a whole answer."""

    at: float
    headers: tuple[tuple[str, str], ...]
    sizes: tuple[int, ...] | None


_read_head = json.decoder(_Head)


class Kept(Value, frozen=True):
    """An answer that was kept at Unix time `at`."""

    at: float
    headers: Headers
    pieces: tuple[bytes, ...]
    stream: bool


async def through_cache(exchange: Exchange, asked: Asked, now: Now, ports: Ports) -> Answer:
    """The kept answer to this request, or a new one, which is kept. Raises as the line, and TIMED_OUT for a request
    that wants a kept answer or none."""
    assert exchange.plan is not None  # noqa: S101  the line has planned before
    rule, memory = now.snapshot.caching or NO_RULE, ports.answers
    seconds = rule.seconds_for(exchange.client, exchange.plan.name)
    if memory is None or seconds is None or not leaves_nothing(asked.body, asked.codec, asked.request):
        return await attempt_in_order(exchange, asked, now, ports)
    wish = read_wish(exchange.call.headers)
    key = f"answer:{_digest(exchange, asked, rule, now)}"
    found = None if wish.fresh else await _find(memory, key)
    age = 0.0 if found is None else ports.clock.time() - found.at
    if found is not None and age <= min(seconds, seconds if wish.oldest is None else wish.oldest):
        return await _again(exchange, found, age, now=now, ports=ports)
    if wish.only_kept:
        raise GatewayError(Kind.TIMED_OUT, "no answer to this request is kept (cache-control: only-if-cached)")
    answer = await attempt_in_order(exchange, asked, now, ports)
    told = replace(answer, headers=(*answer.headers, (TOLD, _word(wish))))
    if not wish.keep or answer.status != 200 or answer.empty:
        return told
    if answer.stream is not None:
        return replace(told, stream=_keeping(told, exchange, key, rule=rule, ports=ports))
    if len(answer.body) <= rule.most_bytes:
        await keep(exchange, key, told, (answer.body,), ports=ports)
    return told


def _word(wish: Wish) -> bytes:
    return b"bypass" if wish.fresh and wish != NO_WISH else b"miss"


async def _again(exchange: Exchange, found: Kept, age: float, *, now: Now, ports: Ports) -> Answer:
    """The kept answer once more. It counts as a request of its client's, and costs nothing."""
    admitted = admission(exchange, None, now, ports)
    if admitted is not None:
        await admitted.enter()
    exchange.cached = True
    own = ((b"x-isthmus-id", exchange.id.encode()), (TOLD, b"hit"), (b"age", b"%d" % max(0, int(age))))
    if found.stream:
        return Answer(200, found.headers + own, stream=_pieces(exchange, found))
    return Answer(200, found.headers + own, b"".join(found.pieces))


async def _pieces(exchange: Exchange, found: Kept) -> Chunks:
    exchange.first_byte_at = exchange.clock.now()
    for piece in found.pieces:
        yield piece


async def _keeping(answer: Answer, exchange: Exchange, key: str, *, rule: CacheRule, ports: Ports) -> Chunks:
    """What is passed on is gathered as well, as long as it is short enough."""
    assert answer.stream is not None  # noqa: S101  only streams are watched
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in answer.stream:
            size += len(piece)
            if size <= rule.most_bytes:
                pieces.append(piece)
            yield piece
    finally:
        await answer.stream.aclose()
    if size <= rule.most_bytes:
        await keep(exchange, key, answer, tuple(pieces), ports=ports)


async def keep(exchange: Exchange, key: str, answer: Answer, pieces: tuple[bytes, ...], *, ports: Ports) -> None:
    """Keep an answer whose last byte is there, unless it broke off or says nothing."""
    memory = ports.answers
    if memory is None or exchange.error is not None or exchange.empty or exchange.seams:
        return
    head = _Head(
        ports.clock.time(),
        tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers if name in _KEPT),
        tuple(map(len, pieces)) if answer.stream is not None else None,
    )
    await memory.put((key,), json.encode(head) + b"\n" + b"".join(pieces))


async def _find(memory: Memory, key: str) -> Kept | None:
    value = (await memory.get((key,))).get(key)
    if value is None:
        return None
    told, _, body = value.partition(b"\n")
    try:
        head = _read_head(told)
    except json.DECODE_ERRORS:
        return None
    headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in head.headers)
    if head.sizes is None:
        return Kept(head.at, headers, (body,), stream=False)
    pieces, begin = [], 0
    for size in head.sizes:
        pieces.append(body[begin : begin + size])
        begin += size
    return Kept(head.at, headers, tuple(pieces), stream=True)


def _digest(exchange: Exchange, asked: Asked, rule: CacheRule, now: Now) -> str:
    """Of all that an answer depends on: who asks, what, in which dialect, and which targets would be asked."""
    call, plan, snapshot = exchange.call, exchange.plan, now.snapshot
    codec = call.codec
    assert isinstance(codec, Codec)  # noqa: S101  the line is one of chat
    targets, route = ((), "") if plan is None else (plan.targets, plan.name)
    named = "" if call.named is None else f"{call.named.model}\n{call.named.stream}"
    words = (
        FORM,
        rule.audience(exchange.client).encode(),
        f"{codec.dialect} {codec.framing} {named}".encode(),
        b" ".join(f"{one.provider}/{one.model}".encode() for one in targets),
        b"%d %d" % (snapshot.habits.real_model_name, snapshot.habits.done_marker),
        f"{exchange.client.on_loss} {snapshot.route_on_loss.get(route, snapshot.on_loss)}".encode(),
        *(find(call.headers, name) or b"" for name in _HEADERS),
        asked.body,
    )
    digest = hashlib.sha256()
    for word in words:
        digest.update(b"%d:" % len(word))
        digest.update(word)
    return digest.hexdigest()
