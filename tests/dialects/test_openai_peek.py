"""What routing learns of an OpenAI request, and what a caller is told of one that nobody could answer."""

import json

import pytest
from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind
from isthmus.dialects.codec import Peek
from isthmus.dialects.openai.chat import CODEC
from isthmus.wire.json import read_fields

HELLO = '"messages":[{"role":"user","content":"hi"}]'


def test_a_request_without_more_is_unary_and_asks_for_no_usage() -> None:
    assert CODEC.peek(b'{"model":"m",%s}' % HELLO.encode()) == Peek("m", stream=False, usage_asked=False, bound=None)


def test_usage_is_asked_for_in_the_stream_options() -> None:
    body = b'{"model":"m",%s,"stream":true,"stream_options":{"include_usage":true}}' % HELLO.encode()
    assert CODEC.peek(body) == Peek("m", stream=True, usage_asked=True, bound=None)


def test_nulls_are_as_good_as_nothing() -> None:
    assert CODEC.peek(b'{"model":"m",%s,"stream":null,"stream_options":null}' % HELLO.encode()).stream is False


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ("", None, "the body is empty"),
        ("{", None, "not valid JSON"),
        ("[1,2]", None, "the body must be an object, not an array"),
        (f"{{{HELLO}}}", "model", "model is required"),
        (f'{{"model":"",{HELLO}}}', "model", "model is required"),
        (f'{{"model":7,{HELLO}}}', "model", "model must be a string, not a number"),
        ('{"model":"m"}', "messages", "messages is required"),
        ('{"model":"m","messages":null}', "messages", "messages is required"),
        ('{"model":"m","messages":[]}', "messages", "messages must not be empty"),
        ('{"model":"m","messages":"hi"}', "messages", "messages must be an array, not a string"),
        (f'{{"model":"m",{HELLO},"stream":"yes"}}', "stream", "stream must be true or false, not a string"),
        (f'{{"model":"m",{HELLO},"stream_options":1}}', "stream_options", "stream_options must be an object"),
        ('{"model":"m","messages":%s' % ("[" * 100_000), None, "nested too deeply"),
    ],
)
def test_the_field_at_fault_is_named(body: str, param: str | None, message: str) -> None:
    with pytest.raises(GatewayError) as caught:
        CODEC.peek(body.encode())
    assert caught.value.kind is Kind.INVALID
    assert caught.value.param == param
    assert message in caught.value.message


def test_asking_for_usage_keeps_the_other_options() -> None:
    assert CODEC.ask_usage is not None
    changed = CODEC.ask_usage(read_fields(b'{"stream_options":{"include_obfuscation":false,"include_usage":false}}'))
    options = changed["stream_options"]
    assert isinstance(options, Raw)
    assert json.loads(bytes(options)) == {"include_obfuscation": False, "include_usage": True}
