"""The line itself: one client request, from bytes to an answer. Each step is a function in its own file."""

import math
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind, Tell
from isthmus.dialects.codec import Codec, Peek
from isthmus.dialects.openai.responses.kept import unknown_previous
from isthmus.engine.admit import identify
from isthmus.engine.answer import Answer
from isthmus.engine.asked import Asked
from isthmus.engine.attempt import attempt_in_order
from isthmus.engine.exchange import Call, Exchange
from isthmus.engine.kept import Shelf, keep, resume
from isthmus.engine.live import Now
from isthmus.engine.permits import hold_to_permits
from isthmus.engine.ports import Memory, Ports
from isthmus.engine.reply_headers import route_headers
from isthmus.engine.response_cache import through_cache
from isthmus.engine.snapshot import Habits
from isthmus.routing.names import Directory, UnknownName
from isthmus.routing.plan import Plan
from isthmus.wire.headers import Headers


async def serve(exchange: Exchange, receive: Callable[[int], Awaitable[bytes]], now: Now, ports: Ports) -> Answer:
    """Answer one request. `receive` gives its body, or raises TOO_LARGE beyond so many bytes.

    Never raises for what can go wrong: that becomes an answer in the caller's dialect. Being
    cancelled means that the client has left; nothing upstream survives it.
    """
    try:
        exchange.client = identify(exchange.call.presented, now.snapshot, exchange.at)
        body = await receive(now.snapshot.limits.request_body)
        codec = exchange.call.codec
        assert isinstance(codec, Codec)  # noqa: S101  what the route says
        exchange.peek = peek = look(exchange.call, body, now.snapshot.habits)
        exchange.plan = plan_for(peek.model, now.directory)
        if exchange.client.permits is not None:
            now = hold_to_permits(exchange, now)
        if codec.aside is not None and (words := codec.aside(body, int(exchange.clock.time()))) is not None:
            return Answer(200, ((b"content-type", b"application/json"), (b"x-isthmus-id", exchange.id.encode())), words)
        if codec.keeps and ports.memory is not None:
            return await _kept(exchange, body, codec, now=now, ports=ports, memory=ports.memory)
        asked = Asked(body, codec, peek)
        if now.snapshot.caching is not None:
            return await through_cache(exchange, asked, now, ports)
        return await attempt_in_order(exchange, asked, now, ports)
    except GatewayError as error:
        exchange.fail(error)
        return refuse(exchange, error)


async def _kept(exchange: Exchange, body: bytes, codec: Codec, *, now: Now, ports: Ports, memory: Memory) -> Answer:
    """The rest of the line where an answer may continue another, and may be continued."""
    shelf = Shelf(memory, exchange.client.owner)
    asked = await continued(exchange, body, codec, shelf)
    line = attempt_in_order if now.snapshot.caching is None else through_cache
    return await keep(await line(exchange, asked, now, ports), body, exchange, shelf)


async def continued(exchange: Exchange, body: bytes, codec: Codec, shelf: Shelf) -> Asked:
    """What is asked, with all that it continues."""
    assert exchange.peek is not None  # noqa: S101  the line has peeked before
    whole, unknown = await resume(body, shelf)
    asked = Asked(whole, codec, exchange.peek)
    if unknown is not None:
        asked.unknown = unknown_previous(unknown)
    return asked


def look(call: Call, body: bytes, habits: Habits = Habits()) -> Peek:  # noqa: B008  a frozen value
    """What routing needs of a request: from its body, or from its path where the dialect has the model there."""
    peek = call.codec.peek(body)
    if not peek.stream_said and not habits.ollama_streams:
        peek = replace(peek, stream=False)
    if call.named is None:
        return peek
    return replace(peek, model=call.named.model, stream=peek.stream or call.named.stream)


def plan_for(model: str, directory: Directory) -> Plan:
    """The targets for the model that is asked for, or UNKNOWN_MODEL with the nearest names."""
    try:
        return directory.plan(model)
    except UnknownName as unknown:
        near = f"; the nearest names are {', '.join(unknown.near)}" if unknown.near else ""
        message = f"Model '{unknown.name[:200]}' not found in any enabled provider{near}"
        raise GatewayError(Kind.UNKNOWN_MODEL, message, param="model") from unknown


def refuse(exchange: Exchange, error: GatewayError) -> Answer:
    """The error as an answer. The provider's own body is kept where its dialect is the caller's."""
    codec, words = exchange.call.codec, error.upstream
    if words is not None and words.dialect == codec.dialect and error.rule.tell is Tell.EVERYTHING:
        body = words.body
    else:
        body = codec.write_error(error)
    return Answer(error.status, error_headers(error, exchange.id) + route_headers(exchange), body)


def error_headers(error: GatewayError, exchange_id: str) -> Headers:
    headers: Headers = ((b"content-type", b"application/json"), (b"x-isthmus-id", exchange_id.encode()))
    if error.retry_after is not None:
        headers += ((b"retry-after", b"%d" % math.ceil(error.retry_after)),)
    return headers
