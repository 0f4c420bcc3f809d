"""Bedrock is asked at its own paths, and Claude by invoke as Anthropic, put into Bedrock's envelope and taken out."""

from base64 import b64encode
from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.dialects.anthropic.messages import CODEC as ANTHROPIC
from isthmus.dialects.bedrock.converse import CODEC as CONVERSE
from isthmus.dialects.codec import Peek
from isthmus.engine.exchange import Call, Lane
from isthmus.engine.lane import choose_lane, outgoing, their_codec
from isthmus.providers.bedrock import ClaudeEvents, address, wrap
from isthmus.providers.build import build
from isthmus.providers.provider import Aim, Outgoing, Provider
from isthmus.providers.table import PROVIDERS
from isthmus.wire import json
from isthmus.wire.event_stream import write_event, write_exception
from isthmus.wire.headers import Headers

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-pro-v1:0"


def bedrock(**settings: Any) -> Provider:
    return build(PROVIDERS["bedrock"], name="bedrock", **settings)


@pytest.mark.parametrize(
    ("aim", "path"),
    [
        (Aim(Operation.CHAT, "bedrock", NOVA), "/model/amazon.nova-pro-v1%3A0/converse"),
        (Aim(Operation.CHAT, "bedrock", NOVA, stream=True), "/model/amazon.nova-pro-v1%3A0/converse-stream"),
        (
            Aim(Operation.CHAT, "anthropic", SONNET),
            "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke",
        ),
        (
            Aim(Operation.CHAT, "anthropic", SONNET, stream=True),
            "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream",
        ),
        (
            Aim(Operation.CHAT, "anthropic", "claude-haiku-4.5"),
            "/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke",
        ),
        (
            Aim(Operation.COUNT_TOKENS, "bedrock", SONNET),
            "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens",
        ),
        (Aim(Operation.EMBED, "bedrock_titan", "amazon.titan-v2:0"), "/model/amazon.titan-v2%3A0/invoke"),
        (
            Aim(Operation.CHAT, "bedrock", "arn:aws:bedrock:us-east-1:000000000000:prompt-router/a:1"),
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A000000000000%3Aprompt-router%2Fa%3A1/converse",
        ),
    ],
    ids=["whole", "stream", "invoke", "invoke stream", "known name", "count", "embed", "arn"],
)  # fmt: skip
def test_every_aim_has_its_path(aim: Aim, path: str) -> None:
    assert address("")(aim) == ("POST", path)


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ({}, "bedrock-runtime.us-east-1.amazonaws.com"),
        ({"region": "eu-central-1"}, "bedrock-runtime.eu-central-1.amazonaws.com"),
        ({"region": "us-gov-west-1"}, "bedrock-runtime.us-gov-west-1.amazonaws.com"),
        ({"region": "cn-north-1"}, "bedrock-runtime.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_region_names_the_host(settings: dict[str, str], host: str) -> None:
    assert bedrock(settings=settings).origin.host == host


def test_an_address_of_ones_own_holds() -> None:
    built = bedrock(base_url="https://bedrock.example.com/door", settings={"region": "eu-west-1"})
    assert built.origin.host == "bedrock.example.com"
    assert built.address(Aim(Operation.CHAT, "bedrock", NOVA))[1] == "/door/model/amazon.nova-pro-v1%3A0/converse"


def test_what_is_no_region_is_refused() -> None:
    with pytest.raises(ValueError, match="us-east-1"):
        bedrock(settings={"region": "evil.example.com/"})


def test_a_bearer_key_signs_and_no_cloud_is_asked() -> None:
    built = bedrock(secret=Secret("bedrock-api-key-123"))
    assert built.cloud is None
    assert built.sign((), built.secret) == ((b"authorization", b"Bearer bedrock-api-key-123"),)


def test_without_a_key_aws_signs() -> None:
    built = bedrock(settings={"region": "eu-west-1", "profile": "work"})
    assert built.cloud is not None
    assert (built.cloud.kind, dict(built.cloud.settings)) == ("aws", {"region": "eu-west-1", "profile": "work"})
    assert built.sign((), None) == ()


def test_claude_goes_by_invoke_and_all_others_by_converse() -> None:
    built = bedrock()
    for client in (ANTHROPIC, CONVERSE):
        assert their_codec(client, built, NOVA) is CONVERSE
    assert their_codec(ANTHROPIC, built, SONNET) is ANTHROPIC


def test_claudes_own_clients_are_not_translated_for_claude() -> None:
    assert choose_lane(ANTHROPIC, ANTHROPIC, bedrock(), Peek(SONNET)) is Lane.PATCH


def sent(body: dict[str, Any], client: Headers = ()) -> Outgoing:
    aim = Aim(Operation.CHAT, "anthropic", SONNET, stream=True)
    call = Call(ANTHROPIC, "/v1/messages", client)
    return outgoing(bedrock(secret=Secret("key-123")), aim, json.encode(body), call=call, ours=ANTHROPIC)


def test_claudes_request_is_put_into_the_envelope() -> None:
    asked = {"model": "claude", "max_tokens": 7, "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    client = ((b"anthropic-version", b"2023-06-01"), (b"anthropic-beta", b"interleaved-thinking-2025-05-14"))
    request = sent(asked, client)
    assert request.target == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream"
    assert json.decode(request.body) == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 7,
        "messages": [{"role": "user", "content": "Hello"}],
        "anthropic_beta": ["interleaved-thinking-2025-05-14"],
    }
    assert request.headers == (
        (b"content-type", b"application/json"),
        (b"user-agent", b"isthmus"),
        (b"authorization", b"Bearer key-123"),
    )


def test_betas_that_bedrock_refuses_are_left_out() -> None:
    header = b"claude-code-20250219, context-1m-2025-08-07,oauth-2025-04-20"
    told = json.decode(
        sent({"messages": [], "anthropic_beta": ["effort-2025-11-24", 7]}, ((b"anthropic-beta", header),)).body
    )
    assert told["anthropic_beta"] == ["context-1m-2025-08-07", "effort-2025-11-24"]
    assert "anthropic_beta" not in json.decode(sent({}, ((b"anthropic-beta", b"claude-code-20250219"),)).body)


def test_converse_takes_a_body_as_it_is() -> None:
    fields = {"messages": Raw(b"[]")}
    assert wrap(Aim(Operation.CHAT, "bedrock", NOVA), fields, ()) is fields


EVENTS = [
    b'{"type":"message_start","message":{"id":"msg_bdrk_1"}}',
    b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}',
    b'{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":9}}',
]
PLAIN = b"".join(
    b"event: %b\ndata: %b\n\n" % (name, event)
    for name, event in zip((b"message_start", b"content_block_delta", b"message_stop"), EVENTS, strict=True)
)


