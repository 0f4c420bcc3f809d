"""Encrypted connections: whom they trust, and what they say when they do not."""

import asyncio
import ssl

import pytest
import trustme
from hostile import LEAN, OK, QUICK, Wire, answering, closing, serve

from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import Outgoing
from isthmus.transport import tls
from isthmus.transport.client import Client
from isthmus.transport.tls import Contexts


def server_side(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def good(authority: trustme.CA) -> ssl.SSLContext:
    return server_side(authority, "localhost", "127.0.0.1")


async def refusal(client: Client, outgoing: Outgoing) -> str:
    with pytest.raises(GatewayError) as told:
        await client.send(outgoing, QUICK)
    assert told.value.kind is Kind.UNREACHABLE
    return told.value.message


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_certificate_of_the_configured_authority_is_trusted(
    client: Client, good: ssl.SSLContext, ca_file: str, host: str
) -> None:
    async with serve(answering(LEAN), tls=good) as server:
        for _ in range(3):
            incoming = await client.send(server.post(host=host, ca_file=ca_file), QUICK)
            assert await incoming.body(10) == b"hi"
        assert server.connections == 1
        await client.aclose()


async def test_the_server_is_told_the_name_and_the_protocol(
    client: Client, authority: trustme.CA, ca_file: str
) -> None:
    told = []
    context = server_side(authority, "localhost")
    context.sni_callback = lambda _sock, name, _context: told.append(name)
    context.set_alpn_protocols(["h2", "http/1.1"])

    async def play(wire: Wire) -> None:
        await wire.request()
        told.append(wire.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await wire.send(LEAN)
        await wire.until_left()

    async with serve(play, tls=context) as server:
        await (await client.send(server.post(host="localhost", ca_file=ca_file), QUICK)).body(10)
        assert told == ["localhost", "http/1.1"]
        await client.aclose()


async def test_a_certificate_of_an_unknown_authority_is_refused(client: Client, good: ssl.SSLContext) -> None:
    async with serve(answering(LEAN), tls=good) as server:
        words = await refusal(client, server.post(host="localhost"))
        assert words.startswith(f"the TLS certificate of localhost:{server.port} is refused: ")
        assert "certificate" in words.partition("refused: ")[2]


async def test_a_certificate_for_another_name_is_refused(client: Client, authority: trustme.CA, ca_file: str) -> None:
    async with serve(answering(LEAN), tls=server_side(authority, "other.example.com")) as server:
        words = await refusal(client, server.post(host="localhost", ca_file=ca_file))
        assert words == (
            f"the TLS certificate of localhost:{server.port} is refused: "
            "Hostname mismatch, certificate is not valid for 'localhost'"
        )


async def test_a_certificate_for_another_address_is_refused(
    client: Client, authority: trustme.CA, ca_file: str
) -> None:
    async with serve(answering(LEAN), tls=server_side(authority, "localhost")) as server:
        assert "IP address mismatch" in await refusal(client, server.post(ca_file=ca_file))


async def test_a_server_without_tls_is_named_as_such(client: Client, ca_file: str) -> None:
    async def play(wire: Wire) -> None:
        await wire.reader.read(100)
        await wire.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await wire.until_left()

    async with serve(play) as server:
        server.secure = True
        words = await refusal(client, server.post(ca_file=ca_file))
        assert words.startswith(f"no TLS connection to 127.0.0.1:{server.port}: ")


async def test_a_server_that_hangs_up_during_the_handshake(client: Client, ca_file: str) -> None:
    async def play(wire: Wire) -> None:
        await wire.reader.read(10)
        wire.reset()

    async with serve(play) as server:
        server.secure = True
        words = await refusal(client, server.post(ca_file=ca_file))
        assert f"127.0.0.1:{server.port}" in words


async def test_an_authority_that_cannot_be_read_is_named(client: Client, tmp_path) -> None:
    missing, empty = tmp_path / "none.pem", tmp_path / "empty.pem"
    empty.write_text("nothing here")
    async with serve(answering(LEAN)) as server:
        server.secure = True
        assert "No such file" in await refusal(client, server.post(ca_file=str(missing)))
        assert str(empty) in await refusal(client, server.post(ca_file=str(empty)))
        assert server.connections == 0


async def test_a_body_that_ends_with_the_connection_ends_well(
    client: Client, good: ssl.SSLContext, ca_file: str
) -> None:
    async with serve(closing(OK + b"\r\ndata: 1\n\n"), tls=good) as server:
        incoming = await client.send(server.post(ca_file=ca_file), QUICK)
        assert await incoming.body(100) == b"data: 1\n\n"


async def test_large_bodies_go_both_ways(client: Client, good: ssl.SSLContext, ca_file: str) -> None:
    body = bytes(range(256)) * 20_000

    async def play(wire: Wire) -> None:
        request = await wire.request()
        await wire.send(OK + b"content-length: %d\r\n\r\n" % len(request.body) + request.body)
        await wire.until_left()

    async with serve(play, tls=good) as server:
        incoming = await client.send(server.post(body, ca_file=ca_file), QUICK)
        assert await incoming.body(len(body)) == body
        await client.aclose()


async def test_an_unread_body_stops_coming(client: Client, good: ssl.SSLContext, ca_file: str) -> None:
    size, sent = 30_000_000, 0

    async def play(wire: Wire) -> None:
        nonlocal sent
        await wire.request()
        await wire.send(OK + b"content-length: %d\r\n\r\n" % size)
        while sent < size:
            await wire.send(bytes(100_000))
            sent += 100_000
        await wire.until_left()

    async with serve(play, tls=good) as server:
        incoming = await client.send(server.post(ca_file=ca_file), QUICK)
        for _ in range(200):
            before = sent
            await asyncio.sleep(0.05)
            if sent == before:
                break
        assert sent < size
        got = 0
        while piece := await incoming.read():
            got += len(piece)
        assert got == size
        await client.aclose()


async def test_cancelling_during_the_handshake_leaves_nothing(client: Client, ca_file: str) -> None:
    begun = asyncio.Event()

    async def play(wire: Wire) -> None:
        await wire.reader.read(10)
        begun.set()
        await wire.until_left()

    async with serve(play) as server:
        server.secure = True
        task = asyncio.create_task(client.send(server.post(ca_file=ca_file), QUICK))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.wait_for(server.ended.get(), 5) == 1


async def test_closing_the_client_ends_a_handshake(client: Client, ca_file: str) -> None:
    begun = asyncio.Event()

    async def play(wire: Wire) -> None:
        await wire.reader.read(10)
        begun.set()
        await wire.until_left()

    async with serve(play) as server:
        server.secure = True
        task = asyncio.create_task(client.send(server.post(ca_file=ca_file), QUICK))
        await begun.wait()
        await client.aclose()
        with pytest.raises(GatewayError) as told:
            await task
        assert told.value.kind is Kind.STOPPING


async def test_a_context_is_built_once_for_each_authority(ca_file: str, monkeypatch) -> None:
    built = []
    build = tls.build
    monkeypatch.setattr(tls, "build", lambda path: built.append(path) or build(path))
    contexts = Contexts(["http/1.1"])
    several = await asyncio.gather(*(contexts.get(ca_file) for _ in range(10)), contexts.get(None))
    assert sorted(built, key=str) == sorted([ca_file, None], key=str)
    assert len({id(context) for context in several}) == 2


def test_every_context_verifies(ca_file: str) -> None:
    for context in (tls.build(None), tls.build(ca_file)):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
