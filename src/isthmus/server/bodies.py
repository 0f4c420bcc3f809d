"""Request bodies in: bounded in size and in time, and unpacked when they came compressed."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from isthmus.core.errors import GatewayError, Kind
from isthmus.wire.headers import Headers, find

SILENCE = 60.0
"""Seconds that a client may pause in the middle of sending its body."""


class ClientLeft(Exception):
    """The client closed the connection before its request was complete."""


async def read_body(receive: Callable[[], Awaitable[MutableMapping[str, Any]]], headers: Headers, limit: int) -> bytes:
    """The body of a request, whole and unpacked, of at most `limit` bytes.

    Raises TOO_LARGE (before reading, when the length is declared), TIMED_OUT when the client
    pauses too long, INVALID for a content coding other than gzip, and ClientLeft.
    """
    _check_length(headers, limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientLeft
    body: bytes = message["body"]
    if message.get("more_body", False):
        body = await _rest(receive, body, limit)
    return unpacked(body, find(headers, b"content-encoding"), limit)


def unpacked(body: bytes, coding: bytes | None, limit: int) -> bytes:
    """A body that is here, without its `content-encoding`. Raises TOO_LARGE and INVALID."""
    if len(body) > limit:
        raise _too_large(limit)
    return body if coding is None else _unpack(body, coding.strip().lower(), limit)


def _check_length(headers: Headers, limit: int) -> None:
    """Refuse what is too long by its own word."""
    told = find(headers, b"content-length")
    if told is not None and told.isdigit() and int(told) > limit:
        raise _too_large(limit)


async def _rest(receive: Callable[[], Awaitable[MutableMapping[str, Any]]], first: bytes, limit: int) -> bytes:
    pieces, size, more, loop = [first], len(first), True, asyncio.get_running_loop()
    try:
        async with asyncio.timeout(SILENCE) as patience:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientLeft
                pieces.append(message["body"])
                size += len(message["body"])
                if size > limit:
                    raise _too_large(limit)
                more = message.get("more_body", False)
                patience.reschedule(loop.time() + SILENCE)
    except TimeoutError as error:
        words = f"the request's body paused for {SILENCE:.0f} s before it was complete"
        raise GatewayError(Kind.INVALID, words, status=408) from error
    return b"".join(pieces)


def _unpack(body: bytes, coding: bytes, limit: int) -> bytes:
    if coding == b"identity":
        return body
    if coding not in (b"gzip", b"x-gzip"):
        name = coding[:40].decode("latin-1")
        raise GatewayError(Kind.INVALID, f"content-encoding {name!r} is not understood; send gzip or plain JSON")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise GatewayError(Kind.INVALID, f"the body is not valid gzip: {error}") from error
    if len(plain) > limit:
        raise _too_large(limit)
    if not unpacker.eof:
        raise GatewayError(Kind.INVALID, "the gzip body ends before it is complete")
    return plain


def _too_large(limit: int) -> GatewayError:
    size = f"{limit / 2**20:g} MiB" if limit >= 2**20 else f"{limit} bytes"
    return GatewayError(
        Kind.TOO_LARGE, f"the request's body is larger than {size}; raise limits.request-body to allow it"
    )
