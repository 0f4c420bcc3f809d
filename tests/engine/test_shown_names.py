"""An answer shows the name that was asked for, whichever model gave it."""

import pytest
from msgspec.structs import replace

from fakes.transport import JSON, SSE, Scripted
from isthmus.core.operations import Operation
from isthmus.dialects.codec import Codec
from isthmus.dialects.table import CODECS, EMBED_CODECS
from isthmus.engine.exchange import Lane
from isthmus.engine.renaming import Renaming, rename_whole
from isthmus.engine.snapshot import Habits
from isthmus.wire import json
from isthmus.wire.framings import GATES
from support.line import Line, provider

NDJSON = ((b"content-type", b"application/x-ndjson"),)
ANTHROPIC = b'{"model":"smart","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
CHAT = b'{"model":"smart","messages":[{"role":"user","content":"hi"}]}'
RESPONSES = b'{"model":"smart","input":"hi"}'
SAYS_SO = r"\"model\":\"real-1\""
STREAMS = {
    "openai_chat": (
        CHAT,
        (
            'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"real-1","choices":[{"index":0,'
            '"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n'
            'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"real-1","choices":[{"index":0,'
            f'"delta":{{"content":"hi {SAYS_SO}"}},"finish_reason":null}}]}}\n\n'
            'data: {"id":"c","object":"chat.completion.chunk","created":1,"model": "real-1","choices":[{"index":0,'
            '"delta":{},"finish_reason":"stop"}],"usage":null}\n\ndata: [DONE]\n\n'
        ),
    ),
    "openai_completions": (
        b'{"model":"smart","prompt":"hi"}',
        (
            'data: {"id":"c","object":"text_completion","created":1,"model":"real-1","choices":[{"index":0,"text":"a",'
            '"finish_reason":null,"logprobs":null}]}\n\n'
            'data: {"id":"c","object":"text_completion","created":1,"model":"real-1","choices":[{"index":0,"text":"",'
            '"finish_reason":"stop","logprobs":null}]}\n\ndata: [DONE]\n\n'
        ),
    ),
    "openai_responses": (
        RESPONSES,
        (
            'event: response.created\ndata: {"type":"response.created","response":{"id":"r",'
            '"metadata":{"model":"mine"},"model":"real-1","status":"in_progress","output":[]}}\n\n'
            'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":"i",'
            f'"output_index":0,"content_index":0,"delta":"{SAYS_SO}"}}\n\n'
            'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r",'
            '"metadata":{"model":"mine"},"model":"real-1","status":"completed","output":[],'
            '"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}}\n\n'
        ),
    ),
    "anthropic": (
        ANTHROPIC,
        (
            'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message",'
            '"role":"assistant","model":"real-1","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
            'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text",'
            '"text":""}}\n\n'
            'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
            f'"text":"{SAYS_SO}"}}}}\n\n'
            'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
            'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},'
            '"usage":{"output_tokens":3}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
        ),
    ),
    "ollama": (
        CHAT,
        (
            '{"model":"real-1","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"a '
            f'{SAYS_SO}"}},"done":false}}\n'
            '{"model":"real-1","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":""},'
            '"done":true,"done_reason":"stop","eval_count":1,"prompt_eval_count":1}\n'
        ),
    ),
}
GEMINI = (
    'data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"model":"real-1"}}}],'
    '"role":"model"},"index":0}],"modelVersion":"real-1","responseId":"x"}\n\n'
    'data: {"candidates":[{"content":{"parts":[{"text":"b"}],"role":"model"},"finishReason":"STOP","index":0}],'
    '"usageMetadata":{"promptTokenCount":1,"totalTokenCount":2},"modelVersion":"real-1","responseId":"x"}\n\n'
)
WHOLE = {
    "openai_chat": (
        CHAT,
        (
            b'{"id":"c","object":"chat.completion","created":1,"model":"real-1","choices":[{"index":0,"message":'
            b'{"role":"assistant","content":"\\"model\\":\\"real-1\\""},"finish_reason":"stop"}]}'
        ),
    ),
    "openai_responses": (
        RESPONSES,
        (
            b'{"id":"r","object":"response","instructions":"say \\"x\\"","metadata":{"model":"mine"},"model":"real-1",'
            b'"status":"completed","output":[],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}'
        ),
    ),
    "anthropic": (
        ANTHROPIC,
        (
            b'{"id":"m","type":"message","role":"assistant","content":[{"type":"tool_use","id":"t","name":"n","input":'
            b'{"model":"mine"}}],"model":"real-1","stop_reason":"tool_use","stop_sequence":null,'
            b'"usage":{"input_tokens":1,"output_tokens":1}}'
        ),
    ),
    "ollama": (
        CHAT[:-1] + b',"stream":false}',
        (
            b'{"model":"real-1","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"a"},'
            b'"done":true,"done_reason":"stop"}'
        ),
    ),
}


def line(dialect: str, answer: Scripted, *, model: str = "small", habits: Habits = Habits()) -> Line:  # noqa: B008
    made = Line([provider("one", dialect)], {"one": [answer]}, {"smart": [f"one/{model}"]})
    made.live.swap(replace(made.live.take().snapshot, habits=habits))
    return made


def streaming(body: bytes) -> bytes:
    return body if b'"stream"' in body else body[:-1] + b',"stream":true}'


