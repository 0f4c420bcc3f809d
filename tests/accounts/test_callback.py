"""The listener that a browser comes back to: only this machine, only its paths, and never more than it must read."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fakes.browser import get
from isthmus.accounts import callback
from isthmus.accounts.callback import CONNECTIONS, HEAD, Callbacks, Outcome, page_of
from isthmus.providers.issuer import Issuer

ISSUER = Issuer(name="x", title="X", client_id="x")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """One that is listened at."""

    async def arrived(query: str) -> Outcome:
        return Outcome(200, "Heard", query)

    callbacks = Callbacks(arrived)
    yield await callbacks.listen("one", ISSUER)
    await callbacks.aclose()


async def sent(port: int, head: bytes) -> bytes:
    """All that is answered to these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    try:
        return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_it_answers_at_every_address_of_this_machine(port: int, host: str) -> None:
    status, page = await get(f"http://{host}:{port}/auth/callback?code=1")
    assert (status, "code=1" in page) == (200, True)


async def test_it_listens_at_no_other_address(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("192.0.2.1", 9))
        own = one.getsockname()[0]
    if own.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError, match=r"refused|Connect"):
        await get(f"http://{own}:{port}/auth/callback")


@pytest.mark.parametrize(
    "host",
    ["evil.example.com", "evil.example.com:1455", "localhost.evil.example.com", "127.0.0.1.nip.example", "", "["],
)
async def test_a_browser_that_believes_to_speak_to_another_host_is_refused(port: int, host: str) -> None:
    assert (await get(f"http://127.0.0.1:{port}/auth/callback?code=1", host=host))[0] == 403


async def test_a_request_without_a_host_or_with_two_is_refused(port: int) -> None:
    none = await sent(port, b"GET /auth/callback HTTP/1.0\r\n\r\n")
    two = await sent(port, b"GET /auth/callback HTTP/1.1\r\nhost: localhost\r\nHost: evil.example.com\r\n\r\n")
    assert none.startswith(b"HTTP/1.1 403 ")
    assert two.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("path", ["/", "/auth/callback/", "/auth/callbacks", "/favicon.ico", "/AUTH/CALLBACK"])
async def test_no_other_path_is_there(port: int, path: str) -> None:
    assert (await get(f"http://127.0.0.1:{port}{path}?code=1"))[0] == 404


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "PUT"])
async def test_nothing_can_be_done_but_to_read_it(port: int, method: str) -> None:
    assert (await get(f"http://127.0.0.1:{port}/auth/callback?code=1", method=method))[0] == 405


@pytest.mark.parametrize(
    "head", [b"\r\n\r\n", b"GET\r\n\r\n", b"GET http://localhost/ HTTP/1.1\r\n\r\n", b"GET //x/ HTTP/1.1\r\n\r\n"]
)
async def test_what_is_no_request_is_refused(port: int, head: bytes) -> None:
    assert (await sent(port, head)).startswith(b"HTTP/1.1 400 ")


async def test_a_head_without_end_is_not_read_on(port: int) -> None:
    assert await sent(port, b"GET /auth/callback HTTP/1.1\r\nx: " + b"y" * 2 * HEAD) == b""


async def test_who_says_nothing_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback, "PATIENCE", 0.02)
    assert await sent(port, b"GET /auth") == b""


async def test_only_so_many_are_let_in(port: int) -> None:
    waiting = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
    assert await sent(port, b"") == b""
    for _, writer in waiting:
        writer.close()


async def test_the_page_is_kept_by_nobody_and_loads_nothing(port: int) -> None:
    answer = await sent(port, b"GET /auth/callback?code=1 HTTP/1.1\r\nhost: localhost\r\n\r\n")
    for line in (b"cache-control: no-store", b"referrer-policy: no-referrer", b"default-src 'none'"):
        assert line in answer


def test_what_stands_on_the_page_is_text() -> None:
    assert b"<script>" not in page_of(Outcome(400, "<script>", "<script>"))


@pytest.mark.parametrize("other", ["2001:db8::1", "no sockets"])
async def test_a_machine_without_ipv6_is_listened_at_all_the_same(monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    def without(family: int = -1, *more: Any, **named: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "no IPv6")
        return sockets(family, *more, **named)

    async def arrived(_: str) -> Outcome:
        return Outcome(200, "Heard", "done")

    if other == "no sockets":
        sockets = socket.socket
        monkeypatch.setattr(socket, "socket", without)
    else:
        monkeypatch.setattr(callback, "HOSTS", ("127.0.0.1", other))
    callbacks = Callbacks(arrived)
    port = await callbacks.listen("one", ISSUER)
    monkeypatch.undo()
    assert (await get(f"http://127.0.0.1:{port}/auth/callback?code=1"))[0] == 200
    await callbacks.aclose()


async def test_an_outcome_that_is_awaited_reaches_the_browser_although_nobody_is_waited_for_any_more() -> None:
    async def arrived(_: str) -> Outcome:
        callbacks.stop("one")
        await asyncio.sleep(0)
        return Outcome(200, "Heard", "done")

    callbacks = Callbacks(arrived)
    port = await callbacks.listen("one", ISSUER)
    assert "done" in (await get(f"http://127.0.0.1:{port}/auth/callback?code=1"))[1]
    await callbacks.aclose()
