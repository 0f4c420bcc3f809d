"""What each kind of provider puts on the wire, and which configurations are refused."""

import pytest

from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.providers.build import build, parse_base
from isthmus.providers.provider import Aim, Deadlines, Origin, Provider
from isthmus.providers.table import LOCAL_ORIGIN, PROVIDERS
from isthmus.wire.headers import Headers

KEY = Secret("sk-test-0123456789")


def provider(kind: str, **configured: object) -> Provider:
    return build(PROVIDERS[kind], name="p", **configured)  # type: ignore[arg-type] # each test names known keys


@pytest.mark.parametrize(
    ("kind", "operation", "host", "expected"),
    [
        ("openai", Operation.CHAT, "api.openai.com", ("POST", "/v1/chat/completions")),
        ("openai", Operation.LIST_MODELS, "api.openai.com", ("GET", "/v1/models")),
        ("anthropic", Operation.CHAT, "api.anthropic.com", ("POST", "/v1/messages")),
        ("anthropic", Operation.LIST_MODELS, "api.anthropic.com", ("GET", "/v1/models?limit=1000")),
        ("groq", Operation.CHAT, "api.groq.com", ("POST", "/openai/v1/chat/completions")),
        ("deepseek", Operation.CHAT, "api.deepseek.com", ("POST", "/chat/completions")),
        (
            "gemini",
            Operation.CHAT,
            "generativelanguage.googleapis.com",
            ("POST", "/v1beta/models/any-model:streamGenerateContent?alt=sse"),
        ),
        ("gemini", Operation.LIST_MODELS, "generativelanguage.googleapis.com", ("GET", "/v1beta/models?pageSize=1000")),
        ("github", Operation.CHAT, "models.github.ai", ("POST", "/inference/chat/completions")),
    ],
)
def test_each_kind_asks_at_its_own_address(
    kind: str, operation: Operation, host: str, expected: tuple[str, str]
) -> None:
    built = provider(kind)
    assert built.origin == Origin("https", host, 443)
    assert built.address(Aim(operation, built.dialects[operation][0], "any-model", True)) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("openai", ((b"authorization", b"Bearer sk-test-0123456789"),)),
        ("groq", ((b"authorization", b"Bearer sk-test-0123456789"),)),
        ("anthropic", ((b"anthropic-version", b"2023-06-01"), (b"x-api-key", b"sk-test-0123456789"))),
        ("local", ()),
    ],
)
def test_each_kind_signs_in_its_own_way(kind: str, expected: Headers) -> None:
    built = provider(kind, secret=KEY)
    assert built.sign((), built.secret) == expected


def test_without_a_key_nothing_is_signed() -> None:
    assert provider("ollama").sign((), None) == ()


def test_the_clients_anthropic_version_is_kept() -> None:
    theirs = ((b"anthropic-version", b"2026-10-21"),)
    assert provider("anthropic").sign(theirs, None) == theirs


def test_the_bundled_model_stands_at_the_placeholder() -> None:
    built = provider("local")
    assert built.origin == LOCAL_ORIGIN
    assert built.models == ("smollm2-135m",)
    assert not built.listed


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
def test_an_anthropic_base_may_end_in_v1_or_not(path: str) -> None:
    built = provider("anthropic-compatible", base_url="https://api.example.com/anthropic" + path)
    assert built.address(Aim(Operation.CHAT, "anthropic", "m")) == ("POST", "/anthropic/v1/messages")


@pytest.mark.parametrize(
    ("url", "origin", "prefix"),
    [
        ("https://api.example.com/v1", Origin("https", "api.example.com", 443), "/v1"),
        ("https://api.example.com/v1/", Origin("https", "api.example.com", 443), "/v1"),
        ("https://api.example.com", Origin("https", "api.example.com", 443), ""),
        ("HTTPS://API.Example.COM/V1", Origin("https", "api.example.com", 443), "/V1"),
        ("http://127.0.0.1:11434/v1", Origin("http", "127.0.0.1", 11434), "/v1"),
        ("http://localhost/a/b", Origin("http", "localhost", 80), "/a/b"),
        ("http://[::1]:8000/v1", Origin("http", "::1", 8000), "/v1"),
        ("https://[2001:db8::2]/v1", Origin("https", "2001:db8::2", 443), "/v1"),
        ("https://bücher.example.com/v1", Origin("https", "xn--bcher-kva.example.com", 443), "/v1"),
    ],
)
def test_a_base_url_gives_an_origin_and_a_prefix(url: str, origin: Origin, prefix: str) -> None:
    assert parse_base(url) == (origin, prefix)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "not a base URL"),
        ("api.example.com/v1", "not a base URL"),
        ("ftp://api.example.com", "not a base URL"),
        ("https:///v1", "not a base URL"),
        ("https://user:pass@api.example.com/v1", "user name"),
        ("https://user@api.example.com/v1", "user name"),
        ("https://api.example.com/v1?key=1", "query"),
        ("https://api.example.com/v1#top", "query or fragment"),
        ("https://api.example.com:70000/v1", "not an address"),
        ("https://api.example.com:http/v1", "not an address"),
        ("https://[::1/v1", "not an address"),
        ("https://api.example.com/v1\r\nhost: evil", "space or control"),
        ("https://api.example.com/a b", "space or control"),
        ("https://api.example.com/ü", "percent-encoded"),
    ],
)
def test_what_is_no_base_url_is_refused(url: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        parse_base(url)


def test_a_password_in_an_address_is_not_repeated_in_the_refusal() -> None:
    with pytest.raises(ValueError, match="user name") as caught:
        parse_base("https://user:hunter2@api.example.com/v1")
    assert "hunter2" not in str(caught.value)


def test_a_kind_without_an_address_needs_one() -> None:
    with pytest.raises(ValueError, match="base-url"):
        provider("compatible")


def test_port_zero_belongs_to_the_bundled_model_alone() -> None:
    with pytest.raises(ValueError, match="port 0"):
        provider("compatible", base_url="http://127.0.0.1:0/v1")


def test_configuration_goes_before_the_row() -> None:
    built = provider(
        "groq",
        base_url="https://mirror.example.com/v1",
        secret=KEY,
        headers=[("X-Team", "blue")],
        models=["one", "two-*"],
        deadlines=Deadlines(total=9.0),
        proxy="http://127.0.0.1:3128",
        ca_file="ca.pem",
        http2=True,
    )
    assert built.origin == Origin("https", "mirror.example.com", 443, "http://127.0.0.1:3128", "ca.pem", True)
    assert built.headers == ((b"x-team", b"blue"),)
    assert built.models == ("one", "two-*")
    assert built.deadlines.total == 9.0
    assert built.quirks == PROVIDERS["groq"].quirks


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "connection", "Accept-Encoding", "TE"])
def test_headers_of_the_message_itself_cannot_be_configured(name: str) -> None:
    with pytest.raises(ValueError, match="gateway itself"):
        provider("openai", headers=[(name, "x")])


@pytest.mark.parametrize(
    ("name", "value"), [("x y", "1"), ("", "1"), ("x:", "1"), ("x-a", "1\r\nx-b: 2"), ("x-a", "☃")]
)
def test_a_header_that_no_message_can_carry_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="header"):
        provider("openai", headers=[(name, value)])


@pytest.mark.parametrize("key", ["sk-abc\n", "sk abc", "sk-ä"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="the key holds") as caught:
        provider("openai", secret=Secret(key))
    assert key not in str(caught.value)
