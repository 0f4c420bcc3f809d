"""Custom tools, namespaces and tools among the items, as Codex sends them: flat functions elsewhere, themselves here.

The shapes are those that Codex CLI sends; the tools are made up.
"""

from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role, Tool, ToolChoice, ToolMode
from isthmus.core.content import Text, ToolCall, ToolResult
from isthmus.core.fold import unfold
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.value import Foreign
from isthmus.dialects.codec import ReplyHead
from isthmus.dialects.openai.chat import CODEC as CHAT
from isthmus.dialects.openai.responses import CODEC
from isthmus.wire import json
from support.specimens import bare
from support.streams import frames_of, stream_of

ABLE = ModelProfile()
SCHEMA = {"type": "object", "properties": {"who": {"type": "string"}}}
SPAWN = {"type": "function", "name": "spawn", "description": "Start another.", "parameters": SCHEMA, "strict": False}
WAIT = {"type": "function", "name": "wait", "parameters": SCHEMA, "strict": False}
AGENTS = {"type": "namespace", "name": "agents", "description": "Others.", "tools": [SPAWN, WAIT]}
PATCH = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Change files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": 'start: "x"'},
}
SEARCH = {"type": "web_search", "external_web_access": False}
ALSO = {"type": "additional_tools", "role": "developer", "tools": [AGENTS, PATCH]}


def read(**said: Any) -> ChatRequest:
    return CODEC.read_request(json.encode({"model": "m", "input": "hello", **said}))


def write(request: ChatRequest) -> tuple[dict[str, Any], Losses]:
    losses = Losses()
    return json.decode(CODEC.write_request(request, ABLE, losses)), losses


def answered(request: ChatRequest, *calls: ToolCall) -> dict[str, Any]:
    """The answer of a provider of another dialect, as the client that asked is told it."""
    reply = ChatReply("1", "m", (Candidate(calls, Finish(Reason.TOOL_CALLS)),), created=1)
    assert CODEC.echo is not None
    return json.decode(CODEC.write_reply(replace(reply, echo=CODEC.echo(request)), Losses()))


def streamed(request: ChatRequest, *calls: ToolCall) -> list[dict[str, Any]]:
    reply = ChatReply("1", "m", (Candidate(calls, Finish(Reason.TOOL_CALLS)),), created=1)
    assert CODEC.echo is not None
    head = ReplyHead("m", 1, echo=CODEC.echo(request))
    return [json.decode(frame.data) for frame in frames_of([stream_of(CODEC, head, unfold(reply), Losses())])]


def test_the_tools_of_a_namespace_have_flat_names_elsewhere() -> None:
    document = json.decode(CHAT.write_request(read(tools=[AGENTS]), ABLE, Losses()))
    assert [tool["function"]["name"] for tool in document["tools"]] == ["agents__spawn", "agents__wait"]


def test_a_namespace_is_no_loss_elsewhere() -> None:
    losses = Losses()
    CHAT.write_request(read(tools=[AGENTS]), ABLE, losses)
    assert losses.found == []


def test_a_namespace_comes_back_whole() -> None:
    tools = [SEARCH, AGENTS, PATCH]
    document, losses = write(read(tools=tools))
    assert document["tools"] == tools
    assert losses.found == []


def test_two_namespaces_stay_apart() -> None:
    other = {**AGENTS, "name": "people"}
    assert write(read(tools=[AGENTS, other]))[0]["tools"] == [AGENTS, other]


def test_a_namespace_that_ends_in_underscores_needs_no_more_of_them() -> None:
    request = read(tools=[{**AGENTS, "name": "mcp__agents__"}])
    assert request.tools is not None
    assert [tool.name for tool in request.tools if isinstance(tool, Tool)] == [
        "mcp__agents__spawn",
        "mcp__agents__wait",
    ]


def test_a_flat_name_is_at_most_64_characters_and_its_own() -> None:
    request = read(tools=[{**AGENTS, "name": "n" * 60}])
    names = [tool.name for tool in request.tools or () if isinstance(tool, Tool)]
    assert len(set(names)) == 2
    assert all(len(name) <= 64 for name in names)


def test_a_namespace_with_a_tool_that_only_openai_runs_is_kept_whole() -> None:
    odd = {**AGENTS, "tools": [SPAWN, SEARCH]}
    assert read(tools=[odd]).tools == (Foreign("openai_responses", json.raw(odd)),)


