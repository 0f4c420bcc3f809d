"""Through proxies: the same answers, deadlines and refusals as without, and no secret in any word."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme
from hostile import LEAN, OK, QUICK, Server, Wire, answering, closing, serve
from middlemen import http_proxy, socks_proxy

from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import Deadlines, Outgoing
from isthmus.transport.client import Client, open_transport
from isthmus.transport.pool import PoolLimits


@pytest.fixture(scope="module")
def good(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
async def seen() -> list:
    return []


@pytest.fixture(params=["http", "socks5"])
async def proxy(request: pytest.FixtureRequest, seen: list) -> AsyncIterator[str]:
    make = {"http": http_proxy, "socks5": socks_proxy}[request.param]
    async with serve(make(seen)) as server:
        yield f"{request.param}://127.0.0.1:{server.port}"


async def ask(client: Client, outgoing: Outgoing, deadlines: Deadlines = QUICK) -> bytes:
    incoming = await client.send(outgoing, deadlines)
    try:
        return await incoming.body(10_000_000)
    finally:
        incoming.close()


async def failure(client: Client, outgoing: Outgoing, deadlines: Deadlines = QUICK) -> GatewayError:
    with pytest.raises(GatewayError) as told:
        await ask(client, outgoing, deadlines)
    assert "sesame" not in told.value.message
    return told.value


async def test_a_plain_origin_is_reached(client: Client, proxy: str) -> None:
    wires = []

    async def play(wire: Wire) -> None:
        wires.append(await wire.request())
        await wire.send(LEAN)
        await wire.until_left()

    async with serve(play) as server:
        assert await ask(client, server.post(proxy=proxy)) == b"hi"
        assert wires[0].line == "POST /v1/chat HTTP/1.1"
        assert sorted((name.lower(), value) for name, value in wires[0].headers) == [
            ("accept-encoding", "identity"),
            ("content-length", "2"),
            ("host", f"127.0.0.1:{server.port}"),
            ("x-key", "abc"),
        ]
        await client.aclose()


async def test_an_encrypted_origin_is_reached_and_its_certificate_verified(
    client: Client, proxy: str, good: ssl.SSLContext, ca_file: str, seen: list
) -> None:
    async with serve(answering(LEAN), tls=good) as server:
        for _ in range(3):
            assert await ask(client, server.post(host="localhost", proxy=proxy, ca_file=ca_file)) == b"hi"
        assert len(seen) == server.connections == 1
        refused = await failure(client, server.post(host="localhost", proxy=proxy))
        assert refused.kind is Kind.UNREACHABLE
        assert f"the TLS certificate of localhost:{server.port} through the proxy {proxy} is refused" in refused.message
        await client.aclose()


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_proxy_is_told_its_user_and_password(client: Client, kind: str) -> None:
    make = {"http": http_proxy, "socks5": socks_proxy}[kind]
    async with serve(make([], "ali:sesame")) as middle, serve(answering(LEAN)) as server:
        assert await ask(client, server.post(proxy=f"{kind}://ali:sesame@127.0.0.1:{middle.port}")) == b"hi"
        await client.aclose()


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_proxy_that_refuses_is_named_without_its_secret(
    client: Client, kind: str, good: ssl.SSLContext, ca_file: str
) -> None:
    make = {"http": http_proxy, "socks5": socks_proxy}[kind]
    async with serve(make([], "ali:baba")) as middle, serve(answering(LEAN), tls=good) as server:
        proxy = f"{kind}://ali:sesame@127.0.0.1:{middle.port}"
        refused = await failure(client, server.post(proxy=proxy, ca_file=ca_file))
        assert refused.kind is Kind.UNREACHABLE
        assert f"through the proxy {kind}://127.0.0.1:{middle.port}" in refused.message


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_proxy_that_is_not_there(client: Client, kind: str) -> None:
    async with serve(answering(LEAN)) as server, serve(answering(LEAN)) as gone:
        pass
    refused = await failure(client, server.post(proxy=f"{kind}://ali:sesame@127.0.0.1:{gone.port}"))
    assert refused.kind is Kind.UNREACHABLE


@pytest.mark.parametrize("kind", ["http", "socks5"])
@pytest.mark.parametrize("words", [b"", b"\x05", b"SSH-2.0\r\n", b"\x04\x5a\x00\x00", b"\x05\x00\x05\x05\x00\x01" * 3])
async def test_a_proxy_that_speaks_something_else(
    client: Client, kind: str, words: bytes, good: ssl.SSLContext, ca_file: str
) -> None:
    async def play(wire: Wire) -> None:
        await wire.reader.read(100)
        await wire.send(words)

    async with serve(play) as middle, serve(answering(LEAN), tls=good) as server:
        refused = await failure(client, server.post(proxy=f"{kind}://127.0.0.1:{middle.port}", ca_file=ca_file))
        assert refused.kind is Kind.UNREACHABLE


@pytest.mark.parametrize("proxy", ["ftp://ali:sesame@127.0.0.1:1", "sesame", "http://ali:sesame@127.0.0.1:99999", ""])
async def test_a_proxy_url_that_is_none_is_not_quoted(client: Client, proxy: str) -> None:
    async with serve(answering(LEAN)) as server:
        assert (await failure(client, server.post(proxy=proxy))).kind is Kind.UNREACHABLE


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_proxy_that_is_silent_hits_the_connect_deadline(
    client: Client, kind: str, good: ssl.SSLContext, ca_file: str
) -> None:
    async def silent(wire: Wire) -> None:
        await wire.until_left()

    async with serve(silent) as middle, serve(answering(LEAN), tls=good) as server:
        outgoing = server.post(proxy=f"{kind}://127.0.0.1:{middle.port}", ca_file=ca_file)
        late = await failure(client, outgoing, Deadlines(connect=0.4))
        assert late.kind is Kind.TIMED_OUT
        assert late.message.endswith("within 0.4 s (connect deadline)")
        assert await asyncio.wait_for(middle.ended.get(), 5) == 1


async def silent(wire: Wire) -> None:
    await wire.until_left()


async def half(wire: Wire) -> None:
    await wire.request()
    await wire.send(OK + b"content-length: 10\r\n\r\nhalf")
    await wire.until_left()


async def dripping(wire: Wire) -> None:
    await wire.request()
    await wire.send(OK + b"content-length: 1000000\r\n\r\n")
    while True:
        await wire.send(b"x")
        await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("play", "deadlines", "words"),
    [
        (silent, Deadlines(first_byte=0.2), "within 0.2 s (first-byte deadline)"),
        (half, Deadlines(between_bytes=0.2), "fell silent for 0.2 s in the middle"),
        (dripping, Deadlines(total=0.5), "took longer than 0.5 s over the whole answer (total deadline)"),
        (silent, Deadlines(total=0.5), "(total deadline)"),
    ],
    ids=["first byte", "between bytes", "total", "total before the first byte"],
)
async def test_deadlines_hold(client: Client, proxy: str, play, deadlines: Deadlines, words: str) -> None:
    async with serve(play) as server:
        late = await failure(client, server.post(proxy=proxy), deadlines)
        assert late.kind is Kind.TIMED_OUT
        assert words in late.message
        assert await asyncio.wait_for(server.ended.get(), 5) == 1


@pytest.mark.parametrize("kind", ["http"])
async def test_a_server_that_does_not_take_the_request(client: Client, kind: str) -> None:
    gone = asyncio.Event()

    async def play(wire: Wire) -> None:
        await wire.head()
        wire.writer.transport.pause_reading()
        await gone.wait()

    async with serve(http_proxy([])) as middle, serve(play) as server:
        outgoing = server.post(bytes(40_000_000), proxy=f"http://127.0.0.1:{middle.port}")
        late = await failure(client, outgoing, Deadlines(between_bytes=0.3))
        assert late.kind is Kind.TIMED_OUT
        assert "between-bytes" in late.message
        gone.set()


async def test_each_piece_of_a_stream_is_given_as_it_comes(client: Client, proxy: str) -> None:
    taken = asyncio.Semaphore(0)

    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(OK + b"transfer-encoding: chunked\r\n\r\n")
        for number in range(3):
            await wire.send(b"3\r\n%d\n\n\r\n" % number)
            await taken.acquire()
        await wire.send(b"0\r\n\r\n")
        await wire.until_left()

    async with serve(play) as server:
        incoming = await client.send(server.post(proxy=proxy), QUICK)
        for number in range(3):
            assert await incoming.read() == b"%d\n\n" % number
            taken.release()
        assert await incoming.read() == b""
        await client.aclose()


async def test_closing_an_unfinished_answer_reaches_the_upstream(client: Client, proxy: str) -> None:
    async with serve(half) as server:
        incoming = await client.send(server.post(proxy=proxy), QUICK)
        assert await incoming.read() == b"half"
        incoming.close()
        assert await asyncio.wait_for(server.ended.get(), 5) == 1


async def test_a_read_that_is_cancelled_reaches_the_upstream(client: Client, proxy: str) -> None:
    async with serve(half) as server:
        incoming = await client.send(server.post(proxy=proxy), QUICK)
        await incoming.read()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(incoming.read(), 0.02)
        assert await asyncio.wait_for(server.ended.get(), 5) == 1
        with pytest.raises(GatewayError):
            await incoming.read()


async def test_cancelling_send_reaches_the_upstream(client: Client, proxy: str) -> None:
    asked = asyncio.Event()

    async def play(wire: Wire) -> None:
        await wire.request()
        asked.set()
        await wire.until_left()

    async with serve(play) as server:
        task = asyncio.create_task(client.send(server.post(proxy=proxy), QUICK))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.wait_for(server.ended.get(), 5) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (OK + b"content-length: 10\r\n\r\nhalf", Kind.CUT_SHORT),
        (OK + b"transfer-encoding: chunked\r\n\r\n4\r\nhalf", Kind.CUT_SHORT),
        (b"", Kind.CUT_SHORT),
        (OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nhi!", Kind.GARBLED),
        (b"SSH-2.0\r\n\r\n", Kind.GARBLED),
        (OK + b"content-encoding: br\r\ncontent-length: 2\r\n\r\nhi", Kind.GARBLED),
        (b"HTTP/1.1 101 Switch\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", Kind.GARBLED),
    ],
)
async def test_a_bad_answer_is_of_its_kind(client: Client, proxy: str, answer: bytes, kind: Kind) -> None:
    async with serve(closing(answer)) as server:
        assert (await failure(client, server.post(proxy=proxy))).kind is kind


async def test_a_stream_that_ends_with_its_connection_ends_well(client: Client, proxy: str) -> None:
    async with serve(closing(OK + b"\r\ndata: 1\n\n")) as server:
        assert await ask(client, server.post(proxy=proxy)) == b"data: 1\n\n"


async def test_a_coding_is_undone(client: Client, proxy: str) -> None:
    zipped = gzip.compress(b"hello")
    head = OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(zipped)
    async with serve(answering(head + zipped)) as server:
        incoming = await client.send(server.post(proxy=proxy), QUICK)
        assert incoming.headers == ()
        assert await incoming.body(10) == b"hello"
        await client.aclose()


async def test_no_cookie_is_kept_and_no_redirect_followed(client: Client, proxy: str) -> None:
    answer = b"HTTP/1.1 302 Found\r\nset-cookie: a=b\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
    wires = []

    async def play(wire: Wire) -> None:
        while True:
            wires.append(await wire.request())
            await wire.send(answer)

    async with serve(play) as server:
        for _ in range(2):
            incoming = await client.send(server.post(proxy=proxy), QUICK)
            assert incoming.status == 302
            await incoming.body(10)
        assert [request.header("cookie") for request in wires] == [None, None]
        await client.aclose()


async def test_what_must_not_be_sent_is_refused_here_too(client: Client, proxy: str) -> None:
    async with serve(answering(LEAN)) as server:
        outgoing = Outgoing(server.origin(proxy=proxy), "POST", "/", ((b"x", b"a\r\nb: c"),), b"")
        assert (await failure(client, outgoing)).kind is Kind.BUG
        assert server.connections == 0


async def test_a_link_that_died_while_idle_is_replaced(client: Client, proxy: str) -> None:
    async def play(wire: Wire) -> None:
        await wire.request()
        await wire.send(LEAN)
        await wire.head()

    async with serve(play) as server:
        for _ in range(3):
            assert await ask(client, server.post(proxy=proxy)) == b"hi"
        assert server.connections == 3
        await client.aclose()


async def test_links_are_counted_kept_and_closed_after_their_idle_time(proxy: str) -> None:
    async with serve(answering(LEAN)) as server, open_transport(PoolLimits(idle=0.1)) as client:
        await asyncio.gather(*(ask(client, server.post(proxy=proxy)) for _ in range(3)))
        (stats,) = client.stats().values()
        assert stats == {"open": 3, "idle": 3, "in_use": 0, "waiting": 0}
        for _ in range(3):
            await asyncio.wait_for(server.ended.get(), 5)
        (stats,) = client.stats().values()
        assert stats["open"] == 0


async def test_links_are_bounded_within_the_connect_deadline(proxy: str) -> None:
    async with serve(half) as server, open_transport(PoolLimits(connections=1)) as client:
        busy = await client.send(server.post(proxy=proxy), QUICK)
        late = await failure(client, server.post(proxy=proxy), Deadlines(connect=0.05))
        assert late.kind is Kind.TIMED_OUT
        busy.close()


async def test_closing_the_client_ends_what_is_under_way(client: Client, proxy: str) -> None:
    async with serve(half) as server, serve(silent) as mute:
        incoming = await client.send(server.post(proxy=proxy), QUICK)
        await incoming.read()
        asking = asyncio.create_task(client.send(mute.post(proxy=proxy), QUICK))
        reading = asyncio.create_task(incoming.read())
        while not mute.connections:
            await asyncio.sleep(0.005)
        await client.aclose()
        for task in (asking, reading):
            with pytest.raises(GatewayError):
                await task
        assert isinstance(server, Server)
