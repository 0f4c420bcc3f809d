"""One finished answer: the stream of events, folded."""

from enum import StrEnum

from isthmus.core.content import Part
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
