"""A real server on a real socket, and clients that send what they should and what they should not."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from isthmus.server import connection, house, turn
from isthmus.server.house import House
from isthmus.server.listeners import addresses, listen

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"


async def answer_with(send: Any, body: bytes, *headers: tuple[bytes, bytes], status: int = 200) -> None:
    head = ((b"content-length", b"%d" % len(body)), *headers)
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it was asked: the method, the path, the query, and the length of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    await answer_with(send, f"{scope['method']} {scope['path']} {scope['query_string'].decode()} {size}".encode())


@asynccontextmanager
async def serving(application: Any = echo, *, patience: float = 1.0) -> AsyncIterator[int]:
    """A server of this kind, by its port."""
    sockets = listen([("127.0.0.1", 0)])
    running = House(application)
    await running.open(sockets)
    try:
        yield int(addresses(sockets)[0].rpartition(":")[2])
    finally:
        await running.close(patience)


@asynccontextmanager
async def connected(application: Any = echo, **options: Any) -> AsyncIterator[Stream]:
    """A connection to such a server, which ends with it."""
    async with serving(application, **options) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def answer(stream: Stream, *pieces: bytes) -> bytes:
    """What comes back until the server closes."""
    reader, writer = stream
    for piece in pieces:
        writer.write(piece)
    async with asyncio.timeout(5):
        return await reader.read()


async def one_answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head of the next answer, and its body of the length it tells."""
    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
        return head, await reader.readexactly(int(length[16:]))


def post(body: bytes, *lines: bytes, close: bool = True) -> bytes:
    more = b"".join(line + b"\r\n" for line in (*lines, *([b"connection: close"] if close else [])))
    return b"POST /p HTTP/1.1\r\nhost: a\r\n%bcontent-length: %d\r\n\r\n%b" % (more, len(body), body)


# What is asked.


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (b"/v1/models?key=a%20b", b"GET /v1/models key=a%20b 0"),
        (b"/v1/models/a%2Fb%3A1", b"GET /v1/models/a/b:1  0"),
        (b"http://example.com/full?x", b"GET /full x 0"),
        (b"/" + b"a" * 1000, b"GET /" + b"a" * 1000 + b"  0"),
    ],
)
async def test_a_target_is_path_and_query(target: bytes, told: bytes) -> None:
    async with connected() as stream:
        assert (await answer(stream, LAST.replace(b"GET /", b"GET " + target))).endswith(b"\r\n\r\n" + told)


@pytest.mark.parametrize("size", [0, 1, 65_536, turn.BODY_AHEAD, 3 * turn.BODY_AHEAD + 7])
async def test_a_body_of_any_size_arrives_whole(size: int) -> None:
    async with connected() as stream:
        assert (await answer(stream, post(b"z" * size))).endswith(b"POST /p  %d" % size)


@pytest.mark.parametrize("cut", [1, 7, 64])
async def test_a_request_may_come_in_any_pieces(cut: int) -> None:
    chunks = b"POST /c HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    sent = chunks + post(b"xyz")
    async with connected() as (reader, writer):
        for start in range(0, len(sent), cut):
            writer.write(sent[start : start + cut])
            await writer.drain()
            await asyncio.sleep(0)
        assert (await one_answer(reader))[1] == b"POST /c  5"
        assert (await one_answer(reader))[1] == b"POST /p  3"


async def test_a_client_that_waits_for_the_word_to_send_its_body_gets_it() -> None:
    async with connected() as (reader, writer):
        head, _, body = post(b"abc", b"expect: 100-continue").partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        async with asyncio.timeout(5):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await one_answer(reader))[1] == b"POST /p  3"


async def test_the_word_is_not_given_for_a_body_that_has_come() -> None:
    async with connected() as stream:
        assert (await answer(stream, post(b"abc", b"expect: 100-continue"))).startswith(b"HTTP/1.1 200")


