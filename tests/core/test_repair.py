"""Calls and results come in pairs, whatever the client sent."""

from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Part, Text, ToolCall, ToolResult
from isthmus.core.losses import Losses
from isthmus.core.repair import UNANSWERED, repair

HELLO = Message(Role.USER, (Text("Hello"),))


def call(name: str) -> ToolCall:
    return ToolCall(name, "clock", "{}")


def result(name: str, text: str = "noon") -> ToolResult:
    return ToolResult(name, (Text(text),))


def user(*parts: Part) -> Message:
    return Message(Role.USER, parts)


def model(*parts: Part) -> Message:
    return Message(Role.ASSISTANT, parts)


def mended(*messages: Message) -> tuple[tuple[Message, ...], list[tuple[str, str]]]:
    losses = Losses()
    request = repair(ChatRequest(model="m", messages=messages), losses)
    return request.messages, [(loss.path, loss.deed.value) for loss in losses.found]


def made_up(name: str) -> ToolResult:
    return ToolResult(name, (Text(UNANSWERED),), failed=True)


def test_a_conversation_in_pairs_is_left_alone() -> None:
    request = ChatRequest(
        model="m", messages=(HELLO, model(call("a"), call("b")), user(result("b"), result("a"), Text("and?")))
    )
    assert repair(request, Losses()) is request


def test_a_call_without_a_result_gets_one_that_says_so() -> None:
    assert mended(HELLO, model(call("a")), user(Text("Never mind."))) == (
        (HELLO, model(call("a")), user(made_up("a"), Text("Never mind."))),
        [("messages[1].parts[0]", "emulated")],
    )


def test_a_call_at_the_very_end_gets_one_too() -> None:
    messages, losses = mended(HELLO, model(call("a")))
    assert messages == (HELLO, model(call("a")), user(made_up("a")))
    assert losses == [("messages[1].parts[0]", "emulated")]


def test_of_two_calls_only_the_open_one_is_answered() -> None:
    messages, _ = mended(HELLO, model(call("a"), call("b")), user(result("b")))
    assert messages[2] == user(made_up("a"), result("b"))


def test_a_result_that_answers_no_call_becomes_text() -> None:
    assert mended(user(result("gone"), Text("So?"))) == (
        (user(Text("Result of the tool call gone:"), Text("noon"), Text("So?")),),
        [("messages[0].parts[0]", "rewritten")],
    )


def test_a_second_result_for_one_call_becomes_text() -> None:
    messages, losses = mended(HELLO, model(call("a")), user(result("a"), result("a", "one o'clock")))
    assert messages[2] == user(result("a"), Text("Result of the tool call a:"), Text("one o'clock"))
    assert losses == [("messages[2].parts[1]", "rewritten")]


def test_a_result_that_came_too_late_is_moved_behind_its_call() -> None:
    messages, losses = mended(HELLO, model(call("a")), model(Text("Wait.")), user(result("a")))
    assert messages == (HELLO, model(call("a")), user(result("a")), model(Text("Wait.")))
    assert losses == [("messages[1].parts[0]", "rewritten")]


def test_an_id_that_is_used_again_belongs_to_each_turn_by_itself() -> None:
    messages, losses = mended(
        HELLO, model(call("a")), user(result("a", "one")), model(call("a")), user(result("a", "two")), model(call("b"))
    )
    assert messages[2] == user(result("a", "one"))
    assert messages[4] == user(result("a", "two"))
    assert losses == [("messages[5].parts[0]", "emulated")]


IDS = st.sampled_from(["a", "b"])
PARTS = st.one_of(st.builds(call, IDS), st.builds(result, IDS), st.just(Text("words")))
TURNS = st.builds(Message, st.sampled_from([Role.USER, Role.ASSISTANT]), st.lists(PARTS, max_size=3).map(tuple))


@given(st.lists(TURNS, max_size=5))
def test_mending_twice_changes_nothing_more_and_loses_no_words(messages: list[Message]) -> None:
    first = repair(ChatRequest(model="m", messages=tuple(messages)), Losses())
    calls = [part.id for one in messages for part in one.parts if isinstance(part, ToolCall)]
    for one in first.messages:
        ids = [part.id for part in one.parts if isinstance(part, ToolCall)]
        if len(ids) != len(set(ids)):
            return
    losses = Losses()
    assert repair(first, losses) == first
    assert losses.found == []
    assert [part.id for one in first.messages for part in one.parts if isinstance(part, ToolCall)] == calls
    said = sum(part == Text("words") for one in messages for part in one.parts)
    assert sum(part == Text("words") for one in first.messages for part in one.parts) == said
