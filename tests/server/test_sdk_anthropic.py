"""The official Anthropic SDK as the judge: straight at the scripted provider, and through the gateway."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from pydantic import BaseModel

from fakes.anthropic_sdk import WAYS, Ask, calls_of, replayed, result, streamed, synchronous, text_of, user, whole
from fakes.clients import Door, straight_to, through
from fakes.gateway import RunningGateway
from fakes.scripts import AWKWARD, DENIAL, HELLO, THOUGHT, TOKENS, digest
from fakes.upstream import Upstream

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(48))
PDF = b"%PDF-1.4\n%scripted\n%%EOF\n"
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "input_schema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
NOTE = {"name": "note", "input_schema": {"type": "object", "properties": {}}}
PING = {"name": "ping", "input_schema": {"type": "object", "properties": {}}}
THINKING = {"type": "enabled", "budget_tokens": 2048}


class Weather(BaseModel):
    city: str
    degrees: int


@pytest.fixture(params=["straight", "anthropic", "openai"])
def door(request: pytest.FixtureRequest) -> Door:
    if request.param == "straight":
        return straight_to(request.getfixturevalue("upstream"), "anthropic")
    return through(request.getfixturevalue("gateway"), request.param)


@pytest.fixture
def client(door: Door) -> Iterator[anthropic.Anthropic]:
    with synchronous(door) as made:
        yield made


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def ask(request: pytest.FixtureRequest) -> Ask:
    way: Ask = request.param
    return way


@pytest.fixture(params=WAYS[:2], ids=lambda way: way.__name__)
def ask_sync(request: pytest.FixtureRequest) -> Ask:
    way: Ask = request.param
    return way


def test_text_arrives_word_for_word(door: Door, ask: Ask) -> None:
    reply = ask(door, model=door.model("says-hello"), messages=[user("Hello?")])
    assert [block.type for block in reply.content] == ["text"]
    assert text_of(reply) == HELLO, "the text differs from what the provider said"
    assert (reply.stop_reason, reply.role, reply.type) == ("end_turn", "assistant", "message")
    assert reply.id.startswith("msg_"), f"ids of this dialect begin with msg_, not {reply.id}"


def test_a_stream_may_come_in_crumbs(door: Door) -> None:
    reply = streamed(door, model=door.model("crumbles"), messages=[user("Hello?")])
    assert text_of(reply) == HELLO


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_whole_answer_becomes_the_stream_that_was_asked_for(gateway: RunningGateway, provider: str) -> None:
    door = through(gateway, provider)
    reply = streamed(door, model=door.model("does-not-stream"), messages=[user("Hello?")])
    assert text_of(reply) == HELLO
    assert reply.usage.output_tokens == TOKENS.visible + TOKENS.thought


def test_usage_counts_cached_tokens_beside_the_input(door: Door, ask: Ask) -> None:
    usage = ask(door, model=door.model("says-hello"), messages=[user("Hello?")]).usage
    assert usage.input_tokens == TOKENS.fresh, "input_tokens does not hold what came from the cache"
    assert usage.cache_read_input_tokens == TOKENS.read
    assert usage.output_tokens == TOKENS.visible + TOKENS.thought
    if door.behind == "anthropic":
        assert usage.cache_creation_input_tokens == TOKENS.written


def test_the_text_stream_brings_every_piece_in_order(door: Door, client: anthropic.Anthropic) -> None:
    with client.messages.stream(max_tokens=64, model=door.model("says-hello"), messages=[user("Hello?")]) as stream:
        pieces = list(stream.text_stream)
    assert "".join(pieces) == HELLO
    assert len(pieces) > 3, "the answer came in one piece: it was held back"


def test_the_events_of_a_stream_obey_the_dialects_order(door: Door, client: anthropic.Anthropic) -> None:
    with client.messages.create(
        max_tokens=64, model=door.model("calls-two"), messages=[user("Weather?")], tools=[WEATHER], stream=True
    ) as stream:
        events = [event for event in stream if event.type != "ping"]
    assert events[0].type == "message_start"
    assert events[0].message.content == []
    assert events[0].message.usage.input_tokens >= 0
    assert [event.type for event in events[-2:]] == ["message_delta", "message_stop"]
    open_block: int | None = None
    opened = []
    for event in events[1:-2]:
        if event.type == "content_block_start":
            assert open_block is None, "a block began inside another"
            open_block = event.index
            opened.append(event.index)
        else:
            assert event.index == open_block, f"{event.type} of block {event.index} came while {open_block} was open"
            if event.type == "content_block_stop":
                open_block = None
    assert opened == [0, 1, 2], "the text and the two calls are blocks 0, 1 and 2"
    assert open_block is None, "a block was never closed"


def test_one_tool_is_called_and_its_result_used(door: Door, ask: Ask) -> None:
    asked = {"model": door.model("calls-one"), "tools": [WEATHER]}
    first = ask(door, messages=[user("Weather?")], **asked)
    assert first.stop_reason == "tool_use"
    [call] = calls_of(first)
    assert (call.name, call.input) == ("get_weather", {"city": "Paris"})
    last = ask(door, messages=[user("Weather?"), replayed(first), user([result(call.id, "sunny")])], **asked)
    assert text_of(last) == "Paris: sunny"
    assert last.stop_reason == "end_turn"


def test_parallel_results_in_another_order_with_words_beside_them_meet_their_calls(door: Door, ask: Ask) -> None:
    asked = {"model": door.model("calls-two"), "tools": [WEATHER]}
    first = ask(door, messages=[user("Weather?")], **asked)
    assert [block.type for block in first.content] == ["text", "tool_use", "tool_use"]
    paris, oslo = calls_of(first)
    answers = [
        result(oslo.id, [{"type": "text", "text": "snow"}]),
        result(paris.id, "sunny", cache_control={"type": "ephemeral"}),
        {"type": "text", "text": "And now?"},
    ]
    last = ask(door, messages=[user("Weather?"), replayed(first), user(answers)], **asked)
    assert text_of(last) == "Paris: sunny; Oslo: snow"


def test_a_failed_tool_is_told_as_failed(door: Door, ask_sync: Ask) -> None:
    asked = {"model": door.model("calls-one"), "tools": [WEATHER]}
    first = ask_sync(door, messages=[user("Weather?")], **asked)
    answer = result(calls_of(first)[0].id, "no such city", is_error=True)
    last = ask_sync(door, messages=[user("Weather?"), replayed(first), user([answer])], **asked)
    assert text_of(last) == "Paris: Error: no such city"


def test_an_image_in_a_tool_result_reaches_the_provider(
    door: Door, client: anthropic.Anthropic, upstream: Upstream
) -> None:
    asked = {"model": door.model("calls-one"), "tools": [WEATHER], "max_tokens": 64}
    first = client.messages.create(messages=[user("Weather?")], **asked)
    shown = [{"type": "text", "text": "see:"}, image(PNG)]
    answers = user([result(calls_of(first)[0].id, shown)])
    last = client.messages.create(messages=[user("Weather?"), replayed(first), answers], **asked)
    assert text_of(last).startswith("Paris: see:")
    assert base64.b64encode(PNG) in upstream.last().body, "the picture was lost on the way"


def test_arguments_survive_exactly(door: Door, ask_sync: Ask) -> None:
    asked = {"model": door.model("calls-awkward"), "tools": [NOTE]}
    first = ask_sync(door, messages=[user("Note it.")], **asked)
    [call] = calls_of(first)
    assert call.input == json.loads(AWKWARD)
    last = ask_sync(door, messages=[user("Note it."), replayed(first), user([result(call.id, "kept")])], **asked)
    assert text_of(last) == "It said: kept"


def test_a_tool_without_parameters_can_be_called(door: Door, ask_sync: Ask) -> None:
    first = ask_sync(door, model=door.model("calls-bare"), messages=[user("Ping.")], tools=[PING])
    assert calls_of(first)[0].input == {}


@pytest.mark.parametrize("choice", ["auto", "any", "tool", "none"])
def test_a_tool_choice_reaches_the_provider(
    door: Door, client: anthropic.Anthropic, choice: str, upstream: Upstream
) -> None:
    named = {"name": "get_weather"} if choice == "tool" else {}
    client.messages.create(
        max_tokens=64,
        model=door.model("calls-one"),
        messages=[user("Weather?")],
        tools=[WEATHER],
        tool_choice={"type": choice, **named},
    )
    sent = upstream.last().json["tool_choice"]
    if door.behind == "anthropic":
        assert sent == {"type": choice, **named}
    elif choice == "tool":
        assert sent == {"type": "function", "function": {"name": "get_weather"}}
    else:
        assert sent == {"auto": "auto", "any": "required", "none": "none"}[choice]


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_an_empty_tool_list_is_no_tools_at_all(gateway: RunningGateway, provider: str) -> None:
    door = through(gateway, provider)
    assert text_of(whole(door, model=door.model("says-hello"), messages=[user("Hello?")], tools=[])) == HELLO


def test_the_tool_runner_runs_the_loop_to_its_end(door: Door, client: anthropic.Anthropic) -> None:
    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """The weather of a city.

        Args:
            city: The name of the city.
        """
        return f"fine in {city}"

    runner = client.beta.messages.tool_runner(
        max_tokens=256, model=door.model("calls-two"), tools=[get_weather], messages=[user("Weather?")]
    )
    last = runner.until_done()
    assert [block.text for block in last.content if block.type == "text"] == [
        "Paris: fine in Paris; Oslo: fine in Oslo"
    ]


def image(data: bytes) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(data).decode()}
    return {"type": "image", "source": source}


def test_images_arrive_byte_for_byte(door: Door, client: anthropic.Anthropic) -> None:
    linked = {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.jpg"}}
    parts = [image(PNG), linked, {"type": "text", "text": "What is this?"}]
    reply = client.messages.create(max_tokens=64, model=door.model("sees"), messages=[user(parts)])
    assert text_of(reply) == f"I see image/png:{digest(PNG)}, https://example.com/cat.jpg"


def test_a_pdf_arrives_byte_for_byte(door: Door, client: anthropic.Anthropic) -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(PDF).decode()}
    parts = [{"type": "document", "source": source, "title": "a.pdf"}, {"type": "text", "text": "Read."}]
    reply = client.messages.create(max_tokens=64, model=door.model("sees"), messages=[user(parts)])
    assert text_of(reply) == f"I see application/pdf:{digest(PDF)}"


def test_structured_output_is_parsed_into_the_clients_class(door: Door, client: anthropic.Anthropic) -> None:
    reply = client.messages.parse(
        max_tokens=64, model=door.model("answers-json"), messages=[user("Paris?")], output_format=Weather
    )
    assert reply.parsed_output == Weather(city="Paris", degrees=21)


def test_thinking_leads_the_answer_and_bears_a_signature(door: Door, ask: Ask) -> None:
    reply = ask(door, model=door.model("thinks"), messages=[user("Think.")], thinking=THINKING)
    assert [block.type for block in reply.content] == ["thinking", "text"]
    assert reply.content[0].thinking == THOUGHT
    assert reply.content[0].signature, "clients refuse a thinking block without a signature"


@pytest.mark.parametrize(("provider", "returned"), [("anthropic", 1), ("deepseek", 1), ("openai", 1)])
def test_thinking_goes_back_to_a_provider_that_takes_it(
    gateway: RunningGateway, ask: Ask, upstream: Upstream, provider: str, returned: int
) -> None:
    door = through(gateway, provider)
    asked = {"model": door.model("thinks"), "tools": [WEATHER], "thinking": THINKING}
    first = ask(door, messages=[user("Think.")], **asked)
    assert [block.type for block in first.content] == ["thinking", "tool_use"]
    answers = user([result(calls_of(first)[0].id, "sunny")])
    last = ask(door, messages=[user("Think."), replayed(first), answers], **asked)
    assert upstream.last().verdict is None, "the provider did not recognise its own thought"
    assert text_of(last).endswith(f"(thoughts returned: {returned})")


def test_a_conversation_may_change_its_provider_in_the_middle(gateway: RunningGateway, upstream: Upstream) -> None:
    """A thought signed by nobody must not reach a provider that checks signatures."""
    asked = {"tools": [WEATHER], "thinking": THINKING}
    there, here = through(gateway, "openai"), through(gateway, "anthropic")
    first = whole(there, model=there.model("thinks"), messages=[user("Think.")], **asked)
    answers = user([result(calls_of(first)[0].id, "sunny")])
    last = whole(here, model=here.model("thinks"), messages=[user("Think."), replayed(first), answers], **asked)
    assert upstream.last().verdict is None
    assert text_of(last).endswith("(thoughts returned: 0)")


def test_a_refusal_is_told_apart_from_an_answer(door: Door, ask_sync: Ask) -> None:
    reply = ask_sync(door, model=door.model("refuses"), messages=[user("Do evil.")])
    assert reply.stop_reason == "refusal"
    assert text_of(reply) == DENIAL


@pytest.mark.parametrize(
    ("model", "reason"), [("runs-out", {"max_tokens"}), ("stops-at-word", {"stop_sequence", "end_turn"})]
)
def test_the_reason_of_the_end_is_kept(door: Door, client: anthropic.Anthropic, model: str, reason: set[str]) -> None:
    """OpenAI's dialect does not say whether a stop word ended the answer; then `end_turn` is all that is known."""
    reply = client.messages.create(
        max_tokens=64, model=door.model(model), messages=[user("Count.")], stop_sequences=["three"]
    )
    assert reply.stop_reason in reason
    if door.behind == "anthropic" and model == "stops-at-word":
        assert (reply.stop_reason, reply.stop_sequence) == ("stop_sequence", "three")