def test_a_call_is_told_with_its_namespace() -> None:
    call = ToolCall("call_1", "agents__spawn", '{"who":"ida"}')
    (item,) = answered(read(tools=[AGENTS]), call)["output"]
    assert (item["type"], item["name"], item["namespace"]) == ("function_call", "spawn", "agents")
    assert item["arguments"] == '{"who":"ida"}'


def test_a_call_in_the_history_has_the_flat_name() -> None:
    item = {"type": "function_call", "call_id": "c", "namespace": "agents", "name": "spawn", "arguments": "{}"}
    request = read(input=[item], tools=[AGENTS])
    assert bare(request.messages[0].parts[0]) == ToolCall("c", "agents__spawn", "{}")
    assert write(request)[0]["input"] == [item]


def test_a_tool_that_a_search_found_has_its_own_name_for_a_namespace() -> None:
    item = {"type": "function_call", "call_id": "c", "namespace": "rate", "name": "rate", "arguments": "{}"}
    request = read(input=[item])
    assert bare(request.messages[0].parts[0]) == ToolCall("c", "rate", "{}")
    assert write(request)[0]["input"] == [item]


def test_a_custom_tool_is_a_function_with_one_text_elsewhere() -> None:
    document = json.decode(CHAT.write_request(read(tools=[PATCH]), ABLE, Losses()))
    function = document["tools"][0]["function"]
    assert function["name"] == "apply_patch"
    assert function["parameters"]["required"] == ["input"]
    assert 'start: "x"' in function["parameters"]["properties"]["input"]["description"]


def test_what_a_custom_tool_must_look_like_is_told_as_a_loss() -> None:
    losses = Losses()
    CHAT.write_request(read(tools=[PATCH]), ABLE, losses)
    assert [loss.path for loss in losses.found] == ["tools[0].format"]


def test_a_call_of_a_custom_tool_is_told_with_its_raw_input() -> None:
    patch = '*** Begin\n"quoted" \\ é\n'
    call = ToolCall("call_1", "apply_patch", json.encode({"input": patch}).decode())
    (item,) = answered(read(tools=[PATCH]), call)["output"]
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "apply_patch", patch)
    assert item["id"].startswith("ctc_")


def test_arguments_that_are_not_one_text_are_a_custom_tools_input_as_they_are() -> None:
    request, losses = read(tools=[PATCH]), Losses()
    call = ToolCall("call_1", "apply_patch", '{"patch":"x"}')
    reply = ChatReply("1", "m", (Candidate((call,), Finish(Reason.TOOL_CALLS)),))
    assert CODEC.echo is not None
    (item,) = json.decode(CODEC.write_reply(replace(reply, echo=CODEC.echo(request)), losses))["output"]
    assert item["input"] == '{"patch":"x"}'
    assert [loss.path for loss in losses.found] == ["candidates[0].parts[0].arguments"]


def test_a_custom_tools_input_is_streamed_whole() -> None:
    events = streamed(read(tools=[PATCH]), ToolCall("call_1", "apply_patch", '{"input":"a\\nb"}'))
    added, delta, done, whole = events[2:6]
    assert added["item"] | {"id": ""} == {
        "type": "custom_tool_call",
        "id": "",
        "status": "in_progress",
        "call_id": "call_1",
        "name": "apply_patch",
        "input": "",
    }
    assert (delta["type"], delta["delta"]) == ("response.custom_tool_call_input.delta", "a\nb")
    assert (done["type"], done["input"]) == ("response.custom_tool_call_input.done", "a\nb")
    assert whole["item"]["input"] == "a\nb"


def test_a_namespaced_call_is_streamed_with_its_namespace() -> None:
    events = streamed(read(tools=[AGENTS]), ToolCall("call_1", "agents__wait", "{}"))
    items = [event["item"] for event in events if event["type"].startswith("response.output_item")]
    assert {(item["name"], item["namespace"]) for item in items} == {("wait", "agents")}


def test_a_custom_call_and_its_result_are_a_call_and_a_result_elsewhere() -> None:
    items = [
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "apply_patch", "input": 'say "hi"'},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "done"},
    ]
    request = read(input=items, tools=[PATCH])
    call, result = (bare(turn.parts[0]) for turn in request.messages)
    assert call == ToolCall("c", "apply_patch", '{"input":"say \\"hi\\""}')
    assert result == ToolResult("c", (Text("done"),))
    assert write(request)[0]["input"] == items


