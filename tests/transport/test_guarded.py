"""A URL that comes from a client leads to the public internet, or nowhere."""

import base64

import pytest
from hostile import OK, Play, Request, Server, Wire, answering, serve

from isthmus.core.content import Inline
from isthmus.core.errors import GatewayError, Kind
from isthmus.transport.fetch import open_fetcher
from isthmus.transport.guarded import is_public

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


def anywhere(host: str) -> bool:
    return True


def file(data: bytes, kind: bytes = b"image/png") -> bytes:
    return OK + b"content-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (kind, len(data), data)


def to(location: str) -> bytes:
    return b"HTTP/1.1 302 Found\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n" % location.encode()


def url(server: Server, path: str = "/cat.png") -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def noting(seen: list[Request], *answers: bytes) -> Play:
    """As `answering`, and note what was asked."""

    async def play(wire: Wire) -> None:
        for number in range(100):
            seen.append(await wire.request())
            await wire.send(answers[min(number, len(answers) - 1)])

    return play


async def refusal(asked: str, *, allowed: bool = True, most: int = 1000) -> str:
    async with open_fetcher(most=most, allowed=anywhere if allowed else is_public) as fetcher:
        with pytest.raises(GatewayError) as told:
            await fetcher.fetch(asked)
    assert told.value.kind is Kind.INVALID
    return told.value.message


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
        "2001:0:1::", "fd00:ec2::254", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_known(host: str) -> None:
    assert not is_public(host)


@pytest.mark.parametrize("host", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_a_public_address_is_known(host: str) -> None:
    assert is_public(host)


async def test_a_file_comes_as_base64_with_its_type() -> None:
    seen: list[Request] = []
    async with serve(noting(seen, file(PNG))) as server, open_fetcher(allowed=anywhere) as fetcher:
        assert await fetcher.fetch(url(server, "/a%20b.png?size=1")) == Inline(
            "image/png", base64.b64encode(PNG).decode()
        )
    assert seen[0].line == "GET /a%20b.png?size=1 HTTP/1.1"
    assert seen[0].header("authorization") is None


@pytest.mark.parametrize(
    ("data", "told", "kind"),
    [
        (PNG, b"application/octet-stream", "image/png"),
        (b"\xff\xd8\xff\xe0", b"", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", b"binary/octet-stream", "image/webp"),
        (b"%PDF-1.7", b"application/pdf; charset=binary", "application/pdf"),
        (b"words", b"Text/Plain", "text/plain"),
    ],
)
async def test_a_file_is_what_its_server_says_or_else_what_it_begins_with(data: bytes, told: bytes, kind: str) -> None:
    async with serve(answering(file(data, told))) as server, open_fetcher(allowed=anywhere) as fetcher:
        assert (await fetcher.fetch(url(server))).media_type == kind


async def test_a_machine_of_ones_own_network_is_never_connected_to() -> None:
    async with serve(answering(file(PNG))) as server:
        assert "not one of the public internet" in await refusal(url(server), allowed=False)
        assert "not one of the public internet" in await refusal(
            url(server).replace("127.0.0.1", "localhost"), allowed=False
        )
    assert server.connections == 0


async def test_a_redirect_is_judged_like_the_first_address() -> None:
    async with serve(answering(to("ftp://files.example.com/cat.png"))) as server:
        assert "is no http or https address" in await refusal(url(server))


async def test_redirects_end() -> None:
    seen: list[Request] = []
    async with serve(noting(seen, to("/again"))) as server:
        assert "redirects more than 3 times" in await refusal(url(server))
    assert len(seen) == 4


async def test_a_redirect_is_followed_to_the_file() -> None:
    seen: list[Request] = []
    async with serve(noting(seen, to("/there.png"), file(PNG))) as server, open_fetcher(allowed=anywhere) as fetcher:
        assert (await fetcher.fetch(url(server))).media_type == "image/png"
    assert [request.line for request in seen] == ["GET /cat.png HTTP/1.1", "GET /there.png HTTP/1.1"]


async def test_a_file_that_is_too_long_is_given_up() -> None:
    async with serve(answering(file(PNG + b"x" * 2000))) as server:
        assert "cannot be fetched" in await refusal(url(server))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("file:///etc/passwd", "is no http or https address"),
        ("gopher://127.0.0.1/", "is no http or https address"),
        ("http:///nowhere", "is no http or https address"),
        ("http://user:pass@files.example.com/cat.png", "holds a user name or password"),
        ("http://files.example.com:99999/", "is no address"),
        ("http://files.example.com/a b", "percent-encoded"),
        ("http://files.example.com/a\r\nx: y", "percent-encoded"),
    ],
)
async def test_a_url_that_breaks_a_rule_is_refused_with_words(asked: str, words: str) -> None:
    assert words in await refusal(asked)


async def test_a_page_is_no_file_and_an_error_is_told_by_its_status() -> None:
    gone = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
    async with serve(answering(gone)) as server:
        assert "was answered with HTTP 404" in await refusal(url(server))
    async with serve(answering(file(b"\0\1\2", b"application/zip"))) as server:
        assert "is no image, sound, film, PDF or text" in await refusal(url(server))


async def test_what_is_told_holds_no_query() -> None:
    async with serve(answering(file(b"\0", b"application/zip"))) as server:
        assert "secret" not in await refusal(url(server, "/file?token=secret"))
