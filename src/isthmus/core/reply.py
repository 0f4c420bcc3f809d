"""One finished answer: the stream of events, folded."""

from enum import StrEnum

from isthmus.core.content import Part, Reasoning, Text
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign, Value


class Reason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    STOP_SEQUENCE = "stop_sequence"
    REFUSED = "refused"
    FILTERED = "filtered"
    PAUSED = "paused"
    CONTEXT_FULL = "context_full"
    OTHER = "other"


class Finish(Value, frozen=True):
    """`native` is the dialect's own word, written back by that dialect where it says more than `reason`."""

    reason: Reason
    stop_sequence: str | None = None
    native: Foreign | None = None


class Candidate(Value, frozen=True):
    """One of the answers. `finish` is None when the provider never said why it stopped.

    `logprobs` is kept word for word in the dialect that told it.
    """

    parts: tuple[Part, ...]
    finish: Finish | None = None
    logprobs: Foreign | None = None
    extra: Extra | None = None


class ChatReply(Value, frozen=True):
    """`usage` is None when the provider sent none. `created` is in Unix seconds, where the dialect tells it.

    `echo` is no reader's: whoever answers a caller puts in what that caller's dialect repeats of the request.
    """

    id: str
    model: str
    candidates: tuple[Candidate, ...]
    usage: Usage | None = None
    created: int | None = None
    extra: Extra | None = None
    echo: Extra | None = None


def says_nothing(reply: ChatReply) -> bool:
    """Did the answer end as if all were said, without a word, a thought, a call or a token of any kind?"""
    spent = reply.usage is not None and reply.usage.total_output > 0
    return not spent and all(map(is_hollow, reply.candidates))


def is_hollow(candidate: Candidate) -> bool:
    """Is there nothing in it, and no reason why?"""
    plain = candidate.finish is None or candidate.finish.reason is Reason.STOP
    return plain and not any(map(_holds, candidate.parts))


def _holds(part: Part) -> bool:
    match part:
        case Text():
            return bool(part.text)
        case Reasoning():
            return bool(part.text) or part.redacted or part.signature is not None
        case _:
            return True
