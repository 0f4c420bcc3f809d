"""What a request may hold, and that nothing in it can start another."""

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import Origin, Outgoing
from isthmus.transport.head import HeadWriter, authority
from isthmus.wire.headers import Headers

ORIGIN = Origin("https", "api.example.com", 443)


def write(headers: Headers = (), *, method: str = "POST", target: str = "/v1", body: bytes = b"") -> bytes:
    return HeadWriter(ORIGIN).write(Outgoing(ORIGIN, method, target, headers, body))


def test_a_head_is_the_line_ours_theirs_and_the_length() -> None:
    assert write(((b"authorization", b"Bearer k"), (b"x-a", b"b\tc")), body=b"{}") == (
        b"POST /v1 HTTP/1.1\r\n"
        b"host: api.example.com\r\n"
        b"accept-encoding: identity\r\n"
        b"connection: keep-alive\r\n"
        b"authorization: Bearer k\r\n"
        b"x-a: b\tc\r\n"
        b"content-length: 2\r\n"
        b"\r\n"
    )


@pytest.mark.parametrize(("method", "told"), [("GET", False), ("DELETE", False), ("POST", True), ("PUT", True)])
def test_an_empty_body_is_announced_where_one_is_expected(method: str, told: bool) -> None:
    assert (b"content-length: 0\r\n" in write(method=method)) is told


@pytest.mark.parametrize("character", [b"\r", b"\n", b"\r\n", b"\0", b"\x0b", b"\x1f", b"\x7f"])
@pytest.mark.parametrize("value", [b"a%bb", b"%b", b"a%b x: y"])
def test_a_control_character_in_a_value_is_refused_without_quoting_it(character: bytes, value: bytes) -> None:
    with pytest.raises(GatewayError) as told:
        write(((b"x-secret", value % character), (b"x-other", b"fine")))
    assert told.value.kind is Kind.BUG
    assert told.value.message == "the request cannot be sent: a control character in the value of header 'x-secret'"


@pytest.mark.parametrize(
    "name", [b"", b"x a", b"x:", b"x\r\ny", b"x\n", b"X-Upper", b"caf\xc3\xa9", b" x", b"x\0", b"(x)"]
)
def test_a_name_that_is_no_token_is_refused(name: bytes) -> None:
    with pytest.raises(GatewayError) as told:
        write(((name, b"v"),))
    assert told.value.kind is Kind.BUG


@pytest.mark.parametrize(
    "name", [b"host", b"content-length", b"transfer-encoding", b"connection", b"accept-encoding", b"expect", b"upgrade"]
)
def test_a_header_of_the_transports_own_is_refused(name: bytes) -> None:
    with pytest.raises(GatewayError) as told:
        write(((name, b"1"),))
    assert f"{name.decode()!r} belongs to the transport" in told.value.message


@pytest.mark.parametrize(
    "target", ["", "v1", "http://other.example.com/", "/a b", "/a\r\nx: y", "/a HTTP/1.1\r\nhost: x", "/ü", "/\0", "*"]
)
def test_a_target_that_is_no_encoded_path_is_refused(target: str) -> None:
    with pytest.raises(GatewayError) as told:
        write(target=target)
    assert told.value.kind is Kind.BUG


@pytest.mark.parametrize("method", ["", "GET /", "GE\nT", "G T", "ПОСТ"])
def test_a_method_that_is_no_word_is_refused(method: str) -> None:
    with pytest.raises(GatewayError) as told:
        write(method=method)
    assert told.value.kind is Kind.BUG


def test_a_refused_name_is_refused_again() -> None:
    writer = HeadWriter(ORIGIN)
    for _ in range(2):
        with pytest.raises(GatewayError):
            writer.write(Outgoing(ORIGIN, "GET", "/", ((b"x y", b"1"),)))


def test_letters_beyond_ascii_may_stand_in_a_value() -> None:
    assert b"x-title: caf\xc3\xa9\r\n" in write(((b"x-title", "café".encode()),))


@pytest.mark.parametrize(
    ("scheme", "host", "port", "spelled"),
    [
        ("http", "localhost", 80, "localhost"),
        ("http", "localhost", 443, "localhost:443"),
        ("https", "localhost", 443, "localhost"),
        ("https", "localhost", 8443, "localhost:8443"),
        ("http", "::1", 80, "[::1]"),
        ("http", "[::1]", 8080, "[::1]:8080"),
        ("http", "fe80::1%eth0", 80, "[fe80::1]"),
    ],
)
def test_an_origin_is_spelled_as_in_a_url(scheme: str, host: str, port: int, spelled: str) -> None:
    assert authority(Origin(scheme, host, port)) == spelled


@pytest.mark.parametrize("host", ["bücher.example.com", "a\r\nx: y", "a\nb"])
def test_a_host_that_is_no_host_is_refused(host: str) -> None:
    origin = Origin("http", host, 80)
    with pytest.raises(GatewayError) as told:
        HeadWriter(origin).write(Outgoing(origin, "GET", "/", ()))
    assert told.value.kind is Kind.BUG
