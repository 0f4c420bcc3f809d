"""Answers that their callers may ask for again, continue and delete: kept here, for any provider's answer.

A record is found by its id and the client that it was made for, and by nobody else. The memory is
bounded, so a record can be gone before its caller forgets it; that is told, never guessed around.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.value import Value
from isthmus.dialects.openai.responses import kept as responses
from isthmus.dialects.openai.responses.kept import Kept
from isthmus.engine.answer import Answer, Chunks
from isthmus.engine.exchange import Exchange, Lane
from isthmus.wire import json
from isthmus.wire.sse import SseSplitter

if TYPE_CHECKING:
    from isthmus.engine.ports import Memory

_ENDINGS = (b"response.completed", b"response.incomplete")
LONGEST_CHAIN = 500
"""Answers that one request may continue."""


class Record(Value, frozen=True):
    """`provider` and `model` are set where the provider keeps the answer too, under the same id."""

    kept: Kept
    provider: str = ""
    model: str = ""


class _Written(Value, frozen=True):
    """A record as it lies in the memory, which may be another process's: everything in it is JSON."""

    id: str
    body: Raw
    input: tuple[Raw, ...]
    output: tuple[Raw, ...]
    previous: str | None
    background: bool
    provider: str
    model: str


_read = json.decoder(_Written)


def _write(record: Record) -> bytes:
    kept = record.kept
    return json.encode(
        _Written(
            kept.id,
            Raw(kept.body),
            kept.input,
            kept.output,
            kept.previous,
            kept.background,
            record.provider,
            record.model,
        )
    )


def _record_of(value: bytes) -> Record:
    told = _read(value)
    kept = Kept(told.id, bytes(told.body), told.input, told.output, told.previous, told.background)
    return Record(kept, told.provider, told.model)


class Shelf:
    """The records of one client."""

    def __init__(self, memory: "Memory", client: str) -> None:
        self._memory = memory
        self._client = client

    async def find(self, id_: str) -> Record | None:
        key = self._key(id_)
        value = (await self._memory.get((key,))).get(key)
        return None if value is None else _record_of(value)

    async def chain(self, id_: str) -> Sequence[Record] | None:
        """The answer of this id and all that it continues, the first in front; None where one of them is gone."""
        found: list[Record] = []
        wanted: str | None = id_
        while wanted is not None and len(found) < LONGEST_CHAIN:
            record = await self.find(wanted)
            if record is None:
                return None
            found.append(record)
            wanted = record.kept.previous
        return found[::-1]

    async def put(self, record: Record) -> None:
        await self._memory.put((self._key(record.kept.id),), _write(record))

    async def forget(self, id_: str) -> None:
        await self._memory.forget((self._key(id_),))

    def _key(self, id_: str) -> str:
        return f"response:{self._client}:{id_}"


async def resume(body: bytes, shelf: Shelf) -> tuple[bytes, str | None]:
    """The body with all that it continues written out; and the id of what it continues that is not kept here."""
    previous = responses.previous_of(body)
    if previous is None:
        return body, None
    chain = await shelf.chain(previous)
    if chain is None:
        return body, previous
    return responses.expand(body, [record.kept for record in chain]), None


async def keep(answer: Answer, asked: bytes, exchange: Exchange, shelf: Shelf) -> Answer:
    """Keep the answer, now or when its last byte has gone out, unless its caller does not want that."""
    if answer.status != 200 or not responses.wants_keeping(asked):
        return answer
    if answer.stream is None:
        await shelf.put(_record(asked, answer.body, exchange))
        return answer
    return replace(answer, stream=_watched(answer.stream, asked, exchange, shelf))


async def _watched(stream: Chunks, asked: bytes, exchange: Exchange, shelf: Shelf) -> Chunks:
    whole = None
    try:
        async for piece in stream:
            whole = _ending(piece) or whole
            yield piece
    finally:
        await stream.aclose()
    if whole is not None:
        await shelf.put(_record(asked, whole, exchange))


def _ending(piece: bytes) -> bytes | None:
    """The answer as a whole, where this piece of a stream holds it. Pieces are whole events."""
    if not any(mark in piece for mark in _ENDINGS):
        return None
    splitter = SseSplitter()
    for frame in (*splitter.feed(piece), *splitter.end()):
        fields = json.read_fields(frame.data) if frame.data[:1] == b"{" else {}
        if bytes(fields.get("type", json.NULL)).strip(b'"') in _ENDINGS and "response" in fields:
            return bytes(fields["response"])
    return None


def _record(asked: bytes, answer: bytes, exchange: Exchange) -> Record:
    kept = responses.make_record(asked, answer)
    if exchange.lane is Lane.TRANSLATE or not exchange.attempts:
        return Record(kept)
    target = exchange.attempts[-1].target
    return Record(kept, target.provider, target.model)
