"""What the small model is sent in place of tools, and what the caller sees in place of its answer."""

import json

import pytest
from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, OutputFormat, OutputKind, Role, Tool, ToolChoice, ToolMode
from isthmus.core.content import Inline, Media, MediaKind, Reasoning, Text, ToolCall, ToolResult, Url
from isthmus.core.events import (
    BlockKind,
    BlockStart,
    BlockStop,
    Event,
    MessageStart,
    MessageStop,
    TextDelta,
    UsageReport,
)
from isthmus.core.fold import fold, unfold
from isthmus.core.grammar import Checker
from isthmus.core.losses import Deed, Losses
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.providers.emulate import MAX_OUTPUT, SYSTEM, TOOLS, SmallModel

WEATHER = Tool(
    "get_weather",
    "Tells the weather.",
    Raw(b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}'),
)
TIME = Tool("get_time", "Tells the time.")
QUESTION = Message(Role.USER, (Text("What is the weather in Paris?"),))
CALL = ToolCall("call_1", "get_weather", '{"city":"Paris"}')
RESULT = Message(Role.USER, (ToolResult("call_1", (Text("18 degrees"),)),))


def ask(*messages: Message, **more: object) -> ChatRequest:
    return ChatRequest(model="smollm2-135m", messages=messages or (QUESTION,), **more)  # type: ignore[arg-type] # each test names known fields


def prepared(request: ChatRequest) -> tuple[ChatRequest, Losses]:
    losses = Losses()
    return SmallModel().prepare(request, losses), losses


def schema_of(request: ChatRequest) -> object:
    assert request.output is not None
    assert request.output.kind is OutputKind.SCHEMA
    return json.loads(bytes(request.output.schema or b""))


def texts(request: ChatRequest) -> list[tuple[Role, str]]:
    return [(message.role, "".join(part.text for part in message.parts)) for message in request.messages]  # type: ignore[union-attr] # all is text


def seen(text: str, finish: Reason = Reason.STOP, *, request: ChatRequest | None = None, size: int = 3) -> list[Event]:
    """What the caller sees when the model, asked with a tool, streams `text`. Obeys the grammar."""
    model, checker = SmallModel(), Checker()
    model.prepare(request or ask(tools=(WEATHER,)), Losses())
    deltas = [TextDelta(0, text[at : at + size]) for at in range(0, len(text), size)]
    told: list[Event] = [MessageStart("chatcmpl-1", "m"), BlockStart(0, BlockKind.TEXT), *deltas, BlockStop(0)]
    told += [MessageStop(Finish(finish)), UsageReport(Usage(fresh_input=3, output=2))]
    events = [event for one in told for event in model.read(one)]
    for event in events:
        checker.check(event)
    checker.end()
    return events


def test_a_caller_without_a_system_prompt_gets_one() -> None:
    request, losses = prepared(ask())
    assert texts(request) == [(Role.SYSTEM, SYSTEM), (Role.USER, "What is the weather in Paris?")]
    assert ("messages", Deed.EMULATED) in [(loss.path, loss.deed) for loss in losses.found]


@pytest.mark.parametrize("role", [Role.SYSTEM, Role.DEVELOPER])
def test_the_callers_own_system_prompt_is_the_only_one(role: Role) -> None:
    request, _ = prepared(ask(Message(role, (Text("Be brief."),)), QUESTION))
    assert [role for role, _ in texts(request)] == [Role.SYSTEM, Role.USER]
    assert texts(request)[0] == (Role.SYSTEM, "Be brief.")


def test_an_answer_without_a_limit_is_limited_and_a_limit_is_kept() -> None:
    assert prepared(ask())[0].max_output == MAX_OUTPUT
    assert prepared(ask(max_output=7))[0].max_output == 7


def test_one_tool_becomes_a_schema() -> None:
    request, losses = prepared(ask(tools=(WEATHER,), parallel_tools=True, tool_choice=ToolChoice(ToolMode.AUTO)))
    assert (request.tools, request.tool_choice, request.parallel_tools) == (None, None, None)
    schema = schema_of(request)
    assert schema["properties"]["name"] == {"const": "get_weather"}  # type: ignore[index] # an object
    assert schema["properties"]["arguments"]["required"] == ["city"]  # type: ignore[index] # an object
    assert "tools" in [loss.path for loss in losses.found if loss.deed is Deed.EMULATED]
    assert "get_weather: Tells the weather." in texts(request)[0][1]


def test_several_tools_become_a_choice() -> None:
    schema = schema_of(prepared(ask(tools=(WEATHER, TIME)))[0])
    assert [call["properties"]["name"]["const"] for call in schema["anyOf"]] == ["get_weather", "get_time"]  # type: ignore[index] # an object


def test_a_tool_without_a_schema_takes_no_arguments() -> None:
    schema = schema_of(prepared(ask(tools=(TIME,)))[0])
    assert schema["properties"]["arguments"]["properties"] == {}  # type: ignore[index] # an object


def test_a_named_tool_is_the_only_one_offered() -> None:
    choice = ToolChoice(ToolMode.NAMED, "get_time")
    schema = schema_of(prepared(ask(tools=(WEATHER, TIME), tool_choice=choice))[0])
    assert schema["properties"]["name"] == {"const": "get_time"}  # type: ignore[index] # an object


def test_no_tool_is_offered_when_the_caller_forbids_it() -> None:
    request, _ = prepared(ask(tools=(WEATHER,), tool_choice=ToolChoice(ToolMode.NONE)))
    assert (request.tools, request.output) == (None, None)


def test_after_a_result_the_model_answers_in_words() -> None:
    request, losses = prepared(ask(QUESTION, Message(Role.ASSISTANT, (CALL,)), RESULT, tools=(WEATHER,)))
    assert request.output is None
    assert "tools" in [loss.path for loss in losses.found if loss.deed is Deed.EMULATED]


