"""Where clients of one dialect do not agree, the configuration decides."""

from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.engine.snapshot import Habits
from isthmus.wire import json
from support.line import Line, provider

CHAT = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}'
)
CLAUDE = b'{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}'
OLLAMA = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'


def line(habits: Habits) -> Line:
    made = Line([provider("one")], {"one": [Scripted(CHAT)]})
    made.live.swap(replace(made.live.take().snapshot, habits=habits))
    return made


async def test_a_translated_anthropic_stream_ends_with_the_marker_that_some_wait_for() -> None:
    _, _, body = await line(Habits()).ask(CLAUDE, "anthropic")
    assert body.endswith(b'data: {"type":"message_stop"}\n\ndata: [DONE]\n\n')


async def test_the_marker_can_be_left_out() -> None:
    _, _, body = await line(Habits(done_marker=False)).ask(CLAUDE, "anthropic")
    assert body.endswith(b'data: {"type":"message_stop"}\n\n')


async def test_no_other_dialect_has_it() -> None:
    _, _, body = await line(Habits()).ask(OLLAMA, "ollama")
    assert b"[DONE]" not in body


async def test_ollamas_clients_are_streamed_to_unless_they_or_the_operator_say_otherwise() -> None:
    _, streamed, _ = await line(Habits()).ask(OLLAMA, "ollama")
    _, whole, body = await line(Habits(ollama_streams=False)).ask(OLLAMA, "ollama")
    _, said, _ = await line(Habits(ollama_streams=False)).ask(OLLAMA[:-1] + b',"stream":true}', "ollama")
    assert [dict(headers)[b"content-type"] for headers in (streamed, whole, said)] == [
        b"application/x-ndjson",
        b"application/json",
        b"application/x-ndjson",
    ]
    assert json.decode(body)["done"] is True


async def test_a_request_that_is_not_to_be_streamed_is_not_asked_for_as_a_stream() -> None:
    made = line(Habits(ollama_streams=False))
    await made.ask(OLLAMA, "ollama")
    assert "stream" not in json.decode(made.transport.sent[0].body)
