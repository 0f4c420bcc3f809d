"""The official OpenAI SDK as the judge: straight at the scripted provider, and through the gateway to both dialects."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from fakes.clients import Door, straight_to, through
from fakes.gateway import RunningGateway
from fakes.openai_sdk import WAYS, Ask, replayed, results, streamed, synchronous, user, whole
from fakes.scripts import AWKWARD, DENIAL, HELLO, PARIS_JSON, THOUGHT, TOKENS, digest
from fakes.upstream import Upstream

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(48))
PDF = b"%PDF-1.4\n%scripted\n%%EOF\n"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
NOTE = {"type": "function", "function": {"name": "note", "parameters": {"type": "object", "properties": {}}}}
PING = {"type": "function", "function": {"name": "ping"}}


class Weather(BaseModel):
    city: str
    degrees: int


@pytest.fixture(params=["straight", "openai", "anthropic"])
def door(request: pytest.FixtureRequest) -> Door:
    if request.param == "straight":
        return straight_to(request.getfixturevalue("upstream"), "openai")
    return through(request.getfixturevalue("gateway"), request.param)


@pytest.fixture
def client(door: Door) -> Iterator[openai.OpenAI]:
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
    assert reply.choices[0].message.content == HELLO, "the text differs from what the provider said"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.choices[0].message.role == "assistant"
    assert reply.id.startswith("chatcmpl-"), f"ids of this dialect begin with chatcmpl-, not {reply.id}"
    assert reply.created > 1_700_000_000
    assert not reply.choices[0].message.tool_calls


def test_a_stream_may_come_in_crumbs(door: Door) -> None:
    reply = streamed(door, model=door.model("crumbles"), messages=[user("Hello?")])
    assert reply.choices[0].message.content == HELLO


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_whole_answer_becomes_the_stream_that_was_asked_for(gateway: RunningGateway, provider: str) -> None:
    door = through(gateway, provider)
    reply = streamed(door, model=door.model("does-not-stream"), messages=[user("Hello?")])
    assert reply.choices[0].message.content == HELLO
    assert reply.usage is not None
    assert reply.usage.completion_tokens == TOKENS.visible + TOKENS.thought


def test_usage_counts_cached_and_reasoning_tokens_inside_the_totals(door: Door, ask: Ask) -> None:
    usage = ask(door, model=door.model("says-hello"), messages=[user("Hello?")]).usage
    assert usage is not None, "no usage came, though it was asked for"
    written = TOKENS.written if door.behind == "anthropic" else 0
    assert usage.prompt_tokens == TOKENS.fresh + TOKENS.read + written
    assert usage.completion_tokens == TOKENS.visible + TOKENS.thought
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == TOKENS.read
    assert usage.completion_tokens_details is not None
    assert usage.completion_tokens_details.reasoning_tokens == TOKENS.thought


def test_a_stream_without_asking_has_no_usage_chunk(door: Door, client: openai.OpenAI) -> None:
    with client.chat.completions.create(
        model=door.model("says-hello"), messages=[user("Hello?")], stream=True
    ) as stream:
        chunks = list(stream)
    assert all(chunk.choices for chunk in chunks), "a chunk without choices breaks the loops that people write"
    assert all(chunk.usage is None for chunk in chunks), "usage came though nobody asked"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == HELLO


def test_the_usage_chunk_comes_last_and_alone_when_it_is_asked_for(door: Door, client: openai.OpenAI) -> None:
    with client.chat.completions.create(
        model=door.model("says-hello"),
        messages=[user("Hello?")],
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        chunks = list(stream)
    assert [bool(chunk.usage) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].choices == []
    assert chunks[-2].choices[0].finish_reason == "stop"


def test_all_chunks_of_a_stream_share_one_id_and_one_object(door: Door, client: openai.OpenAI) -> None:
    with client.chat.completions.create(
        model=door.model("calls-two"), messages=[user("Weather?")], tools=[WEATHER], stream=True
    ) as stream:
        chunks = list(stream)
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert {choice.index for chunk in chunks for choice in chunk.choices} == {0}
    assert chunks[0].choices[0].delta.role == "assistant"


def test_one_tool_is_called_and_its_result_used(door: Door, ask: Ask) -> None:
    asked = {"model": door.model("calls-one"), "tools": [WEATHER]}
    first = ask(door, messages=[user("Weather?")], **asked)
    assert first.choices[0].finish_reason == "tool_calls"
    [call] = first.choices[0].message.tool_calls or []
    assert (call.type, call.function.name) == ("function", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    last = ask(door, messages=[user("Weather?"), replayed(first), *results((call.id, "sunny"))], **asked)
    assert last.choices[0].message.content == "Paris: sunny"
    assert last.choices[0].finish_reason == "stop"


def test_parallel_results_in_another_order_meet_their_calls(door: Door, ask: Ask) -> None:
    asked = {"model": door.model("calls-two"), "tools": [WEATHER]}
    first = ask(door, messages=[user("Weather?")], **asked)
    calls = first.choices[0].message.tool_calls or []
    assert [json.loads(call.function.arguments)["city"] for call in calls] == ["Paris", "Oslo"]
    assert len({call.id for call in calls}) == 2, "two calls need two ids"
    assert first.choices[0].message.content == "Let me look."
    answers = results((calls[1].id, "snow"), (calls[0].id, "sunny"))
    last = ask(door, messages=[user("Weather?"), replayed(first), *answers, user("And now?")], **asked)
    assert last.choices[0].message.content == "Paris: sunny; Oslo: snow"


def test_arguments_survive_exactly(door: Door, ask_sync: Ask) -> None:
    asked = {"model": door.model("calls-awkward"), "tools": [NOTE]}
    first = ask_sync(door, messages=[user("Note it.")], **asked)
    [call] = first.choices[0].message.tool_calls or []
    assert json.loads(call.function.arguments) == json.loads(AWKWARD)
    if door.behind == "openai" or ask_sync is streamed:
        assert call.function.arguments == AWKWARD, "arguments are text: their spelling is the model's"
    last = ask_sync(door, messages=[user("Note it."), replayed(first), *results((call.id, "kept"))], **asked)
    assert last.choices[0].message.content == "It said: kept"


def test_a_tool_without_parameters_can_be_called(door: Door, ask_sync: Ask) -> None:
    first = ask_sync(door, model=door.model("calls-bare"), messages=[user("Ping.")], tools=[PING])
    [call] = first.choices[0].message.tool_calls or []
    assert json.loads(call.function.arguments) == {}


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "function", "function": {"name": "get_weather"}}])
def test_a_tool_choice_reaches_the_provider(door: Door, client: openai.OpenAI, choice: Any, upstream: Upstream) -> None:
    client.chat.completions.create(
        model=door.model("calls-one"),
        messages=[user("Weather?")],
        tools=[WEATHER],
        tool_choice=choice,
        parallel_tool_calls=False,
    )
    sent = upstream.last().json
    if door.behind == "openai":
        assert sent["tool_choice"] == choice
        assert sent["parallel_tool_calls"] is False
    else:
        word = {"auto": "auto", "required": "any"}.get(choice, "tool") if isinstance(choice, str) else "tool"
        assert sent["tool_choice"]["type"] == word
        assert sent["tool_choice"]["disable_parallel_tool_use"] is True


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_empty_tool_list_is_no_tools_at_all(gateway: RunningGateway, provider: str, upstream: Upstream) -> None:
    door = through(gateway, provider)
    messages = [user("Hello?")]
    reply = whole(
        door, model=door.model("says-hello"), messages=messages, tools=[], tool_choice="auto", parallel_tool_calls=True
    )
    assert reply.choices[0].message.content == HELLO
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(upstream.last().json)


def data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def test_images_arrive_byte_for_byte(door: Door, client: openai.OpenAI) -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": data_url("image/png", PNG), "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.jpg"}},
    ]
    reply = client.chat.completions.create(model=door.model("sees"), messages=[user(parts)])
    assert reply.choices[0].message.content == f"I see image/png:{digest(PNG)}, https://example.com/cat.jpg"


def test_a_pdf_arrives_byte_for_byte(door: Door, client: openai.OpenAI) -> None:
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": data_url("application/pdf", PDF)}}
    reply = client.chat.completions.create(
        model=door.model("sees"), messages=[user([{"type": "text", "text": "Read."}, file])]
    )
    assert reply.choices[0].message.content == f"I see application/pdf:{digest(PDF)}"


def test_structured_output_is_parsed_into_the_clients_class(door: Door, client: openai.OpenAI) -> None:
    reply = client.chat.completions.parse(
        model=door.model("answers-json"), messages=[user("Paris?")], response_format=Weather
    )
    assert reply.choices[0].message.parsed == Weather(city="Paris", degrees=21)


def test_structured_output_streams(door: Door, client: openai.OpenAI) -> None:
    with client.chat.completions.stream(
        model=door.model("answers-json"), messages=[user("Paris?")], response_format=Weather
    ) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.content == PARIS_JSON
    assert message.parsed == Weather(city="Paris", degrees=21)


def test_reasoning_is_shown_where_clients_of_this_dialect_look(door: Door, ask_sync: Ask) -> None:
    reply = ask_sync(door, model=door.model("thinks"), messages=[user("Think.")], reasoning_effort="medium")
    if ask_sync is whole:
        assert (reply.choices[0].message.model_extra or {}).get("reasoning_content") == THOUGHT
    assert (reply.choices[0].message.content or "").startswith(HELLO)


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "forgotten"])
def test_a_thoughtful_tool_loop_goes_on_whether_or_not_the_client_kept_the_thoughts(
    door: Door, keeps: bool, upstream: Upstream
) -> None:
    """What a client of this dialect leaves out for a provider of another, the gateway puts back."""
    asked = {"model": door.model("thinks"), "tools": [WEATHER], "reasoning_effort": "medium"}
    first = whole(door, messages=[user("Think.")], **asked)
    turn = replayed(first)
    assert "reasoning_content" in turn
    if not keeps:
        turn = {name: value for name, value in turn.items() if not name.startswith("reasoning")}
    [call] = first.choices[0].message.tool_calls or []
    last = whole(door, messages=[user("Think."), turn, *results((call.id, "sunny"))], **asked)
    assert upstream.last().verdict is None
    came_back = keeps or door.behind == "anthropic"
    assert (last.choices[0].message.content or "").endswith(f"(thoughts returned: {int(came_back)})")


def test_several_choices_stay_apart(upstream: Upstream, gateway: RunningGateway) -> None:
    for door in (straight_to(upstream, "openai"), through(gateway, "openai")):
        for ask in (whole, streamed):
            reply = ask(door, model=door.model("says-hello"), messages=[user("Hello?")], n=2)
            assert [choice.message.content for choice in reply.choices] == [HELLO, f"{HELLO} (1)"]


def test_log_probabilities_are_kept(upstream: Upstream, gateway: RunningGateway) -> None:
    for door in (straight_to(upstream, "openai"), through(gateway, "openai")):
        for ask in (whole, streamed):
            asked = {"model": door.model("says-hello"), "messages": [user("Hello?")]}
            reply = ask(door, **asked, logprobs=True, top_logprobs=1)
            shown = reply.choices[0].logprobs
            assert shown is not None
            assert "".join(token.token for token in shown.content or []) == HELLO


def test_a_refusal_of_this_dialect_has_a_field_of_its_own(upstream: Upstream, gateway: RunningGateway) -> None:
    for door in (straight_to(upstream, "openai"), through(gateway, "openai")):
        for ask in (whole, streamed):
            choice = ask(door, model=door.model("refuses"), messages=[user("Do evil.")]).choices[0]
            assert choice.message.refusal == DENIAL
            assert not choice.message.content


def test_a_refusal_of_the_other_dialect_is_a_filtered_answer(gateway: RunningGateway) -> None:
    door = through(gateway, "anthropic")
    asked = {"model": door.model("refuses"), "messages": [user("Do evil.")]}
    choice = whole(door, **asked).choices[0]
    assert choice.message.content == DENIAL
    assert choice.finish_reason == "content_filter"
    with pytest.raises(openai.ContentFilterFinishReasonError):
        streamed(door, **asked)


@pytest.mark.parametrize(("model", "reason"), [("runs-out", "length"), ("stops-at-word", "stop")])
def test_the_reason_of_the_end_is_kept(door: Door, client: openai.OpenAI, model: str, reason: str) -> None:
    reply = client.chat.completions.create(model=door.model(model), messages=[user("Count.")], stop=["three", "four"])
    assert reply.choices[0].finish_reason == reason


def test_everything_the_dialect_knows_is_harmless(door: Door, client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model=door.model("says-hello"),
        messages=[
            {"role": "system", "content": "Be kind."},
            user("One."),
            {"role": "assistant", "content": "Two."},
            {"role": "developer", "content": "Be short."},
            user([{"type": "text", "text": "Three."}, {"type": "text", "text": "Four."}]),
        ],
        max_completion_tokens=64,
        temperature=1.5,
        top_p=0.9,
        stop="END",
        seed=7,
        store=False,
        metadata={"team": "blue"},
        prompt_cache_key="thread",
        safety_identifier="someone",
        user="someone",
        logit_bias={},
        frequency_penalty=0.1,
        presence_penalty=0.1,
        service_tier="auto",
        verbosity="low",
    )
    assert reply.choices[0].message.content == HELLO


def test_system_words_in_the_middle_are_not_lost(door: Door, client: openai.OpenAI, upstream: Upstream) -> None:
    client.chat.completions.create(
        model=door.model("says-hello"),
        messages=[user("One."), {"role": "system", "content": "From now on: rhyme."}, user("Two.")],
    )
    assert b"From now on: rhyme." in upstream.last().body
