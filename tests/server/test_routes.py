"""Which route a path is, who is calling, and which dialect a shared path speaks."""

import pytest

from isthmus.dialects.table import CODECS, COUNT_CODECS, EMBED_CODECS
from isthmus.server.clients import is_loopback, presented_key
from isthmus.server.endpoints import ENDPOINTS, VERBS, Serves, caller_dialect, find_path
from isthmus.server.routes import find_route
from isthmus.wire.headers import said_to_us


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
    assert presented_key(said_to_us(headers), query) == "k1"


@pytest.mark.parametrize("headers", [(), ((b"authorization", b"Bearer "),), ((b"x-api-key", b""),)])
def test_no_key_is_no_key(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    assert presented_key(said_to_us(headers), b"monkey=1") is None


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


def test_every_route_that_is_read_has_its_codec() -> None:
    known = {Serves.CHAT: {dialect for dialect, _ in CODECS}, Serves.EMBED: EMBED_CODECS, Serves.COUNT: COUNT_CODECS}
    for path, methods in ENDPOINTS.items():
        for method, endpoint in methods.items():
            if endpoint.serves in known:
                assert endpoint.dialect in known[endpoint.serves], f"{method} {path}"
    for verb, (serves, dialect, _) in VERBS.items():
        assert dialect in known[serves], verb


@pytest.mark.parametrize(
    ("path", "query", "model", "stream", "framing"),
    [
        ("/v1beta/models/m:generateContent", b"", "m", False, "sse"),
        ("/v1/models/m:streamGenerateContent", b"alt=sse", "m", True, "sse"),
        ("/v1beta/models/m:streamGenerateContent", b"", "m", True, "json_array"),
        ("/v1beta/models/m:streamGenerateContent", b"key=k&alt=json", "m", True, "json_array"),
        ("/v1beta/models/m:streamGenerateContent", b"%24alt=json", "m", True, "json_array"),
        ("/v1beta/models/vendor/m:8b:generateContent", b"", "vendor/m:8b", False, "sse"),
    ],
)
def test_a_path_may_name_the_model_and_how_it_answers(
    path: str, query: bytes, model: str, stream: bool, framing: str
) -> None:
    route = find_route("POST", path, query, ())
    assert route.named is not None
    assert (route.named.model, route.named.stream) == (model, stream)
    assert route.codec.framing == framing  # type: ignore[union-attr]


def test_who_accepts_events_is_streamed_events() -> None:
    route = find_route("POST", "/v1beta/models/m:streamGenerateContent", b"", ((b"accept", b"text/event-stream"),))
    assert route.codec.framing == "sse"  # type: ignore[union-attr]


@pytest.mark.parametrize("path", ["/v1beta/models/m", "/v1beta/models/m:guess", "/v1/models/:generateContent"])
def test_a_path_that_asks_nothing_of_a_model_is_told_what_could_be_asked(path: str) -> None:
    route = find_route("POST", path, b"", ())
    assert route.serves is None
    assert route.error is not None
    assert "generateContent" in route.error.message


@pytest.mark.parametrize(
    ("headers", "path", "dialect"),
    [
        (((b"x-goog-api-key", b"k"),), "/v1/models", "gemini"),
        (((b"x-goog-api-client", b"genai"),), "/v1/models/gpt-5", "gemini"),
        ((), "/v1beta/models", "gemini"),
        ((), "/api/tags", "ollama"),
        ((), "/ollama/api/tags", "ollama"),
        ((), "/v1/responses/resp_1/nothing", "openai_responses"),
    ],
)
def test_every_dialect_has_its_signs(headers: tuple[tuple[bytes, bytes], ...], path: str, dialect: str) -> None:
    assert caller_dialect(headers, path) == dialect


def test_a_websocket_is_answered_so_that_its_client_asks_by_post() -> None:
    assert find_route("GET", "/v1/responses", b"", ()).serves is Serves.SOCKET