async def test_another_protocol_is_not_switched_to() -> None:
    upgrade = b"connection: upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"
    asked = b"POST /u HTTP/1.1\r\nhost: a\r\n" + upgrade + b"content-length: 2\r\n\r\nhi"
    async with connected() as (reader, writer):
        writer.write(asked + post(b"abc"))
        assert (await one_answer(reader))[1] == b"POST /u  2"
        assert (await one_answer(reader))[1] == b"POST /p  3"


async def test_offers_of_another_protocol_cost_no_more_than_their_length() -> None:
    offer = b"GET /%d HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
    async with connected() as (reader, writer):
        writer.writelines(offer % number for number in range(2000))
        for number in range(2000):
            assert (await one_answer(reader))[1] == b"GET /%d  0" % number


# How it is answered.


async def test_an_answer_tells_its_date_and_nothing_of_the_server() -> None:
    async with connected() as stream:
        head = (await answer(stream, LAST)).lower()
        assert b"\r\ndate: " in head
        assert b"server:" not in head


async def test_requests_sent_ahead_are_answered_in_their_order() -> None:
    second = asyncio.Event()

    async def slow_first(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/0":
            await second.wait()
        await echo(scope, receive, send)

    async with connected(slow_first) as (reader, writer):
        writer.writelines(b"GET /%d HTTP/1.1\r\nhost: a\r\n\r\n" % number for number in range(20))
        await asyncio.sleep(0.01)
        second.set()
        bodies = [(await one_answer(reader))[1] for _ in range(20)]
        assert bodies == [b"GET /%d  0" % number for number in range(20)]


async def test_the_next_request_on_a_connection_may_come_late(monkeypatch: Any) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.02)
    monkeypatch.setattr(house, "ROUND", 0.01)
    async with connected() as (reader, writer):
        writer.write(GET)
        assert (await one_answer(reader))[0].startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.1)
        assert (await answer((reader, writer), LAST)).startswith(b"HTTP/1.1 200")


async def test_a_connection_that_is_used_no_more_is_closed(monkeypatch: Any) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(house, "ROUND", 0.01)
    async with connected() as stream:
        assert (await answer(stream, GET)).startswith(b"HTTP/1.1 200")


async def test_an_answer_under_way_is_not_closed_by_the_idle_bound(monkeypatch: Any) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.02)
    monkeypatch.setattr(house, "ROUND", 0.01)

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.1)
        await echo(scope, receive, send)

    async with connected(slow) as (reader, writer):
        writer.write(GET + b"GET /unfinished")
        assert (await one_answer(reader))[1] == b"GET /  0"


async def test_head_is_answered_without_a_body() -> None:
    async with connected() as (reader, writer):
        writer.write(GET.replace(b"GET", b"HEAD"))
        async with asyncio.timeout(5):
            assert b"content-length: 9" in await reader.readuntil(b"\r\n\r\n")
        writer.write(GET)
        assert (await one_answer(reader))[1] == b"GET /  0"


async def stream_of(send: Any, *pieces: bytes, headers: Any = ()) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def test_an_answer_without_a_length_comes_in_chunks() -> None:
    async def streamed(scope: Any, receive: Any, send: Any) -> None:
        await stream_of(send, b"one", b"", b"three")

    async with connected(streamed) as stream:
        told = await answer(stream, LAST)
        assert told.endswith(b"transfer-encoding: chunked\r\n\r\n3\r\none\r\n5\r\nthree\r\n0\r\n\r\n")


