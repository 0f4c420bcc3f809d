"""Why an answer ended: `finishReason`, and `promptFeedback` of one that never began."""

from msgspec import Raw

from isthmus.core.losses import Losses
from isthmus.core.reply import Finish, Reason
from isthmus.core.value import Foreign
from isthmus.dialects.gemini.words import DIALECT, FINISH_WORDS, FINISHES, NUMBERED
from isthmus.wire import json
from isthmus.wire.json import Malformed

BLOCKED = Finish(Reason.FILTERED)
"""Of an answer that has no candidate, because the prompt was refused."""


def read_finish(value: Raw | None, *, calls: bool) -> Finish | None:
    """The native word is kept where the core's says less. STOP is also how an answer ends that calls tools."""
    if value is None:
        return None
    told = json.decode(value)
    if isinstance(told, str):
        reason = FINISHES.get(told, Reason.OTHER)
    else:
        reason = NUMBERED.get(told, Reason.OTHER) if type(told) is int else Reason.OTHER
    kept = None if told == FINISH_WORDS[reason] else Foreign(DIALECT, value)
    return Finish(Reason.TOOL_CALLS if calls and reason is Reason.STOP else reason, native=kept)


def write_finish(finish: Finish | None, candidate: int, losses: Losses, *, calls: bool, refused: bool) -> object:
    """An answer whose provider never said why it ended has ended: clients ask again without a reason."""
    if finish is not None and finish.native is not None and finish.native.dialect == DIALECT:
        return finish.native.body
    reason = Reason.STOP if finish is None else finish.reason
    if refused and reason in (Reason.STOP, Reason.OTHER):
        reason = Reason.REFUSED
    word = FINISH_WORDS[reason]
    if FINISHES[word] is not reason and not (calls and reason is Reason.TOOL_CALLS):
        losses.rewrite(f"candidates[{candidate}].finish", f"the nearest reason of this dialect is {word}")
    return word


def is_blocked(feedback: Raw | None) -> bool:
    """Does the feedback on the prompt tell that it was refused?"""
    if feedback is None:
        return False
    try:
        fields = json.read_fields(feedback)
    except Malformed:
        return False
    return not fields.keys().isdisjoint(("blockReason", "block_reason"))
