"""What Bedrock refuses becomes the right kind, wherever it names its exception, in answers and in streams."""

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import StreamError
from isthmus.dialects.bedrock.converse import CODEC
from isthmus.dialects.bedrock.errors import read_error, write_error
from isthmus.wire import json
from isthmus.wire.event_stream import write_event, write_exception, write_message
from support.streams import events_of, tapped

NAMES = [
    (400, "ValidationException", Kind.INVALID),
    (403, "AccessDeniedException", Kind.CREDENTIAL_REJECTED),
    (403, "UnrecognizedClientException", Kind.CREDENTIAL_REJECTED),
    (403, "ExpiredTokenException", Kind.CREDENTIAL_REJECTED),
    (404, "ResourceNotFoundException", Kind.UNKNOWN_MODEL),
    (408, "ModelTimeoutException", Kind.TIMED_OUT),
    (400, "ServiceQuotaExceededException", Kind.QUOTA_SPENT),
    (429, "ThrottlingException", Kind.UPSTREAM_LIMITED),
    (429, "ModelNotReadyException", Kind.OVERLOADED),
    (424, "ModelErrorException", Kind.UPSTREAM_FAULT),
    (500, "InternalServerException", Kind.UPSTREAM_FAULT),
    (503, "ServiceUnavailableException", Kind.OVERLOADED),
]
WORDS = [
    ("Input is too long for requested model.", Kind.CONTEXT_EXCEEDED),
    ("The model returned the following errors: prompt is too long: 9 tokens > 8 maximum", Kind.CONTEXT_EXCEEDED),
    ("input length and `max_tokens` exceed context limit: 198214 + 8192 > 200000", Kind.CONTEXT_EXCEEDED),
    ("The provided model identifier is invalid.", Kind.UNKNOWN_MODEL),
    ("Invocation of model ID m with on-demand throughput isn't supported.", Kind.UNKNOWN_MODEL),
    ("This model doesn't support the video content block that you provided.", Kind.UNSUPPORTED),
    ("Malformed input request, please reformat your input and try again.", Kind.INVALID),
]  # fmt: skip


@pytest.mark.parametrize(("status", "name", "kind"), NAMES)
def test_the_header_names_the_exception(status: int, name: str, kind: Kind) -> None:
    header = f"{name}:http://internal.amazon.com/coral/com.amazon.bedrock/".encode()
    error = read_error(status, ((b"x-amzn-errortype", header),), b'{"message":"It is so."}')
    assert (error.kind, error.message, error.code, error.upstream_status) == (kind, "It is so.", name, status)


@pytest.mark.parametrize(("status", "name", "kind"), NAMES)
def test_so_does_the_body(status: int, name: str, kind: Kind) -> None:
    body = json.encode({"__type": f"com.amazon.coral.service#{name}", "Message": "It is so."})
    error = read_error(status, (), body)
    assert (error.kind, error.message, error.code) == (kind, "It is so.", name)


@pytest.mark.parametrize(("message", "kind"), WORDS)
def test_words_say_more_than_the_name(message: str, kind: Kind) -> None:
    header = ((b"x-amzn-errortype", b"ValidationException"),)
    assert read_error(400, header, json.encode({"message": message})).kind is kind


def test_a_days_tokens_that_are_spent_do_not_come_back_by_waiting() -> None:
    body = b'{"message":"Too many tokens per day, please wait before trying again."}'
    assert read_error(429, ((b"x-amzn-errortype", b"ThrottlingException"),), body).kind is Kind.QUOTA_SPENT


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("throttlingException", Kind.UPSTREAM_LIMITED),
        ("validationException", Kind.INVALID),
        ("modelStreamErrorException", Kind.UPSTREAM_FAULT),
        ("modelTimeoutException", Kind.TIMED_OUT),
        ("serviceUnavailableException", Kind.OVERLOADED),
        ("internalServerException", Kind.UPSTREAM_FAULT),
        ("exceptionOfTomorrow", Kind.UPSTREAM_FAULT),
    ],
)
def test_an_exception_inside_a_stream_ends_it(name: str, kind: Kind) -> None:
    start = write_event("messageStart", b'{"role":"assistant"}')
    stream = start + write_exception(name, b'{"message":"It is so."}')
    last = events_of(CODEC, [stream])[-1]
    assert isinstance(last, StreamError)
    assert (last.error.kind, last.error.message) == (kind, "It is so.")
    assert tapped(CODEC.tap(False), [stream]).error == (kind, "It is so.")


def test_an_exception_without_words_is_told_by_its_name() -> None:
    (event,) = events_of(CODEC, [write_exception("throttlingException", b"")])
    assert isinstance(event, StreamError)
    assert "ThrottlingException" in event.error.message


def test_an_error_that_is_told_in_headers_is_heard() -> None:
    told = {":message-type": "error", ":error-code": "InternalServerException", ":error-message": "Broken."}
    (event,) = events_of(CODEC, [write_message(told, b"")])
    assert isinstance(event, StreamError)
    assert (event.error.kind, event.error.message) == (Kind.UPSTREAM_FAULT, "Broken.")


def test_a_checksum_that_fails_is_garbled() -> None:
    stream = write_event("messageStart", b'{"role":"assistant"}')
    (event,) = events_of(CODEC, [stream[:-1] + bytes([stream[-1] ^ 1])])
    assert isinstance(event, StreamError)
    assert event.error.kind is Kind.GARBLED


def test_a_context_that_is_full_is_said_in_the_words_that_clients_know() -> None:
    said = json.decode(write_error(GatewayError(Kind.CONTEXT_EXCEEDED, "that is 9 tokens more than fit")))
    assert said["message"].startswith("Input is too long for requested model.")
    assert said["__type"] == "ValidationException"
