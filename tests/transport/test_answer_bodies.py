"""Every kind of body, whole, in every two pieces, and byte by byte; and what is refused."""

import asyncio
import gzip
import zlib

import pytest
from hostile import LEAN, OK, QUICK, Wire, answering, closing, serve

from isthmus.core.errors import GatewayError, Kind
from isthmus.transport.client import Client

SSE = b"event: a\ndata: 1\n\ndata: 2\n\n"
ZIPPED = gzip.compress(SSE, mtime=0)
CHUNKED = OK + b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"

RECORDED = {
    "length": (OK + b"Content-Type: application/json\r\ncontent-length: 11\r\n\r\n" + b'{"a":"b c"}', b'{"a":"b c"}'),
    "chunked": (CHUNKED + b"a\r\nevent: a\nd\r\n11\r\nata: 1\n\ndata: 2\n\n\r\n0\r\n\r\n", SSE),
    "chunked with extensions and trailers": (
        CHUNKED + b"1b;x=y\r\n" + SSE + b"\r\n0\r\nx-checksum: abc\r\nx-more: def\r\n\r\n",
        SSE,
    ),
    "until the end": (OK + b"content-type: text/event-stream\r\n\r\n" + SSE, SSE),
    "nothing": (b"HTTP/1.1 204 No Content\r\nx-a: b\r\n\r\n", b""),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 400\r\n\r\n", b""),
    "empty": (b"HTTP/1.1 500 Oh no\r\ncontent-length: 0\r\n\r\n", b""),
    "after interim answers": (INTERIM + LEAN, b"hi"),
    "gzip": (
        OK
        + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(gzip.compress(SSE, mtime=0))
        + gzip.compress(SSE, mtime=0),
        SSE,
    ),
}
ENDS_WITH_THE_CONNECTION = {"until the end"}


async def fetch(client: Client, server, limit: int = 10_000) -> tuple[int, dict[bytes, bytes], bytes]:
    incoming = await client.send(server.post(), QUICK)
    try:
        return incoming.status, dict(incoming.headers), await incoming.body(limit)
    finally:
        incoming.close()


@pytest.mark.parametrize("kind", RECORDED)
async def test_a_whole_answer_is_read(client: Client, kind: str) -> None:
    answer, body = RECORDED[kind]
    async with serve(closing(answer)) as server:
        status, _, got = await fetch(client, server)
        assert status == int(answer.removeprefix(INTERIM)[9:12])
        assert got == body


@pytest.mark.parametrize("kind", RECORDED)
async def test_where_an_answer_is_cut_changes_nothing(client: Client, kind: str) -> None:
    answer, _ = RECORDED[kind]
    cuts = [[answer[:at], answer[at:]] for at in range(len(answer))]
    cuts.append([answer[at : at + 1] for at in range(len(answer))])

    async def play(wire: Wire) -> None:
        while cuts:
            await wire.request()
            for piece in cuts.pop():
                await wire.send(piece)
                await asyncio.sleep(0)
            if kind in ENDS_WITH_THE_CONNECTION:
                return

    async with serve(closing(answer)) as server:
        whole = await fetch(client, server)
    async with serve(play) as server:
        while cuts:
            assert await fetch(client, server) == whole
        assert server.connections == 1 or kind in ENDS_WITH_THE_CONNECTION
        await client.aclose()


async def test_names_of_headers_are_lower_case_and_values_without_the_space_around(client: Client) -> None:
    async with serve(answering(OK + b"X-Request-ID: \t a b \t\r\nContent-Length: 2\r\nEmpty:\r\n\r\nhi")) as server:
        _, headers, _ = await fetch(client, server)
        assert headers == {b"x-request-id": b"a b", b"content-length": b"2", b"empty": b""}
        await client.aclose()


async def test_the_body_of_an_answer_to_head_is_not_waited_for(client: Client) -> None:
    async with serve(answering(OK + b"content-length: 400\r\n\r\n")) as server:
        incoming = await client.send(server.get("HEAD"), QUICK)
        assert await incoming.body(10) == b""
        assert incoming.status == 200


async def test_a_get_announces_no_body(client: Client) -> None:
    seen = []

    async def play(wire: Wire) -> None:
        seen.append(await wire.head())
        await wire.send(LEAN)
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.get(), QUICK)
        assert await incoming.body(10) == b"hi"
        assert seen[0].header("content-length") is None
        await client.aclose()


@pytest.mark.parametrize("status", [b"301 Moved", b"307 Temporary Redirect"])
async def test_a_redirect_is_an_answer(client: Client, status: bytes) -> None:
    answer = b"HTTP/1.1 %b\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n" % status
    async with serve(answering(answer)) as server:
        got, headers, _ = await fetch(client, server)
        assert got == int(status[:3])
        assert headers[b"location"] == b"http://127.0.0.1:1/"
        await client.aclose()


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"content-length: 10\r\n\r\nhalf",
        CHUNKED + b"a\r\nhalf",
        CHUNKED + b"4\r\nhalf\r\n",
        CHUNKED + b"4\r\nhalf\r\n0\r\n",
        OK + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b"half" * 50)[:20],
    ],
    ids=["length", "in a chunk", "between chunks", "before the last line", "compressed"],
)
async def test_a_body_that_stops_too_early_is_cut_short(client: Client, answer: bytes) -> None:
    async with serve(closing(answer)) as server:
        with pytest.raises(GatewayError) as told:
            await fetch(client, server)
        assert told.value.kind is Kind.CUT_SHORT


async def test_what_came_before_the_cut_is_given_first(client: Client) -> None:
    async with serve(closing(CHUNKED + b"4\r\nhalf\r\n")) as server:
        incoming = await client.send(server.post(), QUICK)
        assert await incoming.read() == b"half"
        for _ in range(2):
            with pytest.raises(GatewayError) as told:
                await incoming.read()
            assert told.value.message == f"127.0.0.1:{server.port} closed the connection in the middle of its answer"
        incoming.close()


