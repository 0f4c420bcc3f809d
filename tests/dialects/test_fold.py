"""A whole answer and its stream are one truth: what is unfolded folds into itself, in any order of pieces."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.content import Text, ToolResult
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import (
    BlockKind,
    BlockStart,
    BlockStop,
    Event,
    MessageStart,
    MessageStop,
    StreamError,
    TextDelta,
    UsageReport,
)
from isthmus.core.fold import fold, unfold
from isthmus.core.grammar import Checker
from isthmus.core.reply import Candidate, ChatReply
from isthmus.core.usage import Usage
from support.strategies import replies


@given(replies())
def test_what_is_unfolded_folds_into_itself(reply: ChatReply) -> None:
    assert fold(unfold(reply)) == reply


@given(replies())
def test_an_unfolded_answer_obeys_the_grammar(reply: ChatReply) -> None:
    checker = Checker()
    for event in unfold(reply):
        checker.check(event)
    checker.end()


@given(replies(), st.randoms(use_true_random=False))
def test_pieces_of_blocks_may_come_in_turns(reply: ChatReply, dice: random.Random) -> None:
    assert fold(shuffled(list(unfold(reply)), dice)) == reply


def shuffled(events: list[Event], dice: random.Random) -> list[Event]:
    """All blocks opened in order, then their events dealt at random, each block's own in its order."""
    first, *body = events
    starts = [event for event in body if isinstance(event, BlockStart)]
    rest = [event for event in body if not isinstance(event, BlockStart) and not hasattr(event, "index")]
    grown = [event for event in body if not isinstance(event, BlockStart) and hasattr(event, "index")]
    order = [event.index for event in grown]
    dice.shuffle(order)
    queues = {index: [event for event in grown if event.index == index] for index in order}
    dealt = [queues[index].pop(0) for index in order]
    if any(type(event).__name__ == "WholePart" for event in rest):
        return events
    return [first, *starts, *dealt, *rest]


def test_text_in_pieces_is_one_text() -> None:
    pieces = [TextDelta(0, "He"), TextDelta(0, ""), TextDelta(0, "llo")]
    events = [MessageStart("1", "m"), BlockStart(0, BlockKind.TEXT), *pieces, BlockStop(0), MessageStop(None)]
    assert fold(events).candidates == (Candidate((Text("Hello"),)),)


def test_the_last_usage_wins() -> None:
    events = [MessageStart("1", "m", usage=Usage(1)), UsageReport(Usage(2)), MessageStop(None), UsageReport(Usage(3))]
    assert fold(events).usage == Usage(3)


def test_what_the_start_counts_stands_until_more_is_known() -> None:
    assert fold([MessageStart("1", "m", usage=Usage(1)), MessageStop(None)]).usage == Usage(1)


def test_a_candidate_with_an_absurd_number_is_one_candidate() -> None:
    events = [MessageStart("1", "m"), MessageStop(None), MessageStop(None, 10**30)]
    assert len(fold(events).candidates) == 2


def test_a_broken_answer_has_no_folded_form() -> None:
    error = GatewayError(Kind.OVERLOADED, "later")
    with pytest.raises(GatewayError, match="later"):
        fold([MessageStart("1", "m"), StreamError(error)])


def test_an_answer_that_never_began_was_cut_short() -> None:
    with pytest.raises(GatewayError) as caught:
        fold([])
    assert caught.value.kind is Kind.CUT_SHORT


def test_a_callers_result_is_no_part_of_an_answer() -> None:
    reply = ChatReply("1", "m", (Candidate((ToolResult("call_1", ()),)),))
    with pytest.raises(ValueError, match="no tool results"):
        list(unfold(reply))