def test_after_a_result_a_forced_call_is_still_a_call() -> None:
    forced = ToolChoice(ToolMode.REQUIRED)
    request, _ = prepared(ask(QUESTION, Message(Role.ASSISTANT, (CALL,)), RESULT, tools=(WEATHER,), tool_choice=forced))
    assert request.output is not None


def test_calls_and_results_are_retold_in_words() -> None:
    spoken = Message(Role.ASSISTANT, (Text("I shall look."), CALL))
    failed = Message(Role.USER, (ToolResult("call_1", (Text("no such city"),), failed=True), Text("Try again.")))
    request, losses = prepared(ask(QUESTION, spoken, failed))
    assert texts(request)[2:] == [
        (Role.ASSISTANT, 'I shall look.\n\n{"name": "get_weather", "arguments": {"city":"Paris"}}'),
        (Role.USER, "The tool get_weather failed: no such city\n\nTry again."),
    ]
    assert {"messages[1].parts[1]", "messages[2].parts[0]"} <= {loss.path for loss in losses.found}


def test_what_is_not_text_is_left_out_and_told() -> None:
    image = Media(MediaKind.IMAGE, Url("https://example.com/a.png"))
    plain = Media(MediaKind.DOCUMENT, Inline("text/plain", "the facts", plain=True))
    foreign = Foreign("anthropic", Raw(b"{}"))
    request, losses = prepared(ask(Message(Role.USER, (image, plain, foreign, Text("Well?")))))
    assert texts(request)[1] == (Role.USER, "(image left out)\n\nthe facts\n\nWell?")
    assert {loss.path for loss in losses.found if loss.deed is Deed.DROPPED} == {
        "messages[0].parts[0]",
        "messages[0].parts[2]",
    }


def test_a_turn_of_thoughts_alone_is_left_out() -> None:
    request, _ = prepared(ask(QUESTION, Message(Role.ASSISTANT, (Reasoning("hm"),)), QUESTION))
    assert [role for role, _ in texts(request)] == [Role.SYSTEM, Role.USER, Role.USER]


def test_a_tool_of_a_vendors_own_is_dropped_and_told() -> None:
    request, losses = prepared(ask(tools=(Foreign("anthropic", Raw(b'{"type":"web_search"}')),)))
    assert request.output is None
    assert [loss.path for loss in losses.found if loss.deed is Deed.DROPPED] == ["tools[0]"]


def test_very_many_tools_are_bounded_and_told() -> None:
    tools = tuple(Tool(f"tool_{number}") for number in range(TOOLS + 5))
    request, losses = prepared(ask(tools=tools))
    assert len(schema_of(request)["anyOf"]) == TOOLS  # type: ignore[index] # an object
    assert f"tools[{TOOLS}:]" in [loss.path for loss in losses.found]


def test_the_callers_own_schema_is_bounded_too() -> None:
    output = OutputFormat(OutputKind.SCHEMA, name="x", schema=Raw(b'{"type":"string","pattern":"(?<=a)b"}'))
    request, _ = prepared(ask(output=output))
    assert "pattern" not in bytes(request.output.schema).decode()  # type: ignore[union-attr, arg-type] # it was given


@pytest.mark.parametrize("size", [1, 2, 7, 500])
def test_the_models_json_becomes_a_call(size: int) -> None:
    reply = fold(seen('{ "name": "get_weather", "arguments": {"city": "Paris, \\"\u00e9\\""} }', size=size))
    (candidate,) = reply.candidates
    (call,) = candidate.parts
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments) == ("get_weather", '{"city": "Paris, \\"\u00e9\\""}')
    assert call.id.startswith("call_")
    assert candidate.finish == Finish(Reason.TOOL_CALLS)
    assert reply.usage == Usage(fresh_input=3, output=2)


def test_calls_of_two_answers_have_two_ids() -> None:
    ids = set()
    for name in ("chatcmpl-1", "chatcmpl-2"):
        model = SmallModel()
        model.prepare(ask(tools=(WEATHER,)), Losses())
        reply = ChatReply(
            name, "m", (Candidate((Text('{"name":"get_weather","arguments":{}}'),), Finish(Reason.STOP)),)
        )
        events = [event for one in unfold(reply) for event in model.read(one)]
        ids |= {event.call_id for event in events if isinstance(event, BlockStart)}
    assert len(ids) == 2


@pytest.mark.parametrize(
    "text", ['{"name": "get_weather", "argu', '{"name":"get_weather"}', '{"name":1,"arguments":{}}', "Hm."]
)
def test_what_is_no_whole_call_is_shown_as_words(text: str) -> None:
    (candidate,) = fold(seen(text, Reason.LENGTH)).candidates
    assert candidate.parts == (Text(text),)
    assert candidate.finish == Finish(Reason.LENGTH)


def test_without_tools_every_event_passes_at_once() -> None:
    model = SmallModel()
    model.prepare(ask(), Losses())
    event = TextDelta(0, "Paris")
    assert model.read(event) == (event,)


def test_two_candidates_are_told_apart() -> None:
    model = SmallModel()
    model.prepare(ask(tools=(WEATHER,)), Losses())
    parts = [(Text('{"name":"get_weather","arguments":{"city":"A"}}'),), (Text("cut o"),)]
    reply = ChatReply("r", "m", tuple(Candidate(part, Finish(Reason.STOP)) for part in parts))
    first, second = fold(event for one in unfold(reply) for event in model.read(one)).candidates
    assert isinstance(first.parts[0], ToolCall)
    assert second.parts == (Text("cut o"),)
    assert second.finish == Finish(Reason.STOP)