async def test_a_body_that_ends_with_the_connection_must_not_end_with_a_reset(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"\r\nhalf")
        await wire.reader.readexactly(1)

    async def reset(wire: Wire) -> None:
        try:
            await asyncio.wait_for(play(wire), 0.05)
        except TimeoutError:
            wire.reset()

    async with serve(reset) as server:
        incoming = await client.send(server.post(), QUICK)
        assert await incoming.read() == b"half"
        with pytest.raises(GatewayError) as told:
            await incoming.read()
        assert told.value.kind is Kind.CUT_SHORT


@pytest.mark.parametrize("cut", [b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\ncontent-le", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_a_head_that_stops_is_cut_short(client: Client, cut: bytes) -> None:
    async with serve(closing(cut)) as server:
        with pytest.raises(GatewayError) as told:
            await fetch(client, server)
        assert told.value.kind is Kind.CUT_SHORT
        assert "before it answered" in told.value.message


async def test_a_body_beyond_the_limit_is_refused_and_its_connection_closed(client: Client) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"\r\n" + b"x" * 1001)
        await wire.until_left()

    async with serve(play) as server:
        with pytest.raises(GatewayError) as told:
            await fetch(client, server, limit=1000)
        assert told.value.kind is Kind.GARBLED
        assert "limit of 1000 bytes" in told.value.message
        assert await asyncio.wait_for(server.ended.get(), 5) == 1


async def test_a_body_of_exactly_the_limit_is_read(client: Client) -> None:
    async with serve(closing(OK + b"\r\n" + b"x" * 1000)) as server:
        assert (await fetch(client, server, limit=1000))[2] == b"x" * 1000


async def test_a_large_body_arrives_whole(client: Client) -> None:
    body = bytes(range(256)) * 20_000
    async with serve(answering(OK + b"content-length: %d\r\n\r\n" % len(body) + body)) as server:
        assert (await fetch(client, server, limit=len(body)))[2] == body
        await client.aclose()


# Codings


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        (b"gzip", gzip.compress(SSE)),
        (b"X-GZIP", gzip.compress(SSE)),
        (b"gzip", gzip.compress(SSE[:10]) + gzip.compress(SSE[10:])),
        (b"deflate", zlib.compress(SSE)),
        (b"deflate", zlib.compress(SSE)[2:-4]),
        (b"identity", SSE),
    ],
    ids=["gzip", "x-gzip", "two members", "deflate", "bare deflate", "identity"],
)
async def test_a_coding_is_undone_though_it_was_not_asked_for(client: Client, coding: bytes, coded: bytes) -> None:
    head = OK + b"content-encoding: %b\r\nx-a: b\r\ncontent-length: %d\r\n\r\n" % (coding, len(coded))
    async with serve(answering(head + coded)) as server:
        _, headers, body = await fetch(client, server)
        assert body == SSE
        assert headers[b"x-a"] == b"b"
        assert (b"content-length" in headers) is (coding == b"identity")
        await client.aclose()


async def test_a_compressed_event_is_given_as_soon_as_it_came(client: Client) -> None:
    packer = zlib.compressobj(wbits=31)
    first = packer.compress(SSE) + packer.flush(zlib.Z_SYNC_FLUSH)
    go_on = asyncio.Event()

    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"content-encoding: gzip\r\n\r\n" + first)
        await go_on.wait()
        await wire.send(packer.flush())

    async with serve(play) as server:
        incoming = await client.send(server.post(), QUICK)
        assert await incoming.read() == SSE
        go_on.set()
        assert await incoming.read() == b""


async def test_a_bomb_goes_off_within_the_limit(client: Client) -> None:
    bomb = gzip.compress(gzip.compress(bytes(200_000_000), 1), 9)
    head = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
    async with serve(answering(head + bomb)) as server:
        with pytest.raises(GatewayError) as told:
            await fetch(client, server, limit=500_000)
        assert told.value.kind is Kind.GARBLED
        assert "limit of 500000 bytes" in told.value.message


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"gzip, gzip", b"chunked"])
async def test_a_coding_that_cannot_be_undone_is_named(client: Client, coding: bytes) -> None:
    async with serve(answering(OK + b"content-encoding: %b\r\ncontent-length: 2\r\n\r\nhi" % coding)) as server:
        with pytest.raises(GatewayError) as told:
            await fetch(client, server)
        assert told.value.kind is Kind.GARBLED
        assert f"encoded as {coding.decode()!r}, which was not asked for" in told.value.message


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        (b"gzip", b"not gzip at all"),
        (b"deflate", b"\xff\xff not deflate"),
        (b"gzip", gzip.compress(SSE) + b"junk"),
        (b"deflate", zlib.compress(SSE) + b"junk"),
    ],
    ids=["no gzip", "no deflate", "junk behind gzip", "junk behind deflate"],
)
async def test_a_damaged_coding_is_garbled(client: Client, coding: bytes, coded: bytes) -> None:
    head = OK + b"content-encoding: %b\r\ncontent-length: %d\r\n\r\n" % (coding, len(coded))
    async with serve(answering(head + coded)) as server:
        with pytest.raises(GatewayError) as told:
            await fetch(client, server)
        assert told.value.kind is Kind.GARBLED


async def test_an_answer_without_a_body_needs_no_decoding(client: Client) -> None:
    async with serve(answering(b"HTTP/1.1 304 Same\r\ncontent-encoding: gzip\r\n\r\n")) as server:
        assert (await fetch(client, server))[2] == b""
        await client.aclose()