def test_everything_the_dialect_knows_is_harmless(door: Door, client: anthropic.Anthropic, upstream: Upstream) -> None:
    mark = {"type": "ephemeral"}
    reply = client.messages.create(
        max_tokens=64,
        model=door.model("says-hello"),
        system=[{"type": "text", "text": "Be kind.", "cache_control": mark}],
        messages=[
            user([{"type": "text", "text": "One.", "cache_control": mark}]),
            {"role": "assistant", "content": "Two."},
            user("Three."),
            user([{"type": "text", "text": "Four."}]),
        ],
        metadata={"user_id": '{"device":"a"}'},
        stop_sequences=["END"],
        service_tier="auto",
        extra_body={"temperature": 0.5, "top_k": 40, "top_p": 0.9},
    )
    assert text_of(reply) == HELLO
    assert b"Be kind." in upstream.last().body


def test_system_words_in_the_middle_are_not_lost(door: Door, client: anthropic.Anthropic, upstream: Upstream) -> None:
    client.beta.messages.create(
        max_tokens=64,
        model=door.model("says-hello"),
        messages=[user("One."), {"role": "system", "content": "From now on: rhyme."}],
        betas=["mid-conversation-system-2026-04-07"],
    )
    assert b"From now on: rhyme." in upstream.last().body


def test_a_prefilled_answer_is_taken(door: Door, client: anthropic.Anthropic) -> None:
    messages = [user("Hello?"), {"role": "assistant", "content": "Well,"}]
    reply = client.messages.create(max_tokens=64, model=door.model("says-hello"), messages=messages)
    assert text_of(reply) == HELLO
