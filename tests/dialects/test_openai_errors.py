"""Errors of the OpenAI family: what hosts say, as a kind; and every kind, as clients read it."""

import json

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.dialects.openai.errors import LONGEST, ROWS, read_error, told_error, write_error, write_error_event


def body(message: str = "no", **fields: object) -> bytes:
    return json.dumps({"error": {"message": message, **fields}}).encode()


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (400, body(type="invalid_request_error", param="stop"), Kind.INVALID),
        (400, body(code="context_length_exceeded"), Kind.CONTEXT_EXCEEDED),
        (400, body(type="exceed_context_size_error", code=400), Kind.CONTEXT_EXCEEDED),
        (400, body("This model's maximum context length is 4096 tokens."), Kind.CONTEXT_EXCEEDED),
        (400, body(code="content_filter"), Kind.REFUSED),
        (400, body("API key not valid. Please pass a valid API key."), Kind.CREDENTIAL_REJECTED),
        (401, body(code="401"), Kind.CREDENTIAL_REJECTED),
        (402, body("Insufficient Balance"), Kind.QUOTA_SPENT),
        (403, body(), Kind.CREDENTIAL_REJECTED),
        (404, body(code="model_not_found"), Kind.UNKNOWN_MODEL),
        (404, body(code="DeploymentNotFound"), Kind.UNKNOWN_MODEL),
        (408, b"", Kind.TIMED_OUT),
        (413, b"", Kind.TOO_LARGE),
        (413, body(code="rate_limit_exceeded"), Kind.UPSTREAM_LIMITED),
        (422, b'{"detail":[{"loc":["body"],"msg":"field required"}]}', Kind.INVALID),
        (429, body(type="tokens", code="rate_limit_exceeded"), Kind.UPSTREAM_LIMITED),
        (429, body(type="insufficient_quota", code="insufficient_quota"), Kind.QUOTA_SPENT),
        (429, body("Reduce the context length or wait."), Kind.UPSTREAM_LIMITED),
        (500, body(type="server_error"), Kind.UPSTREAM_FAULT),
        (502, b"<html>", Kind.UPSTREAM_FAULT),
        (503, body(type="server_error"), Kind.OVERLOADED),
        (504, b"", Kind.TIMED_OUT),
        (529, b"", Kind.OVERLOADED),
    ],
)
def test_a_refusal_is_of_a_kind(status: int, answer: bytes, kind: Kind) -> None:
    assert read_error(status, (), answer).kind is kind


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (body("the best words"), "the best words"),
        (b'{"error":"plain text"}', "plain text"),
        (b'{"message":"beside"}', "beside"),
        (b'{"detail":"Not Found"}', "Not Found"),
        (b'{"detail":[{"msg":"field required"},{"msg":"too short"}]}', "field required; too short"),
        (b'[{"error":{"code":400,"message":"listed","status":"INVALID_ARGUMENT"}}]', "listed"),
        (b'"a string"', "a string"),
        (b"upstream connect error", "upstream connect error"),
        (b"", "the provider answered HTTP 500 without a body"),
        (b"\n<!doctype html><html>secrets</html>", "the provider answered HTTP 500 with an HTML page"),
        (b'{"unrelated":1}', "the provider answered HTTP 500 with a body that says nothing"),
        (b'{"error":{"mess', "the provider answered HTTP 500 with a body that says nothing"),
        (b'{"error":' * 5000, "the provider answered HTTP 500 with a body that says nothing"),
        (b"\xff\xfe\xfa", "\ufffd\ufffd\ufffd"),
    ],
)
def test_the_best_words_are_found(answer: bytes, message: str) -> None:
    assert read_error(500, (), answer).message == message


def test_a_long_message_is_cut() -> None:
    assert len(read_error(400, (), body("x" * 10_000)).message) == LONGEST


def test_what_the_provider_told_beside_its_words_is_kept() -> None:
    answer = body("no such format", type="invalid_request_error", param="messages[1]", code="invalid_image_format")
    error = read_error(400, ((b"retry-after", b"7"),), answer)
    assert (error.param, error.code, error.retry_after, error.upstream_status) == (
        "messages[1]",
        "invalid_image_format",
        7.0,
        400,
    )


def test_exact_words_are_kept_only_where_they_have_this_dialects_shape() -> None:
    ours = read_error(400, (), body("exact"))
    assert ours.upstream is not None
    assert ours.upstream.body == body("exact")
    assert read_error(404, (), b'{"detail":"Not Found"}').upstream is None


@pytest.mark.parametrize(
    ("told", "kind", "status"),
    [
        (body("cut", code=400), Kind.INVALID, 400),
        (body("cut", code="502"), Kind.UPSTREAM_FAULT, 502),
        (body("cut", type="invalid_request_error", status_code=400), Kind.INVALID, 400),
        (body("cut", type="overloaded_error"), Kind.OVERLOADED, None),
        (body("cut", type="server_error"), Kind.UPSTREAM_FAULT, None),
        (body("cut"), Kind.UPSTREAM_FAULT, None),
    ],
)
def test_an_error_under_a_good_status_is_of_a_kind(told: bytes, kind: Kind, status: int | None) -> None:
    error = told_error(told)
    assert (error.kind, error.upstream_status, error.message) == (kind, status, "cut")


def test_every_kind_has_a_type_and_a_code() -> None:
    assert set(ROWS) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_written_as_openais_clients_read_it(kind: Kind) -> None:
    written = json.loads(write_error(GatewayError(kind, "words", param="model", code="native")))
    assert written["detail"] == "words"
    error = written["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["message"], error["param"]) == ("words", "model")
    assert isinstance(error["code"], str)


def test_an_unknown_model_is_named_as_openai_names_it() -> None:
    error = json.loads(write_error(GatewayError(Kind.UNKNOWN_MODEL, "no route offers it")))["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "model_not_found")


def test_an_error_in_a_stream_is_one_event() -> None:
    event = write_error_event(GatewayError(Kind.CUT_SHORT, "two\nlines"))
    assert event.startswith(b'data: {"error":{')
    assert event.endswith(b"}}\n\n")
    assert event.count(b"\n") == 2
