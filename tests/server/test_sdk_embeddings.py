"""The official SDKs ask for embeddings, completions and counts, and get them from providers of another dialect."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anthropic
import httpx2
import openai
import pytest
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError
from isthmus.core.operations import Operation
from isthmus.wire import json
from support.asgi import application
from support.line import Line, provider

NUMBERS = [0.5, -0.25, 0.123456789]


class Door:
    """A gateway with one provider behind it, and the clients in front."""

    def __init__(self, line: Line, http: httpx2.AsyncClient) -> None:
        self.line = line
        root = "http://gateway.example.com"
        self.openai = openai.AsyncOpenAI(api_key="k", base_url=f"{root}/v1", http_client=http, max_retries=0)
        self.anthropic = anthropic.AsyncAnthropic(api_key="k", base_url=root, http_client=http, max_retries=0)

    def sent(self, number: int = 0) -> object:
        return json.decode(self.line.transport.sent[number].body)


@asynccontextmanager
async def open_door(
    *told: Scripted | GatewayError, chat: str = "anthropic", embeds: Sequence[str] = (), counts: Sequence[str] = ()
) -> AsyncIterator[Door]:
    spoken = {Operation.CHAT: (chat,), Operation.EMBED: tuple(embeds), Operation.COUNT_TOKENS: tuple(counts)}
    behind = replace(provider("one", chat), dialects={operation: names for operation, names in spoken.items() if names})
    line = Line([behind], {"one": told})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=application(line))) as http:
        yield Door(line, http)


def answer(text: str) -> Scripted:
    content = [{"type": "text", "text": text}]
    usage = {"input_tokens": 3, "output_tokens": 2}
    told = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": content, "usage": usage}
    return Scripted(json.encode({**told, "stop_reason": "end_turn", "stop_sequence": None}))


async def test_openais_sdk_unpacks_the_base64_that_it_asks_for() -> None:
    """It asks for base64 unless told otherwise, which no provider of another dialect has ever heard of."""
    told = Scripted(json.encode({"embeddings": [{"values": NUMBERS}, {"values": [1.0]}]}))
    async with open_door(told, embeds=["gemini"]) as door:
        reply = await door.openai.embeddings.create(model="m", input=["the sea", "the shore"])
    assert [len(item.embedding) for item in reply.data] == [3, 1]
    assert all(abs(got - was) < 1e-8 for got, was in zip(reply.data[0].embedding, NUMBERS, strict=True))
    assert (reply.object, reply.model, reply.usage.prompt_tokens) == ("list", "m", 0)


async def test_openais_sdk_gets_every_bit_of_a_list_of_numbers() -> None:
    told = Scripted(json.encode({"embeddings": [{"values": NUMBERS}]}))
    async with open_door(told, embeds=["gemini"]) as door:
        reply = await door.openai.embeddings.create(model="m", input="the sea", encoding_format="float", dimensions=3)
        assert reply.data[0].embedding == NUMBERS
        (asked,) = door.sent()["requests"]
    assert asked["outputDimensionality"] == 3


async def test_openais_sdk_is_told_why_tokens_cannot_be_embedded() -> None:
    async with open_door(embeds=["bedrock_titan"]) as door:
        with pytest.raises(openai.BadRequestError, match="tokens") as caught:
            await door.openai.embeddings.create(model="m", input=[1, 2, 3])
    assert caught.value.param == "input"


async def test_openais_sdk_continues_texts_by_a_chat_model() -> None:
    async with open_door(answer(" a time")) as door:
        reply = await door.openai.completions.create(model="m", prompt="Once upon", max_tokens=5, echo=True)
        assert door.sent()["messages"] == [{"role": "user", "content": "Once upon"}]
    assert reply.choices[0].text == "Once upon a time"
    assert (reply.object, reply.choices[0].finish_reason) == ("text_completion", "stop")
    assert reply.id.startswith("cmpl-")
    assert reply.usage is not None
    assert reply.usage.total_tokens == 5


async def test_openais_sdk_continues_several_texts_at_once() -> None:
    async with open_door(answer("1"), answer("2"), answer("3")) as door:
        reply = await door.openai.completions.create(model="m", prompt=["a", "b", "c"], max_tokens=5, echo=True)
        asked = sorted(door.sent(number)["messages"][0]["content"] for number in range(3))
    assert asked == ["a", "b", "c"]
    assert [(choice.index, choice.text[0]) for choice in reply.choices] == [(0, "a"), (1, "b"), (2, "c")]
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == 9


async def test_openais_sdk_streams_a_text_whose_pieces_are_never_null() -> None:
    events = (
        ("message_start", {"message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 3, "output_tokens": 0}}}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": " a time"}}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        ("message_stop", {}),
    )
    stream = b"".join(
        b"event: %b\ndata: %b\n\n" % (name.encode(), json.encode({"type": name, **told})) for name, told in events
    )
    async with open_door(Scripted(stream, headers=SSE)) as door:
        chunks = [
            chunk
            async for chunk in await door.openai.completions.create(
                model="m", prompt="Once upon", max_tokens=5, stream=True, stream_options={"include_usage": True}
            )
        ]
    assert all(isinstance(choice.text, str) for chunk in chunks for choice in chunk.choices)
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == " a time"
    assert {chunk.id for chunk in chunks} == {"cmpl-1"}
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 5


async def test_anthropics_sdk_counts_by_the_provider() -> None:
    async with open_door(Scripted(b'{"totalTokens":21}'), chat="gemini", counts=["gemini"]) as door:
        count = await door.anthropic.messages.count_tokens(model="m", messages=[{"role": "user", "content": "hi"}])
    assert count.input_tokens == 21


async def test_anthropics_sdk_counts_where_no_provider_does() -> None:
    async with open_door() as door:
        count = await door.anthropic.beta.messages.count_tokens(
            model="m", system="Be brief.", messages=[{"role": "user", "content": "word " * 700}]
        )
        assert door.line.transport.sent == []
    assert 600 < count.input_tokens < 1500


async def test_openais_sdk_counts_what_a_response_would_have() -> None:
    async with open_door(Scripted(b'{"input_tokens":7}'), counts=["anthropic"]) as door:
        count = await door.openai.responses.input_tokens.count(model="m", input="hi", instructions="Be brief.")
        assert door.sent()["system"] == "Be brief."
    assert (count.input_tokens, count.object) == (7, "response.input_tokens")
