"""The grammar of events: complete as a table, and strict as a checker."""

from typing import get_args

import pytest
from msgspec import Raw

from isthmus.core.content import Media, MediaKind, Signature, Url
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    BlockStop,
    Event,
    ForeignEvent,
    LogprobsDelta,
    MessageStart,
    MessageStop,
    ReasoningDelta,
    SignatureDelta,
    StreamError,
    TextDelta,
    UsageReport,
    WholePart,
)
from isthmus.core.grammar import DELTAS, GRAMMAR, Checker, GrammarError, State
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign

START, STOP = MessageStart("1", "m"), MessageStop(None)
TEXT, THOUGHT, CALL = (
    BlockStart(0, BlockKind.TEXT),
    BlockStart(1, BlockKind.REASONING),
    BlockStart(2, BlockKind.TOOL_CALL, "call_1", "clock"),
)
ERROR = StreamError(GatewayError(Kind.CUT_SHORT, "it broke off"))
USAGE = UsageReport(Usage())
PICTURE = WholePart(Media(MediaKind.IMAGE, Url("https://example.com/a.png")))
LOGPROBS = LogprobsDelta(Foreign("openai_chat", Raw(b"{}")))


def check(*events: Event) -> None:
    checker = Checker()
    for event in events:
        checker.check(event)
    checker.end()


def test_every_event_may_stand_somewhere() -> None:
    assert {kind for following in GRAMMAR.values() for kind in following} == set(get_args(Event))


def test_every_state_has_its_row() -> None:
    assert set(GRAMMAR) == set(State)


def test_an_error_may_come_at_any_time_and_is_the_end() -> None:
    assert all(GRAMMAR[state][StreamError] is State.OVER for state in State if state is not State.OVER)
    assert GRAMMAR[State.OVER] == {}


def test_every_kind_of_block_has_its_deltas() -> None:
    assert set.union(*map(set, DELTAS.values())) == set(BlockKind)


GOOD = {
    "nothing is said": (START, STOP),
    "one text": (START, TEXT, TextDelta(0, "a"), BlockStop(0), STOP),
    "usage behind the stop": (START, STOP, USAGE),
    "usage before the stop": (START, USAGE, STOP),
    "blocks that interleave": (START, THOUGHT, CALL, ArgumentsDelta(2, "{"), ReasoningDelta(1, "a"), BlockStop(1),
                               ArgumentsDelta(2, "}"), BlockStop(2), STOP),
    "a signed call": (START, CALL, SignatureDelta(2, Signature("v", "s")), BlockStop(2), STOP),
    "a whole part beside an open block": (START, TEXT, PICTURE, BlockStop(0), STOP),
    "log probabilities behind the stop": (START, STOP, LOGPROBS),
    "a second candidate that goes on": (START, TEXT, BlockStop(0), STOP, BlockStart(1, BlockKind.TEXT, candidate=1),
                                        TextDelta(1, "b"), BlockStop(1), MessageStop(None, 1)),
    "a candidate that stops while another speaks": (START, TEXT, BlockStart(1, BlockKind.TEXT, candidate=1),
                                                    BlockStop(0), STOP, TextDelta(1, "b"), BlockStop(1),
                                                    MessageStop(None, 1)),
    "an error before the start": (ERROR,),
    "an error in a block": (START, TEXT, ERROR),
    "an event of another's before the start": (ForeignEvent("x", Raw(b"{}")), START, STOP),
}  # fmt: skip

BAD = {
    "nothing at all": (),
    "no start": (TEXT,),
    "two starts": (START, START),
    "no stop": (START,),
    "a block that stays open": (START, TEXT, STOP),
    "a stream that ends in a block": (START, TEXT),
    "a delta without a block": (START, TextDelta(0, "a")),
    "a delta of another block": (START, TEXT, TextDelta(1, "a")),
    "a delta of another kind": (START, TEXT, ArgumentsDelta(0, "{")),
    "text in a thought": (START, THOUGHT, TextDelta(1, "a")),
    "a delta behind its block": (START, TEXT, BlockStop(0), TextDelta(0, "a")),
    "a block that stops twice": (START, TEXT, BlockStop(0), BlockStop(0)),
    "a number used twice": (START, TEXT, BlockStop(0), TEXT),
    "a candidate that stops twice": (START, STOP, STOP),
    "a block behind its candidate's stop": (START, STOP, TEXT),
    "an event behind an error": (START, ERROR, STOP),
    "two errors": (ERROR, ERROR),
}


@pytest.mark.parametrize("events", GOOD.values(), ids=GOOD)
def test_is_allowed(events: tuple[Event, ...]) -> None:
    check(*events)


@pytest.mark.parametrize("events", BAD.values(), ids=BAD)
def test_is_refused(events: tuple[Event, ...]) -> None:
    with pytest.raises(GrammarError):
        check(*events)