async def test_an_old_client_gets_a_stream_that_ends_with_its_connection() -> None:
    async def streamed(scope: Any, receive: Any, send: Any) -> None:
        await stream_of(send, b"one", b"two")

    async with connected(streamed) as stream:
        told = await answer(stream, b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
        assert b"chunked" not in told
        assert told.endswith(b"connection: close\r\n\r\nonetwo")


async def test_the_head_of_a_stream_does_not_wait_for_its_first_bytes() -> None:
    more = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": ()})
        await more.wait()
        await send({"type": "http.response.body", "body": b"late"})

    async with connected(slow) as (reader, writer):
        writer.write(GET)
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
            more.set()
            assert await reader.readuntil(b"0\r\n\r\n") == b"4\r\nlate\r\n0\r\n\r\n"


async def test_a_large_answer_arrives_whole_at_a_client_that_reads_slowly() -> None:
    held = asyncio.Event()

    async def large(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": ()})
        for _ in range(39):
            await send({"type": "http.response.body", "body": b"x" * 2**20, "more_body": True})
        held.set()
        await send({"type": "http.response.body", "body": b"end"})

    async with connected(large) as (reader, writer):
        writer.write(LAST)
        async with asyncio.timeout(5):
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.05)
            assert not held.is_set(), "an answer is not made faster than it is read"
            told = await reader.read()
        assert told.count(b"x") == 39 * 2**20
        assert told.endswith(b"3\r\nend\r\n0\r\n\r\n")


# What is refused.


@pytest.mark.parametrize(
    "asked",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTX/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nbad header: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n",
    ],
    ids=["tls", "version", "name", "both lengths", "two lengths", "no chunk", "negative", "connect"],
)
async def test_what_is_not_http_is_refused_and_the_connection_closed(asked: bytes) -> None:
    async with connected() as stream:
        told = await answer(stream, asked)
        assert told.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert told.count(b"HTTP/1.1") == 1
        assert b'"message":' in told


async def test_a_head_with_too_many_headers_is_refused() -> None:
    async with connected() as stream:
        lines = b"".join(b"x-%d: y\r\n" % number for number in range(connection.HEAD_COUNT))
        told = await answer(stream, b"POST / HTTP/1.1\r\nhost: a\r\n" + lines + b"\r\n")
        assert told.startswith(b"HTTP/1.1 400")
        assert b"more than 200 headers" in told


async def test_a_body_with_trailers_without_end_is_refused() -> None:
    async with connected() as stream:
        lines = b"".join(b"x-%d: y\r\n" % number for number in range(connection.HEAD_BYTES))
        told = await answer(stream, b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n" + lines)
        assert told.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("end", [b"", b"\r\n"])
async def test_a_head_that_is_too_large_is_refused_when_it_passes_its_bound(end: bytes) -> None:
    async with connected() as stream:
        pieces = [b"POST / HTTP/1.1\r\nhost: a\r\n", *[b"x-%d: %b\r\n" % (n, b"y" * 1000) for n in range(80)], end]
        assert b"too large" in await answer(stream, b"".join(pieces))


@pytest.mark.parametrize("sent", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nhost: a\r\nx-y"])
async def test_a_head_that_does_not_come_is_not_waited_for_for_ever(sent: bytes, monkeypatch: Any) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.02)
    monkeypatch.setattr(house, "ROUND", 0.01)
    async with connected() as stream:
        assert await answer(stream, sent) == b""


async def test_what_follows_a_last_request_is_not_looked_at() -> None:
    async with connected() as stream:
        told = await answer(stream, LAST + GET + b"\x00garbage")
        assert told.count(b"HTTP/1.1") == 1
        assert told.endswith(b"GET /  0")


async def test_garbage_behind_a_request_does_not_cost_it_its_answer() -> None:
    ready = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await ready.wait()
        await echo(scope, receive, send)

    async with connected(slow) as (reader, writer):
        writer.write(GET + GET + b"\x00garbage")
        await asyncio.sleep(0.01)
        ready.set()
        told = await answer((reader, writer))
        assert told.count(b"HTTP/1.1 200") == 2
        assert told.endswith(b"GET /  0")


async def test_a_refusal_in_the_middle_of_a_body_reaches_a_client_that_goes_on_sending() -> None:
    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await answer_with(send, b"too much", (b"connection", b"close"), status=413)

    async with connected(refuse) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 50000000\r\n\r\n")
        for _ in range(200):
            writer.write(b"z" * 65536)
            await asyncio.sleep(0)
        head, body = await one_answer(reader)
        assert head.startswith(b"HTTP/1.1 413")
        assert body == b"too much"


async def send_for_ever(writer: asyncio.StreamWriter) -> None:
    async with asyncio.timeout(5):
        while True:
            writer.write(b"z" * 1000)
            await writer.drain()
            await asyncio.sleep(0.001)


async def test_a_client_that_sends_on_after_its_refusal_is_cut_off(monkeypatch: Any) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.02)
    monkeypatch.setattr(house, "ROUND", 0.01)

    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await answer_with(send, b"", status=413)

    async with connected(refuse) as (_, writer):
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 50000000\r\n\r\n")
        with pytest.raises(ConnectionError):
            await send_for_ever(writer)