def chunk(event: bytes) -> bytes:
    return write_event("chunk", json.encode({"bytes": b64encode(event).decode(), "p": "abcdefgh"}))


STREAM = b"".join(map(chunk, EVENTS))


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_claudes_events_are_taken_out_however_they_are_cut(size: int) -> None:
    unwrap = ClaudeEvents()
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert b"".join([*map(unwrap.feed, pieces), unwrap.end()]) == PLAIN


def test_a_failure_is_raised_behind_what_came_before_it() -> None:
    failure = write_exception("throttlingException", b'{"message":"Too many requests"}')
    unwrap = ClaudeEvents()
    assert unwrap.feed(chunk(EVENTS[0]) + failure) == PLAIN.partition(b"\n\n")[0] + b"\n\n"
    with pytest.raises(GatewayError, match="Too many requests") as raised:
        unwrap.end()
    assert raised.value.kind is Kind.UPSTREAM_LIMITED


def test_a_stream_that_begins_with_a_failure_raises_it_at_once() -> None:
    failure = write_exception("modelStreamErrorException", b'{"message":"The model stumbled"}')
    with pytest.raises(GatewayError, match="stumbled") as raised:
        ClaudeEvents().feed(failure)
    assert raised.value.kind is Kind.UPSTREAM_FAULT


@pytest.mark.parametrize(
    "stream",
    [
        STREAM[:-1] + b"x",
        write_event("chunk", b"no JSON"),
        write_event("chunk", b'{"bytes":"&"}'),
        chunk(b"no JSON"),
    ],
    ids=["checksum", "payload", "base64", "event"],
)
def test_damage_is_garbled(stream: bytes) -> None:
    with pytest.raises(GatewayError) as raised:
        taken_out(stream)
    assert raised.value.kind is Kind.GARBLED


def taken_out(stream: bytes) -> bytes:
    unwrap = ClaudeEvents()
    return unwrap.feed(stream) + unwrap.end()


def test_an_event_of_another_kind_is_stepped_over() -> None:
    assert taken_out(write_event("initial-response", b"{}") + STREAM) == PLAIN


def test_a_refusal_of_claudes_is_read_as_bedrocks() -> None:
    envelope = bedrock().envelope
    assert envelope is not None
    assert envelope.read_error is not None
    error = envelope.read_error(
        400, ((b"x-amzn-errortype", b"ServiceQuotaExceededException"),), b'{"message":"Enough."}'
    )
    assert (error.kind, error.message) == (Kind.QUOTA_SPENT, "Enough.")
