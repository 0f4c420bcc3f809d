"""Which route a path is, who is calling, and which dialect a shared path speaks."""

import pytest

from isthmus.server.clients import is_loopback, presented_key
from isthmus.server.endpoints import Serves, caller_dialect, find_path


@pytest.mark.parametrize(
    ("path", "serves", "rest"),
    [
        ("/v1/chat/completions", Serves.CHAT, ""),
        ("/v1/chat/completions/", Serves.CHAT, ""),
        ("/v1/messages", Serves.CHAT, ""),
        ("/v1/models", Serves.MODELS, ""),
        ("/v1/models/", Serves.MODELS, ""),
        ("/v1/models/vendor/model:1", Serves.MODEL, "vendor/model:1"),
        ("/", Serves.ROOT, ""),
    ],
)
def test_a_path_leads_to_its_endpoint(path: str, serves: Serves, rest: str) -> None:
    methods, matched = find_path(path)
    assert methods is not None
    assert serves in {endpoint.serves for endpoint in methods.values()}
    assert matched == rest


@pytest.mark.parametrize("path", ["/v1", "/v1/chat", "/v2/messages", "//", "/v1/modelsx", "/health/x"])
def test_a_path_that_nobody_serves_is_not_found(path: str) -> None:
    methods, _ = find_path(path)
    assert methods is None or path == "//"


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        (((b"authorization", b"Bearer k1"),), b""),
        (((b"authorization", b"bearer  k1 "),), b""),
        (((b"authorization", b"k1"),), b""),
        (((b"x-api-key", b"k1"),), b""),
        (((b"x-goog-api-key", b"k1"),), b""),
        ((), b"alt=sse&key=k1"),
        (((b"authorization", b"Bearer "), (b"x-api-key", b"k1")), b""),
        (((b"authorization", b"Bearer "),), b"key=k1"),
    ],
)
def test_a_client_key_is_taken_in_any_of_its_forms(headers: tuple[tuple[bytes, bytes], ...], query: bytes) -> None:
    assert presented_key(headers, query) == "k1"


@pytest.mark.parametrize("headers", [(), ((b"authorization", b"Bearer "),), ((b"x-api-key", b""),)])
def test_no_key_is_no_key(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    assert presented_key(headers, b"monkey=1") is None


@pytest.mark.parametrize(
    ("headers", "path", "dialect"),
    [
        (((b"anthropic-version", b"2023-06-01"),), "/v1/models", "anthropic"),
        (((b"user-agent", b"claude-cli/2.1 (external)"),), "/v1/models", "anthropic"),
        ((), "/v1/messages", "anthropic"),
        ((), "/v1/messages/nothing", "anthropic"),
        ((), "/v1/models", "openai_chat"),
        (((b"user-agent", b"curl/8"),), "/nowhere", "openai_chat"),
    ],
)
def test_the_caller_is_answered_in_the_dialect_it_shows(
    headers: tuple[tuple[bytes, bytes], ...], path: str, dialect: str
) -> None:
    assert caller_dialect(headers, path) == dialect


@pytest.mark.parametrize(("peer", "local"), [("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("", False)])
def test_only_this_machine_is_loopback(peer: str, local: bool) -> None:
    assert is_loopback(peer) is local