# What goes wrong inside, and how all ends.


async def test_an_application_that_fails_is_told_as_500(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError

    async with connected(broken) as stream:
        assert (await answer(stream, GET)).startswith(b"HTTP/1.1 500")
    assert "ZeroDivisionError" in caplog.text


async def test_an_answer_that_breaks_off_does_not_end_like_a_whole_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": ()})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await asyncio.sleep(0.01)
        raise ZeroDivisionError

    async with connected(broken) as (reader, writer):
        writer.write(GET)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 5)


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\x00b"])
async def test_a_header_never_ends_a_line_early(value: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def splitting(scope: Any, receive: Any, send: Any) -> None:
        await answer_with(send, b"ok", (b"x-told", value))

    async with connected(splitting) as stream:
        told = await answer(stream, GET)
        assert told.startswith(b"HTTP/1.1 500")
        assert b"cookie" not in told
    assert "control character" in caplog.text


@pytest.mark.parametrize("body", [b"", b"half"])
async def test_a_client_that_leaves_is_noticed(body: bytes) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def listening(scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            heard.put_nowait(message["type"])
            if message["type"] == "http.disconnect":
                return

    async with serving(listening) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n" + body)
        await asyncio.sleep(0.02)
        writer.close()
        async with asyncio.timeout(5):
            while await heard.get() != "http.disconnect":
                pass


async def test_a_client_that_leaves_without_reading_does_not_hold_its_answer_up() -> None:
    ended = asyncio.Event()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": ()})
        while (writer := left) is None or not writer.is_closing():
            await send({"type": "http.response.body", "body": b"x" * 2**16, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})
        ended.set()

    left: asyncio.StreamWriter | None = None
    async with serving(endless) as port:
        _, left = await asyncio.open_connection("127.0.0.1", port)
        left.write(GET)
        await asyncio.sleep(0.02)
        left.transport.abort()
        async with asyncio.timeout(5):
            await ended.wait()


Started = Callable[[Any, Any, Any], Awaitable[None]]


def waiting(started: asyncio.Event, ready: asyncio.Event) -> Started:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        started.set()
        await ready.wait()
        await echo(scope, receive, send)

    return application


async def test_a_stop_closes_idle_connections_and_lets_answers_finish() -> None:
    started, ready = asyncio.Event(), asyncio.Event()
    sockets = listen([("127.0.0.1", 0)])
    running = House(waiting(started, ready))
    await running.open(sockets)
    port = int(addresses(sockets)[0].rpartition(":")[2])
    idle, idle_writer = await asyncio.open_connection("127.0.0.1", port)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET)
    await started.wait()
    stopping = asyncio.create_task(running.close(5))
    async with asyncio.timeout(5):
        assert await idle.read() == b""
        ready.set()
        assert (await reader.read()).endswith(b"connection: close\r\n\r\nGET /  0")
        await stopping
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", port)
    for one in (idle_writer, writer):
        one.close()


async def test_a_stop_does_not_wait_for_ever() -> None:
    async with asyncio.timeout(5):
        started = asyncio.Event()
        async with connected(waiting(started, asyncio.Event()), patience=0.02) as (_, writer):
            writer.write(GET)
            await started.wait()
