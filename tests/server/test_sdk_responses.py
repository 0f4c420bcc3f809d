"""The official OpenAI SDK's `responses`, through the gateway to a chat provider and to Anthropic's."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from openai.types.responses import Response
from pydantic import BaseModel

from fakes.clients import Door, through
from fakes.gateway import RunningGateway
from fakes.openai_sdk import synchronous
from fakes.scripts import AWKWARD, DENIAL, HELLO, THOUGHT, TOKENS
from fakes.upstream import Upstream

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "name": "get_weather", "description": "The weather of a city.", "parameters": SCHEMA}
NOTE = {"type": "function", "name": "note", "parameters": {"type": "object", "properties": {}}, "strict": False}
Ask = Callable[..., Response]


class Weather(BaseModel):
    city: str
    degrees: int


@pytest.fixture(params=["openai", "anthropic"])
def door(request: pytest.FixtureRequest, gateway: RunningGateway) -> Door:
    return through(gateway, request.param)


@pytest.fixture
def client(door: Door) -> Iterator[openai.OpenAI]:
    with synchronous(door) as made:
        yield made


@pytest.fixture(params=["whole", "streamed"])
def ask(request: pytest.FixtureRequest, client: openai.OpenAI) -> Ask:
    def streamed(**asked: Any) -> Response:
        with client.responses.stream(**asked) as stream:
            return stream.get_final_response()

    return client.responses.create if request.param == "whole" else streamed


def calls_in(response: Response) -> list[Any]:
    return [item for item in response.output if item.type == "function_call"]


def replayed(response: Response) -> list[dict[str, Any]]:
    """What a client without a store sends back: every item as it was told."""
    return [item.to_dict() for item in response.output]


def results(*told: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"type": "function_call_output", "call_id": id_, "output": text} for id_, text in told]


def test_text_arrives_word_for_word(door: Door, ask: Ask) -> None:
    reply = ask(model=door.model("says-hello"), input="Hello?")
    assert reply.output_text == HELLO
    assert reply.status == "completed"
    assert reply.id.startswith("resp_")


def test_usage_counts_cached_and_reasoning_tokens_inside_the_totals(door: Door, ask: Ask) -> None:
    usage = ask(model=door.model("says-hello"), input="Hello?").usage
    assert usage is not None
    written = TOKENS.written if door.behind == "anthropic" else 0
    assert usage.input_tokens == TOKENS.fresh + TOKENS.read + written
    assert usage.input_tokens_details.cached_tokens == TOKENS.read
    assert usage.output_tokens == TOKENS.visible + TOKENS.thought
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens


def test_a_streams_events_are_numbered_and_begin_and_end_as_the_sdk_expects(door: Door, client: openai.OpenAI) -> None:
    with client.responses.create(model=door.model("says-hello"), input="Hello?", stream=True) as stream:
        events = list(stream)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")


def test_instructions_reach_the_provider(door: Door, client: openai.OpenAI, upstream: Upstream) -> None:
    client.responses.create(model=door.model("says-hello"), instructions="Be kind.", input="Hello?")
    assert "Be kind." in json.dumps(upstream.last().json)


def test_one_tool_is_called_and_its_result_used(door: Door, ask: Ask) -> None:
    asked: dict[str, Any] = {"model": door.model("calls-one"), "tools": [WEATHER]}
    first = ask(input="Weather?", **asked)
    [call] = calls_in(first)
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"})
    history = [{"role": "user", "content": "Weather?"}, *replayed(first), *results((call.call_id, "sunny"))]
    assert ask(input=history, **asked).output_text == "Paris: sunny"


def test_parallel_results_in_another_order_meet_their_calls(door: Door, ask: Ask) -> None:
    asked: dict[str, Any] = {"model": door.model("calls-two"), "tools": [WEATHER]}
    first = ask(input="Weather?", **asked)
    paris, oslo = calls_in(first)
    answers = results((oslo.call_id, "snow"), (paris.call_id, "sunny"))
    history = [{"role": "user", "content": "Weather?"}, *replayed(first), *answers]
    assert ask(input=history, **asked).output_text == "Paris: sunny; Oslo: snow"


def test_arguments_survive_exactly(door: Door, ask: Ask) -> None:
    [call] = calls_in(ask(model=door.model("calls-awkward"), input="Note it.", tools=[NOTE]))
    assert json.loads(call.arguments) == json.loads(AWKWARD)


def test_structured_output_is_parsed_into_the_clients_class(door: Door, client: openai.OpenAI) -> None:
    reply = client.responses.parse(model=door.model("answers-json"), input="Paris?", text_format=Weather)
    assert reply.output_parsed == Weather(city="Paris", degrees=21)


def test_a_thoughtful_tool_loop_goes_on(door: Door, ask: Ask, upstream: Upstream) -> None:
    """The thought and its proof, whosever they are, come back through the client."""
    asked: dict[str, Any] = {"model": door.model("thinks"), "tools": [WEATHER], "reasoning": {"effort": "medium"}}
    first = ask(input="Think.", **asked)
    [thought] = [item for item in first.output if item.type == "reasoning"]
    assert thought.summary[0].text == THOUGHT
    [call] = calls_in(first)
    history = [{"role": "user", "content": "Think."}, *replayed(first), *results((call.call_id, "sunny"))]
    ask(input=history, **asked)
    assert upstream.last().verdict is None
    assert THOUGHT in json.dumps(upstream.last().json, ensure_ascii=False) or door.behind == "openai"


def test_a_refusal_in_words_is_a_part_of_the_message(gateway: RunningGateway) -> None:
    door = through(gateway, "openai")
    with synchronous(door) as client:
        [message] = client.responses.create(model=door.model("refuses"), input="Do evil.").output
    assert message.to_dict()["content"] == [{"type": "refusal", "refusal": DENIAL}]


def test_a_refusal_by_the_reason_to_stop_is_a_filtered_answer(gateway: RunningGateway) -> None:
    door = through(gateway, "anthropic")
    with synchronous(door) as client:
        reply = client.responses.create(model=door.model("refuses"), input="Do evil.")
    assert reply.output_text == DENIAL
    assert reply.incomplete_details is not None
    assert reply.incomplete_details.reason == "content_filter"


def test_an_answer_that_runs_out_is_incomplete(door: Door, client: openai.OpenAI) -> None:
    reply = client.responses.create(model=door.model("runs-out"), input="Count.")
    assert reply.status == "incomplete"
    assert reply.incomplete_details is not None
    assert reply.incomplete_details.reason == "max_output_tokens"


def test_an_unknown_model_is_not_found(door: Door, client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="no-such-model", input="Hello?")


def test_everything_the_dialect_knows_is_harmless(door: Door, client: openai.OpenAI) -> None:
    reply = client.responses.create(
        model=door.model("says-hello"),
        input=[
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": [{"type": "input_text", "text": "One."}]},
            {"role": "assistant", "content": "Two."},
            {"role": "user", "content": "Three."},
        ],
        include=["reasoning.encrypted_content"],
        max_output_tokens=64,
        metadata={"team": "blue"},
        parallel_tool_calls=True,
        prompt_cache_key="k",
        service_tier="auto",
        store=False,
        temperature=0.5,
        text={"verbosity": "low"},
        tool_choice="auto",
        top_p=0.9,
        truncation="disabled",
        user="ida",
        extra_body={"client_metadata": {"a": "b"}},
    )
    assert reply.output_text == HELLO
    assert reply.metadata == {"team": "blue"}


def test_a_custom_tool_is_called_with_raw_text(door: Door, client: openai.OpenAI, upstream: Upstream) -> None:
    """The scripted provider calls `note` with arguments of its own; a custom tool is given them as text."""
    tool = {"type": "custom", "name": "note", "description": "Keeps a note."}
    reply = client.responses.create(model=door.model("calls-awkward"), input="Note it.", tools=[tool])
    [call] = [item for item in reply.output if item.type == "custom_tool_call"]
    assert json.loads(call.input) == json.loads(AWKWARD)
    assert "custom" not in json.dumps(upstream.last().json["tools"])


def test_a_conversation_goes_on_from_a_kept_response(door: Door, client: openai.OpenAI, upstream: Upstream) -> None:
    asked: dict[str, Any] = {"model": door.model("calls-one"), "tools": [WEATHER]}
    first = client.responses.create(input="Weather?", **asked)
    [call] = calls_in(first)
    told = results((call.call_id, "sunny"))
    last = client.responses.create(input=told, previous_response_id=first.id, **asked)
    assert last.output_text == "Paris: sunny"
    assert "previous_response_id" not in upstream.last().json


def test_a_streamed_response_is_kept_too(door: Door, client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": door.model("calls-one"), "tools": [WEATHER]}
    with client.responses.stream(input="Weather?", **asked) as stream:
        first = stream.get_final_response()
    [call] = calls_in(first)
    last = client.responses.create(input=results((call.call_id, "snow")), previous_response_id=first.id, **asked)
    assert last.output_text == "Paris: snow"


def test_a_kept_response_is_retrieved_listed_and_deleted(door: Door, client: openai.OpenAI) -> None:
    made = client.responses.create(model=door.model("says-hello"), input="Hello?")
    assert client.responses.retrieve(made.id).output_text == HELLO
    [item] = client.responses.input_items.list(made.id).data
    assert item.type == "message"
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_a_response_that_nobody_wants_kept_is_not(door: Door, client: openai.OpenAI) -> None:
    made = client.responses.create(model=door.model("says-hello"), input="Hello?", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)


def test_going_on_from_a_response_that_is_not_kept_is_refused(door: Door, client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model=door.model("says-hello"), input="Hello?", previous_response_id="resp_none")
    assert caught.value.code == "previous_response_not_found"


def test_a_response_that_is_over_cannot_be_cancelled(door: Door, client: openai.OpenAI) -> None:
    made = client.responses.create(model=door.model("says-hello"), input="Hello?")
    with pytest.raises(openai.BadRequestError):
        client.responses.cancel(made.id)
