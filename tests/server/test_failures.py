"""What a caller sees when something goes wrong: exact status, its dialect's shape, the provider's words, no key."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from fakes.clients import Door, through
from fakes.gateway import CLIENT_KEY, RunningGateway, between, open_gateway
from fakes.raw import PATHS, Heard, ask, send, text_of
from fakes.scripts import HELLO, KEY, MIDSTREAM_ERRORS, TOO_LONG
from fakes.upstream import Upstream, questions

DIALECTS = ("openai", "anthropic")
ANTHROPIC_ERRORS = {
    "invalid_request_error",
    "authentication_error",
    "permission_error",
    "not_found_error",
    "request_too_large",
    "rate_limit_error",
    "api_error",
    "timeout_error",
    "overloaded_error",
}
HASTY = """
  hasty-openai:
    type: compatible
    dialect: openai
    base-url: {root}/v1
    api-key: {key}
    models: [never-answers]
    deadlines: {{first-byte: 0.3}}
  hasty-anthropic:
    type: compatible
    dialect: anthropic
    base-url: {root}/v1
    api-key: {key}
    models: [never-answers]
    deadlines: {{first-byte: 0.3}}
"""


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    config = between(
        upstream, providers=HASTY.format(root=upstream.root, key=KEY), more="limits:\n  request-body: 1MiB\n"
    )
    with open_gateway(config, tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(params=DIALECTS, ids=lambda dialect: f"{dialect}-client")
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=DIALECTS, ids=lambda dialect: f"{dialect}-provider")
def door(request: pytest.FixtureRequest, gateway: RunningGateway) -> Door:
    return through(gateway, request.param)


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def stream(request: pytest.FixtureRequest) -> bool:
    asked: bool = request.param
    return asked


def error_in(body: Any, dialect: str) -> dict[str, Any]:
    """The error object, when the body has exactly the shape that clients of this dialect read."""
    assert isinstance(body, dict), f"an error is an object, not {body!r}"
    if dialect == "anthropic":
        assert body.get("type") == "error", body
        assert body["error"]["type"] in ANTHROPIC_ERRORS, body
    else:
        assert "type" not in body, f"{body} is not an error in OpenAI's dialect"
        assert {"message", "type", "param", "code"} <= set(body["error"]), body
    error: dict[str, Any] = body["error"]
    assert isinstance(error["message"], str), body
    assert error["message"], body
    return error


def refused(heard: Heard, dialect: str, status: int) -> dict[str, Any]:
    """The error of an answer that was refused before its first byte. Never holds a key."""
    assert heard.status == status, f"expected {status}, got {heard.status}: {heard.body[:300]!r}"
    assert heard.headers["content-type"].startswith("application/json"), "an error is JSON, for streams too"
    assert KEY.encode() not in heard.body, "the provider's key was shown to a client"
    assert KEY not in str(heard.headers)
    return error_in(heard.json, dialect)


def test_a_rate_limit_keeps_status_words_and_retry_after(dialect: str, door: Door, stream: bool) -> None:
    heard = ask(door, dialect, "fails-429", stream=stream)
    error = refused(heard, dialect, 429)
    assert error["message"] == "Rate limit reached for the scripted model: limit 3, used 3."
    assert heard.headers["retry-after"] == "7"
    if dialect == "anthropic":
        assert error["type"] == "rate_limit_error"


def test_a_providers_fault_keeps_status_and_words(dialect: str, door: Door, stream: bool) -> None:
    error = refused(ask(door, dialect, "fails-500", stream=stream), dialect, 500)
    assert error["message"] == "The server had an error while processing your request."
    assert error["type"] == ("api_error" if dialect == "anthropic" else "server_error")


def test_an_overloaded_provider_keeps_its_status(dialect: str, door: Door, stream: bool) -> None:
    error = refused(ask(door, dialect, "fails-529", stream=stream), dialect, 529)
    if dialect == "anthropic":
        assert error["type"] == "overloaded_error"


@pytest.mark.parametrize("model", ["fails-401", "fails-403"])
def test_a_refused_credential_is_the_gateways_fault_and_is_not_shown(
    dialect: str, door: Door, stream: bool, model: str
) -> None:
    error = refused(ask(door, dialect, model, stream=stream), dialect, 502)
    assert door.behind in error["message"], "the message says which provider refused the gateway"


def test_a_key_in_the_middle_of_an_honest_message_is_masked(dialect: str, door: Door, stream: bool) -> None:
    error = refused(ask(door, dialect, "fails-429-with-key", stream=stream), dialect, 429)
    assert error["message"].startswith("Rate limit reached for key ")


@pytest.mark.parametrize("model", ["sends-html", "sends-html-error", "sends-text"])
def test_what_is_not_json_is_a_bad_gateway(dialect: str, door: Door, stream: bool, model: str) -> None:
    heard = ask(door, dialect, model, stream=stream)
    refused(heard, dialect, 502)
    assert b"<html" not in heard.body, "a provider's page was passed on"


@pytest.mark.parametrize("model", ["drops", "cuts-body"])
def test_a_provider_that_hangs_up_is_a_bad_gateway(dialect: str, door: Door, stream: bool, model: str) -> None:
    error = refused(ask(door, dialect, model, stream=stream), dialect, 502)
    assert "127.0.0.1" not in error["message"], "a provider's address is nobody's business"


def test_a_provider_that_never_answers_is_a_gateway_timeout(
    dialect: str, door: Door, stream: bool, gateway: RunningGateway, upstream: Upstream
) -> None:
    heard = ask(through(gateway, f"hasty-{door.behind}"), dialect, "never-answers", stream=stream)
    refused(heard, dialect, 504)
    upstream.wait_for_departure(upstream.last())


def test_an_error_in_a_good_status_is_an_error(dialect: str, door: Door, stream: bool) -> None:
    error = refused(ask(door, dialect, "sends-error-body", stream=stream), dialect, 502)
    assert error["message"] == "The scripted provider says 200 and means 500."


@pytest.mark.parametrize(
    ("model", "status", "words"),
    [
        ("fails-400", 400, "max_tokens: the scripted provider does not like it"),
        ("too-long", 400, TOO_LONG),
        ("fails-404", 404, "The model does not exist here."),
        ("fails-413", 413, "Request exceeds the maximum size"),
    ],
)
def test_what_the_provider_refuses_is_refused_in_its_words(
    dialect: str, door: Door, stream: bool, model: str, status: int, words: str
) -> None:
    error = refused(ask(door, dialect, model, stream=stream), dialect, status)
    assert words in error["message"]


@pytest.mark.parametrize("model", ["resets-midway", "ends-midway", "errs-midway"])
def test_a_stream_that_breaks_ends_with_an_error_and_never_like_a_good_one(
    dialect: str, door: Door, model: str
) -> None:
    heard = ask(door, dialect, model, stream=True)
    assert heard.status == 200
    name, data = heard.events[-1]
    error = error_in(json.loads(data), dialect)
    assert name == ("error" if dialect == "anthropic" else ""), "the event of an error has this dialect's name"
    if model == "errs-midway":
        assert error["message"] == MIDSTREAM_ERRORS["error"]
    for ending in (b"[DONE]", b"message_stop", b"message_delta", b'"finish_reason":"stop"'):
        assert ending not in heard.body, f"{ending!r} lets a client believe that it has heard everything"
    words = text_of(heard.body, dialect)
    assert words, "what came before the break was not passed on"
    assert HELLO.startswith(words)


@pytest.mark.parametrize("model", ["leaks-midway", "leaks-midway-in-crumbs"])
def test_a_key_in_an_error_of_a_stream_is_masked(dialect: str, door: Door, model: str) -> None:
    heard = ask(door, dialect, model, stream=True)
    assert KEY.encode() not in heard.body, "the provider's key was shown to a client"
    error = error_in(json.loads(heard.events[-1][1]), dialect)
    assert error["message"].endswith("has lost its thread.")


def test_a_cut_answer_that_was_wanted_whole_is_a_bad_gateway(dialect: str, door: Door) -> None:
    refused(ask(door, dialect, "resets-midway"), dialect, 502)


@pytest.mark.parametrize("body", [b'{"model": "x", ', b"", b"\xff\xfe{}", b"[1,2]", b'"text"', b"null"])
def test_what_is_no_json_object_is_refused_here(
    dialect: str, gateway: RunningGateway, upstream: Upstream, body: bytes
) -> None:
    before = questions(upstream)
    refused(send(through(gateway, "openai"), "POST", PATHS[dialect], body, dialect=dialect), dialect, 400)
    assert questions(upstream) == before, "it was sent to the provider all the same"


def test_a_request_without_messages_names_what_is_missing(dialect: str, door: Door) -> None:
    body = json.dumps({"model": door.model("says-hello"), "max_tokens": 5}).encode()
    error = refused(send(door, "POST", PATHS[dialect], body, dialect=dialect), dialect, 400)
    assert "messages" in error["message"]


def test_a_field_of_the_wrong_type_is_named(dialect: str, door: Door) -> None:
    body = json.dumps(
        {"model": door.model("says-hello"), "max_tokens": 5, "messages": [{"role": "user", "content": 7}]}
    )
    error = refused(send(door, "POST", PATHS[dialect], body.encode(), dialect=dialect), dialect, 400)
    assert "messages" in error["message"]
    assert "content" in error["message"]


def test_an_unknown_model_is_not_found_and_the_nearest_names_are_told(dialect: str, gateway: RunningGateway) -> None:
    anywhere = Door(gateway.root, CLIENT_KEY, "", "")
    error = refused(ask(anywhere, dialect, "says-helo"), dialect, 404)
    assert "says-hello" in error["message"]


def test_an_unknown_path_is_not_found(dialect: str, gateway: RunningGateway) -> None:
    path = {"openai": "/v1/no/such/path", "anthropic": "/v1/messages/no/such"}[dialect]
    refused(send(through(gateway, "openai"), "POST", path, b"{}", dialect=dialect), dialect, 404)


def test_a_wrong_method_is_told_which_one_is_right(dialect: str, gateway: RunningGateway) -> None:
    heard = send(through(gateway, "openai"), "GET", PATHS[dialect], dialect=dialect)
    refused(heard, dialect, 405)
    assert "POST" in heard.headers["allow"]


def test_a_body_beyond_the_limit_is_too_large(dialect: str, gateway: RunningGateway) -> None:
    big = b'{"model": "says-hello", "messages": "' + b"x" * (1024 * 1024) + b'"}'
    refused(send(through(gateway, "openai"), "POST", PATHS[dialect], big, dialect=dialect), dialect, 413)


@pytest.mark.parametrize("key", ["", "sk-stranger"])
def test_a_stranger_is_unauthenticated(dialect: str, gateway: RunningGateway, key: str) -> None:
    error = refused(ask(Door(gateway.root, key, "openai/", "openai"), dialect, "says-hello"), dialect, 401)
    assert "sk-stranger" not in error["message"]


def test_only_known_headers_of_the_provider_are_passed_on(dialect: str, door: Door, stream: bool) -> None:
    heard = ask(door, dialect, "says-hello", stream=stream)
    assert heard.status == 200
    assert "set-cookie" not in heard.headers
    assert "anthropic-organization-id" not in heard.headers


def test_the_next_request_is_answered_after_every_failure(dialect: str, door: Door) -> None:
    for model in ("drops", "sends-html", "resets-midway"):
        ask(door, dialect, model, stream=True)
        assert ask(door, dialect, "says-hello").status == 200, f"{model} cost another request its answer"


def test_no_key_is_ever_logged(dialect: str, door: Door, stream: bool, gateway: RunningGateway) -> None:
    for model in ("says-hello", "fails-401", "fails-429-with-key", "errs-midway"):
        ask(door, dialect, model, stream=stream)
    said = gateway.said()
    assert KEY not in said, "the log holds the provider's key"
    assert CLIENT_KEY not in said, "the log holds a client's key"
