"""Media by URL made inline, for providers that fetch nothing. The same URL gives the same bytes for a while."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest
from isthmus.core.content import Inline, Media, Part, ToolResult, Url
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.fan_out import each

if TYPE_CHECKING:
    from isthmus.engine.ports import Fetcher, Memory

MOST = 20
"""Files fetched for one request."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Inline).decode


async def inline_media(request: ChatRequest, fetcher: "Fetcher", memory: "Memory | None") -> ChatRequest:
    """The request with every file that is given by an http(s) URL in it. Raises INVALID for one that cannot be had."""
    urls = list(dict.fromkeys(_urls(part for message in request.messages for part in message.parts)))
    if not urls:
        return request
    if len(urls) > MOST:
        raise GatewayError(Kind.INVALID, f"a request may hold {MOST} files by URL for this provider, not {len(urls)}")
    found = dict(zip(urls, await each([partial(_have, url, fetcher, memory) for url in urls]), strict=True))
    messages = tuple(
        replace(message, parts=tuple(_filled(part, found) for part in message.parts)) for message in request.messages
    )
    return replace(request, messages=messages)


async def _have(url: str, fetcher: "Fetcher", memory: "Memory | None") -> Inline:
    key = f"media:{hashlib.sha256(url.encode()).hexdigest()}"
    if memory is not None and (kept := (await memory.get((key,))).get(key)) is not None:
        return _decode(kept)
    inline = await fetcher.fetch(url)
    if memory is not None:
        await memory.put((key,), _encode(inline))
    return inline


def _urls(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        if type(part) is ToolResult:
            yield from _urls(part.parts)
        elif type(part) is Media and isinstance(part.source, Url) and _on_the_web(part.source.url):
            yield part.source.url


def _filled(part: Part, found: dict[str, Inline]) -> Part:
    if isinstance(part, ToolResult):
        return replace(part, parts=tuple(_filled(inner, found) for inner in part.parts))
    if isinstance(part, Media) and isinstance(part.source, Url) and part.source.url in found:
        return replace(part, source=found[part.source.url])
    return part


def _on_the_web(url: str) -> bool:
    return url[:8].lower().startswith(("http://", "https://"))
