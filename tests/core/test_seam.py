"""An answer that broke off, and another that goes on with it, are one answer."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, ReasoningMode, ReasoningOptions, Role
from isthmus.core.content import Citation, Signature, Text
from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    BlockStop,
    CitationDelta,
    Event,
    ForeignEvent,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    SignatureDelta,
    TextDelta,
    UsageReport,
    WholePart,
)
from isthmus.core.fold import fold
from isthmus.core.grammar import Checker
from isthmus.core.reply import Finish, Reason
from isthmus.core.seam import MOST, Seam, Told, resumed
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign

START = MessageStart("id-1", "m1")
OPEN = BlockStart(0, BlockKind.TEXT)
STOP = MessageStop(Finish(Reason.STOP))
THOUGHT = (BlockStart(0, BlockKind.REASONING), ReasoningDelta(0, "hm"), BlockStop(0))
HELLO = ChatRequest(model="m", messages=(Message(Role.USER, (Text("hi"),)),))


def told(*events: Event) -> Told:
    found = Told()
    for event in events:
        found.take(event)
    return found


def answer(*pieces: str, usage: Usage | None = None) -> list[Event]:
    """A whole answer of text."""
    deltas = [TextDelta(0, piece) for piece in pieces]
    counted = [UsageReport(usage)] if usage is not None else []
    return [MessageStart("id-2", "m2"), OPEN, *deltas, BlockStop(0), *counted, STOP]


def joined(first: Sequence[Event], second: Sequence[Event]) -> list[Event]:
    """What is told of an answer that broke off after `first`, and of `second` behind it. The grammar is held."""
    so_far = told(*first)
    seam, events = Seam(so_far), list(first)
    for event in second:
        for one in seam.read(event):
            so_far.take(one)
            events.append(one)
    checker = Checker()
    for event in events:
        checker.check(event)
    checker.end()
    return events


def text_of(events: Sequence[Event]) -> str:
    return "".join(part.text for part in fold(events).candidates[0].parts if isinstance(part, Text))


def test_the_text_goes_on_in_its_block() -> None:
    events = joined([START, OPEN, TextDelta(0, "Once upon")], answer(" a time"))
    assert fold(events).candidates[0].parts == (Text("Once upon a time"),)
    assert fold(events).id == "id-1"


def test_a_text_that_had_ended_is_followed_by_another() -> None:
    events = joined([START, OPEN, TextDelta(0, "Once"), BlockStop(0)], answer(" upon"))
    assert fold(events).candidates[0].parts == (Text("Once"), Text(" upon"))


def test_the_last_answer_says_why_it_ended() -> None:
    length = [*answer(" a time")[:-1], MessageStop(Finish(Reason.LENGTH))]
    events = joined([START, OPEN, TextDelta(0, "Once")], length)
    assert fold(events).candidates[0].finish == Finish(Reason.LENGTH)


@pytest.mark.parametrize(
    ("before", "pieces", "whole"),
    [
        ("Hello ", (" world",), "Hello world"),
        ("Hello ", ("world",), "Hello world"),
        ("Hello", (" world",), "Hello world"),
        ("Hello\n\n", ("\n", "\n", "\n- a"), "Hello\n\n\n- a"),
        ("Hello ", ("\n- a",), "Hello \n- a"),
        ("Hello ", (" ", " world"), "Hello  world"),
        ("  ", ("  Hello",), "  Hello"),
        ("ha ha", ("ha",), "ha haha"),
    ],
    ids=[
        "told already",
        "not told again",
        "not told yet",
        "told in part, over several pieces",
        "other white space",
        "more of it",
        "nothing else was told",
        "words are never cut",
    ],
)
def test_only_white_space_that_was_told_is_left_out(before: str, pieces: tuple[str, ...], whole: str) -> None:
    assert text_of(joined([START, OPEN, TextDelta(0, before)], answer(*pieces))) == whole


@given(
    text=st.text(alphabet="ab \n", max_size=24),
    cut=st.integers(0, 24),
    sizes=st.lists(st.integers(1, 4), max_size=12),
)
def test_wherever_it_broke_off_the_text_is_whole(text: str, cut: int, sizes: list[int]) -> None:
    """A model that goes on says the white space at the end of what it was given once more, for it was not given it."""
    head = text[:cut]
    given_ = head.rstrip()
    rest, pieces = text[len(given_) :], []
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    first = [START, OPEN, TextDelta(0, head)] if head else [START, OPEN]
    assert text_of(joined(first, answer(*filter(None, [*pieces, rest])))) == text


def test_the_usage_of_both_is_added() -> None:
    first = [START, OPEN, UsageReport(Usage(fresh_input=10, cache_read=5, output=3)), TextDelta(0, "Once")]
    events = joined(first, answer(" upon", usage=Usage(fresh_input=12, output=4, reasoning=1)))
    assert fold(events).usage == Usage(fresh_input=22, cache_read=5, output=7, reasoning=1)


def test_usage_told_before_the_second_answer_is_added_once() -> None:
    first = [MessageStart("id", "m", None, Usage(fresh_input=10)), OPEN, TextDelta(0, "Once")]
    second: list[Event] = [MessageStart("id", "m", None, Usage(fresh_input=12)), *answer(" a")[1:-1]]
    events = joined(first, [*second, UsageReport(Usage(fresh_input=12, output=4)), STOP])
    assert fold(events).usage == Usage(fresh_input=22, output=4)


def test_usage_that_nobody_told_is_not_made_up() -> None:
    events = joined([START, OPEN, TextDelta(0, "Once")], answer(" a", usage=Usage(fresh_input=12, output=4)))
    assert fold(events).usage == Usage(fresh_input=12, output=4)


def test_the_second_model_may_call_a_tool() -> None:
    call: list[Event] = [BlockStart(0, BlockKind.TOOL_CALL, "c1", "f"), ArgumentsDelta(0, "{}"), BlockStop(0)]
    events = joined([START, OPEN, TextDelta(0, "Let me look.")], [MessageStart("id-2", "m2"), *call, STOP])
    kinds = [type(part).__name__ for part in fold(events).candidates[0].parts]
    assert kinds == ["Text", "ToolCall"]


def test_what_the_second_model_thinks_is_not_told() -> None:
    shifted = [BlockStart(1, BlockKind.TEXT), TextDelta(1, " upon"), BlockStop(1), STOP]
    second: list[Event] = [MessageStart("id-2", "m2"), *THOUGHT, *shifted]
    second.insert(3, SignatureDelta(0, Signature("anthropic", "proof")))
    assert fold(joined([START, OPEN, TextDelta(0, "Once")], second)).candidates[0].parts == (Text("Once upon"),)


def test_what_only_the_second_dialect_knows_is_not_told() -> None:
    second: list[Event] = [MessageStart("id-2", "m2"), ForeignEvent("anthropic", Raw(b"{}")), *answer(" upon")[1:]]
    events = joined([START, OPEN, TextDelta(0, "Once")], second)
    assert not any(isinstance(event, ForeignEvent) for event in events)


def test_an_answer_may_break_off_twice() -> None:
    first = joined_part([START, OPEN, TextDelta(0, "One")], answer(" two")[:3])
    assert text_of(joined(first, answer(" three"))) == "One two three"


def joined_part(first: Sequence[Event], second: Sequence[Event]) -> list[Event]:
    so_far = told(*first)
    seam, events = Seam(so_far), list(first)
    for event in second:
        events += seam.read(event)
    return events


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ((START, BlockStart(0, BlockKind.TOOL_CALL, "c", "f")), "tool"),
        ((START, BlockStart(0, BlockKind.TOOL_CALL, "c", "f"), BlockStop(0)), "tool"),
        ((START, BlockStart(0, BlockKind.REASONING)), "thinking"),
        ((START, *THOUGHT[:2], SignatureDelta(0, Signature("anthropic", "x")), BlockStop(0)), "signed"),
        ((START, BlockStart(0, BlockKind.REFUSAL)), "declined"),
        ((START, OPEN, CitationDelta(0, Citation(url="https://example.com"))), "cites"),
        ((START, WholePart(Foreign("anthropic", Raw(b"{}")))), "more than text"),
        ((START, OPEN, BlockStart(1, BlockKind.TEXT, candidate=1)), "several"),
        ((START, OPEN, TextDelta(0, "x" * (MOST + 1))), "too long"),
    ],
)
def test_not_every_answer_can_be_gone_on_with(events: tuple[Event, ...], why: str) -> None:
    assert why in (told(*events).obstacle or "")


@pytest.mark.parametrize("events", [(START, OPEN), (START, *THOUGHT), (START, OPEN, TextDelta(0, "Once"))])
def test_text_and_thoughts_in_clear_can_be_gone_on_with(events: tuple[Event, ...]) -> None:
    assert told(*events).obstacle is None


def test_the_request_for_the_rest_ends_in_what_was_said() -> None:
    asked = resumed(HELLO, told(START, OPEN, TextDelta(0, "Once "), TextDelta(0, "upon ")))
    assert asked.messages == (*HELLO.messages, Message(Role.ASSISTANT, (Text("Once upon"),)))


def test_an_answer_that_the_caller_began_goes_on_from_there() -> None:
    begun = ChatRequest(model="m", messages=(*HELLO.messages, Message(Role.ASSISTANT, (Text("Well,"),))))
    asked = resumed(begun, told(START, OPEN, TextDelta(0, " yes")))
    assert asked.messages == (*HELLO.messages, Message(Role.ASSISTANT, (Text("Well, yes"),)))


def test_where_nothing_was_said_the_same_is_asked_again() -> None:
    assert resumed(HELLO, told(START, OPEN, TextDelta(0, " "))).messages == HELLO.messages


def test_what_is_left_of_the_longest_answer_allowed_is_asked_for() -> None:
    request = ChatRequest(model="m", messages=HELLO.messages, max_output=100)
    assert resumed(request, told(START, OPEN, TextDelta(0, "word " * 32))).max_output == 60
    counted = told(START, OPEN, UsageReport(Usage(output=90)), TextDelta(0, "word"))
    assert resumed(request, counted).max_output == 10
    assert resumed(request, told(START, OPEN, UsageReport(Usage(output=900)))).max_output == 1


def test_a_model_does_not_think_in_the_middle_of_an_answer() -> None:
    request = ChatRequest(model="m", messages=HELLO.messages, reasoning=ReasoningOptions(ReasoningMode.ON))
    asked = resumed(request, told(START, OPEN, TextDelta(0, "Once")))
    assert asked.reasoning == ReasoningOptions(ReasoningMode.OFF)
    assert resumed(HELLO, told(START, OPEN)).reasoning is None
