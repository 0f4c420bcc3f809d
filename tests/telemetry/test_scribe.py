"""What is kept of bodies: clean, as one answer, within bounds, and never at the cost of a request."""

import asyncio
from collections.abc import Sequence

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.dialects.openai.chat import CODEC
from isthmus.engine.bodies import Bodies, Captured
from isthmus.providers.key_guard import MASK
from isthmus.telemetry import bodies
from isthmus.telemetry.bodies import Scribe
from isthmus.telemetry.redaction import Redactor
from isthmus.wire import json


class Shelf:
    """Implements the engine's BodyShelf."""

    def __init__(self) -> None:
        self.kept: dict[str, Bodies] = {}
        self.gone = False
        self.refused = 0

    async def keep_bodies(self, rows: Sequence[Bodies]) -> None:
        if self.gone:
            self.refused += 1
            raise GatewayError(Kind.STORE_GONE, "it is gone")
        self.kept |= {row.id: row for row in rows}

    async def bodies(self, identity: str) -> Bodies | None:
        return self.kept.get(identity)


def captured(identity: str = "ex_1", **fields: object) -> Captured:
    told = {
        "id": identity, "at": 1.0, "client": "alice", "route": "fast", "request": None, "answer": None,
        "request_bytes": 10, "answer_bytes": 20, "streamed": None, "known": (), "most": 1024,
    }  # fmt: skip
    return Captured(**(told | fields))  # type: ignore[arg-type] # fields by name


async def kept(one: Captured) -> Bodies:
    shelf = Shelf()
    scribe = Scribe(shelf, Redactor())
    scribe.put(one)
    await scribe.close()
    return shelf.kept[one.id]


async def test_both_bodies_are_kept_with_their_sizes() -> None:
    row = await kept(captured(request=b'{"a":1}', answer=b'{"b":2}'))
    assert (row.request, row.answer, row.request_bytes, row.answer_bytes) == ('{"a":1}', '{"b":2}', 10, 20)


async def test_what_was_not_wanted_is_none() -> None:
    row = await kept(captured(request=b"{}"))
    assert row.answer is None


async def test_secrets_are_taken_out_by_shape_and_those_that_are_known() -> None:
    row = await kept(captured(request=b"sk-abcdefghijklmnop and a correct horse", known=(Secret("correct horse"),)))
    assert row.request == f"{MASK} and a {MASK}"


async def test_a_long_body_is_cut_and_no_secret_with_it() -> None:
    row = await kept(captured(request=b"x " * 8 + b"sk-" + b"a" * 40, most=20))
    assert row.request == "x " * 8 + MASK[:4]


async def test_bytes_that_are_no_text_are_kept_as_far_as_they_are() -> None:
    row = await kept(captured(request=b"a\xff\x00b"))
    assert row.request == "a\ufffdb"


async def test_a_stream_is_kept_as_the_answer_that_it_comes_to() -> None:
    """A key in pieces would be found in none of them."""
    pieces = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in ("it is sk-", "abcdefgh", "ijkl")]
    stop: dict[str, object] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    stream = b"".join(b"data: %b\n\n" % json.encode({"id": "c", "model": "m", **one}) for one in (*pieces, stop))
    row = await kept(captured(answer=stream + b"data: [DONE]\n\n", streamed=CODEC))
    assert row.answer is not None
    assert json.decode(row.answer.encode())["choices"][0]["message"]["content"] == f"it is {MASK}"


async def test_a_stream_that_broke_off_is_kept_as_far_as_it_came() -> None:
    piece = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "half a"}}]}
    row = await kept(captured(answer=b"data: %b\n\ndata: {" % json.encode(piece), streamed=CODEC))
    assert row.answer is not None
    assert json.decode(row.answer.encode())["choices"][0]["message"]["content"] == "half a"


async def test_bodies_wait_for_a_store_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "RETRY", 0.0)
    shelf = Shelf()
    shelf.gone = True
    scribe = Scribe(shelf, Redactor())
    work = asyncio.create_task(scribe.run())
    scribe.put(captured())
    async with asyncio.timeout(5):
        while not shelf.refused:
            await asyncio.sleep(0)
        shelf.gone = False
        while not shelf.kept:
            await asyncio.sleep(0)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert scribe.dropped == 0


async def test_what_still_waits_when_the_gateway_stops_is_counted_as_lost() -> None:
    shelf = Shelf()
    shelf.gone = True
    scribe = Scribe(shelf, Redactor())
    scribe.put(captured())
    await scribe.close()
    assert (scribe.dropped, shelf.kept) == (1, {})


@pytest.mark.parametrize(("bound", "value"), [("WAITING", 2), ("WAITING_BYTES", 20)])
async def test_beyond_a_bound_bodies_are_dropped_and_counted(
    bound: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, bound, value)
    scribe = Scribe(Shelf(), Redactor())
    for number in range(3):
        scribe.put(captured(str(number), request=b"x" * 10))
    assert scribe.dropped == 1
    await scribe.close()


async def test_bodies_are_kept_while_it_runs() -> None:
    shelf = Shelf()
    scribe = Scribe(shelf, Redactor())
    work = asyncio.create_task(scribe.run())
    scribe.put(captured())
    async with asyncio.timeout(5):
        while not shelf.kept:
            await asyncio.sleep(0)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert list(shelf.kept) == ["ex_1"]


async def test_a_fault_of_the_gateway_costs_the_bodies_of_that_moment_and_no_later_ones() -> None:
    class Faulty(Shelf):
        async def keep_bodies(self, rows: Sequence[Bodies]) -> None:
            if rows[0].id == "ex_1":
                raise KeyError("nobody thought of this")
            await super().keep_bodies(rows)

    shelf = Faulty()
    scribe = Scribe(shelf, Redactor())
    for identity in ("ex_1", "ex_2"):
        scribe.put(captured(identity, request=b"{}"))
        await scribe.close()
    assert list(shelf.kept) == ["ex_2"]
    assert scribe.dropped == 1