def test_a_call_from_elsewhere_of_a_custom_tool_is_written_as_one_with_its_result() -> None:
    call = Message(Role.ASSISTANT, (ToolCall("c", "apply_patch", '{"input":"x"}'),))
    request = replace(read(tools=[PATCH]), messages=(call, Message(Role.USER, (ToolResult("c", (Text("done"),)),))))
    first, second = write(request)[0]["input"]
    assert (first["type"], first["input"]) == ("custom_tool_call", "x")
    assert second["type"] == "custom_tool_call_output"


def test_tools_among_the_items_are_lifted() -> None:
    request = read(input=[ALSO, {"role": "user", "content": "hello"}])
    names = [tool.name for tool in request.tools or () if isinstance(tool, Tool)]
    assert names == ["agents__spawn", "agents__wait", "apply_patch"]
    assert len(request.messages) == 1


def test_tools_among_the_items_go_back_where_they_stood() -> None:
    items = [{"role": "user", "content": "hello"}, ALSO, {"role": "user", "content": "go"}]
    document, losses = write(read(input=items, tools=[WAIT]))
    assert document["input"] == items
    assert document["tools"] == [WAIT]
    assert losses.found == []


def test_tools_among_the_items_are_called_by_their_own_names() -> None:
    request = read(input=[ALSO, {"role": "user", "content": "hello"}])
    (item,) = answered(request, ToolCall("c", "agents__wait", "{}"))["output"]
    assert (item["name"], item["namespace"]) == ("wait", "agents")


def test_lifted_tools_that_were_changed_are_written_where_tools_usually_stand() -> None:
    request = read(input=[ALSO, {"role": "user", "content": "hello"}])
    document, _ = write(replace(request, tools=(request.tools or ())[:1]))
    assert [tool["name"] for tool in document["tools"]] == ["agents"]
    assert document["input"] == [{"role": "user", "content": "hello"}]


def test_silence_of_others_about_strictness_is_written_as_not_strict() -> None:
    """This dialect takes silence for strict, which would refuse most schemas."""
    request = ChatRequest(
        model="m", messages=(Message(Role.USER, (Text("a"),)),), tools=(Tool("f", schema=Raw(b'{"type":"object"}')),)
    )
    assert write(request)[0]["tools"][0]["strict"] is False


def test_silence_of_this_dialect_about_strictness_stays_silence() -> None:
    silent = {"type": "function", "name": "f", "parameters": SCHEMA}
    assert write(read(tools=[silent]))[0]["tools"] == [silent]


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("required", ToolChoice(ToolMode.REQUIRED)),
        ({"type": "function", "name": "spawn"}, ToolChoice(ToolMode.NAMED, "spawn")),
        ({"type": "custom", "name": "apply_patch"}, ToolChoice(ToolMode.NAMED, "apply_patch")),
        ({"type": "allowed_tools", "mode": "required", "tools": []}, ToolChoice(ToolMode.REQUIRED)),
        ({"type": "web_search"}, None),
    ],
    ids=str,
)
def test_the_choice_of_a_tool_is_read_and_comes_back(said: Any, choice: ToolChoice | None) -> None:
    request = read(tools=[SPAWN, PATCH, SEARCH], tool_choice=said)
    assert request.tool_choice == choice
    assert write(request)[0]["tool_choice"] == said


def test_an_answer_repeats_what_was_asked() -> None:
    request = read(
        tools=[SPAWN], tool_choice="required", temperature=0.5, instructions="Be brief.", metadata={"a": "b"}
    )
    answer = answered(request)
    told = {name: answer[name] for name in ("tools", "tool_choice", "temperature", "instructions", "metadata")}
    assert told == {
        "tools": [SPAWN],
        "tool_choice": "required",
        "temperature": 0.5,
        "instructions": "Be brief.",
        "metadata": {"a": "b"},
    }


def test_an_answer_to_nobody_known_says_what_the_api_says_of_silence() -> None:
    answer = json.decode(CODEC.write_reply(ChatReply("1", "m", (Candidate(()),)), Losses()))
    assert (answer["tools"], answer["tool_choice"], answer["parallel_tool_calls"]) == ([], "auto", True)
    assert answer["temperature"] is None