def scripted(dialect: str, text: str) -> Scripted:
    return Scripted(text.encode(), headers=NDJSON if dialect == "ollama" else SSE)


def renamed(text: str) -> str:
    """The field alone, not what a text says of it, nor the caller's own data."""
    return text.replace('"model":"real-1"', '"model":"smart"').replace('"model": "real-1"', '"model":"smart"')


@pytest.mark.parametrize("dialect", STREAMS)
async def test_a_stream_that_is_passed_on_shows_the_name_that_was_asked_for(dialect: str) -> None:
    asked, told = STREAMS[dialect]
    made = line(dialect, scripted(dialect, told))
    status, _, body = await made.ask(streaming(asked), dialect)
    assert made.exchange is not None
    assert (status, made.exchange.lane) == (200, Lane.PASSTHROUGH)
    assert body.decode() == renamed(told)


@pytest.mark.parametrize("dialect", STREAMS)
async def test_a_stream_under_its_own_name_is_passed_on_as_it_is(dialect: str) -> None:
    asked, told = STREAMS[dialect]
    made = line(dialect, scripted(dialect, told), model="smart")
    assert (await made.ask(streaming(asked), dialect))[2].decode() == told


@pytest.mark.parametrize("dialect", WHOLE)
async def test_an_answer_that_is_passed_on_whole_shows_the_name_that_was_asked_for(dialect: str) -> None:
    asked, told = WHOLE[dialect]
    made = line(dialect, Scripted(told, headers=JSON))
    status, _, body = await made.ask(asked, dialect)
    assert status == 200
    assert json.decode(body) == {**json.decode(told), "model": "smart"}


@pytest.mark.parametrize("dialect", STREAMS)
async def test_the_providers_name_is_shown_where_that_is_wanted(dialect: str) -> None:
    asked, told = STREAMS[dialect]
    made = line(dialect, scripted(dialect, told), habits=Habits(real_model_name=True))
    assert (await made.ask(streaming(asked), dialect))[2].decode() == told


@pytest.mark.parametrize(("real", "shown"), [(False, "smart"), (True, "small")])
async def test_a_translated_answer_shows_the_same(real: bool, shown: str) -> None:
    _asked, told = WHOLE["anthropic"]
    habits = Habits(real_model_name=real)
    made = Line([provider("one", "anthropic")], {"one": [Scripted(told)] * 2}, {"smart": ["one/small"]})
    made.live.swap(replace(made.live.take().snapshot, habits=habits))
    _, _, whole = await made.ask(CHAT)
    assert json.decode(whole)["model"] == shown
    made = line("anthropic", scripted("anthropic", STREAMS["anthropic"][1]), habits=habits)
    _, _, stream = await made.ask(streaming(CHAT))
    assert stream.count(b'"model":"%b"' % shown.encode()) == stream.count(b'"model"') > 1


def shown_in(codec: Codec, text: str, size: int) -> str:
    """The stream, in reads of `size` bytes, as a passage would send it."""
    gate, renaming, data = GATES[codec.framing](), Renaming(codec, "smart"), text.encode()
    pieces = [gate.feed(data[at : at + size]) for at in range(0, len(data), size)]
    return b"".join(map(renaming.events, [*pieces, gate.end()])).decode()


@pytest.mark.parametrize("size", [1, 7, 64, 5000])
@pytest.mark.parametrize("dialect", STREAMS)
def test_cutting_changes_nothing(dialect: str, size: int) -> None:
    told = STREAMS[dialect][1]
    assert shown_in(CODECS[dialect, Operation.CHAT], told, size) == renamed(told)


def test_gemini_names_its_version_and_no_argument_is_taken_for_it() -> None:
    shown = shown_in(CODECS["gemini", Operation.CHAT], GEMINI, 100)
    assert shown == GEMINI.replace('"modelVersion":"real-1"', '"modelVersion":"smart"')


def test_a_whole_answer_of_geminis_is_renamed_where_the_name_stands() -> None:
    told = (
        b'{"candidates":[{"index":0}],"usageMetadata":{"totalTokenCount":2},"modelVersion":"real-1","responseId":"x"}'
    )
    assert rename_whole(told, CODECS["gemini", Operation.CHAT], "smart") == told.replace(b"real-1", b"smart")


def test_a_first_chunk_without_a_name_does_not_hide_the_name_of_the_next() -> None:
    told = (
        'data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[]}\n\n'
        'data: {"id":"c","model":"real-1","choices":[]}\n\ndata: {"id":"c","model":"real-1","choices":[]}\n\n'
    )
    shown = shown_in(CODECS["openai_chat", Operation.CHAT], told, 90)
    assert shown.count('"model":"smart"') == 3


def test_what_is_no_json_passes_as_it_is() -> None:
    told = 'data: {"model": broken\n\ndata: {"model":7}\n\ndata: "model"\n\n'
    assert shown_in(CODECS["openai_chat", Operation.CHAT], told, 5000) == told


def test_vectors_are_given_under_the_name_that_was_asked_for() -> None:
    told = b'{"object":"list","data":[{"embedding":[0.5]}],"model":"real-1","usage":{"total_tokens":2}}'
    assert rename_whole(told, EMBED_CODECS["openai"], "smart") == told.replace(b"real-1", b"smart")
    assert rename_whole(b'{"data":[]}', EMBED_CODECS["openai"], "smart") == b'{"data":[]}'
