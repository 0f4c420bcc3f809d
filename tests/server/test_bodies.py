"""Request bodies: whole, bounded, unpacked."""

import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.server import bodies
from isthmus.server.bodies import ClientLeft, read_body

LIMIT = 1000


def pieces(*parts: bytes, then: dict[str, Any] | None = None) -> Callable[[], Awaitable[dict[str, Any]]]:
    messages = [
        {"type": "http.request", "body": part, "more_body": then is not None or number < len(parts) - 1}
        for number, part in enumerate(parts)
    ]
    if then is not None:
        messages.append(then)

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return receive


async def test_a_body_in_pieces_is_one_body() -> None:
    assert await read_body(pieces(b"ab", b"", b"c"), (), LIMIT) == b"abc"


async def test_a_declared_length_beyond_the_limit_is_refused_before_anything_is_read() -> None:
    with pytest.raises(GatewayError) as caught:
        await read_body(pieces(), ((b"content-length", b"1001"),), LIMIT)
    assert caught.value.kind is Kind.TOO_LARGE
    assert "limits.request-body" in caught.value.message


async def test_an_undeclared_length_beyond_the_limit_is_refused_when_it_shows() -> None:
    with pytest.raises(GatewayError) as caught:
        await read_body(pieces(b"x" * 600, b"x" * 600, b"never read"), (), LIMIT)
    assert caught.value.kind is Kind.TOO_LARGE


async def test_a_gzip_body_is_unpacked() -> None:
    packed = gzip.compress(b'{"a":1}')
    assert await read_body(pieces(packed), ((b"content-encoding", b"gzip"),), LIMIT) == b'{"a":1}'


async def test_a_gzip_bomb_is_refused_at_the_limit() -> None:
    packed = gzip.compress(b"x" * 10_000_000)
    with pytest.raises(GatewayError) as caught:
        await read_body(pieces(packed), ((b"content-encoding", b"gzip"),), 20_000)
    assert caught.value.kind is Kind.TOO_LARGE


@pytest.mark.parametrize(
    ("body", "coding"),
    [(b"not gzip", b"gzip"), (gzip.compress(b"cut", mtime=0)[:-4], b"gzip"), (b"x", b"zstd")],
    ids=["no gzip", "cut gzip", "zstd"],
)
async def test_a_body_that_cannot_be_unpacked_is_the_callers_fault(body: bytes, coding: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        await read_body(pieces(body), ((b"content-encoding", coding),), LIMIT)
    assert caught.value.kind is Kind.INVALID


@pytest.mark.parametrize("sent", [(), (b"half",)])
async def test_a_client_that_leaves_before_its_body_is_complete_is_gone(sent: tuple[bytes, ...]) -> None:
    with pytest.raises(ClientLeft):
        await read_body(pieces(*sent, then={"type": "http.disconnect"}), (), LIMIT)


async def test_a_client_that_stops_sending_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SILENCE", 0.0)
    first = pieces(b"half", b"rest")
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            raise TimeoutError
        sent = True
        return await first()

    with pytest.raises(GatewayError) as caught:
        await read_body(receive, (), LIMIT)
    assert caught.value.status == 408
