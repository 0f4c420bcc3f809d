"""A streamed answer, as events. `grammar.py` says which may follow which; `fold.py` turns them into a ChatReply.

Every block has an index of its own, unique in the stream. A reader for a dialect
without explicit block boundaries invents them; a writer for a dialect without them
drops them.
"""

from enum import StrEnum
from typing import TypeAlias

from msgspec import Raw

from isthmus.core.content import Citation, Media, Signature
from isthmus.core.errors import GatewayError
from isthmus.core.reply import Finish
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign, Value


class BlockKind(StrEnum):
    TEXT = "text"
    REASONING = "reasoning"
    TOOL_CALL = "tool_call"
    REFUSAL = "refusal"


class _Event(Value, frozen=True, gc=False):
    """Events are many and short-lived, and never part of a cycle."""


class MessageStart(_Event, frozen=True):
    """`usage` is what the provider knows of the input before it answers."""

    id: str
    model: str
    created: int | None = None
    usage: Usage | None = None
    extra: Extra | None = None


class BlockStart(_Event, frozen=True):
    """`call_id` and `name` belong to a TOOL_CALL; `redacted` to a REASONING block that will only carry a signature.

    `extra` is that of the part which the block becomes; a REFUSAL has none.
    """

    index: int
    kind: BlockKind
    call_id: str = ""
    name: str = ""
    redacted: bool = False
    candidate: int = 0
    extra: Extra | None = None


class TextDelta(_Event, frozen=True):
    """More text of a TEXT or REFUSAL block."""

    index: int
    text: str


class ReasoningDelta(_Event, frozen=True):
    index: int
    text: str


class ArgumentsDelta(_Event, frozen=True):
    """A piece of the arguments' JSON text; it may be cut anywhere."""

    index: int
    json: str


class SignatureDelta(_Event, frozen=True):
    """The whole signature of a REASONING or TOOL_CALL block."""

    index: int
    signature: Signature


class CitationDelta(_Event, frozen=True):
    index: int
    citation: Citation


class BlockStop(_Event, frozen=True):
    index: int


class WholePart(_Event, frozen=True):
    """A part that arrives at once: media, or an item only its own dialect understands."""

    part: Media | Foreign
    candidate: int = 0


class LogprobsDelta(_Event, frozen=True):
    """Log probabilities of tokens just sent, in the dialect that told them."""

    logprobs: Foreign
    candidate: int = 0


class UsageReport(_Event, frozen=True):
    """The whole picture so far; the last one wins."""

    usage: Usage


class MessageStop(_Event, frozen=True):
    """One candidate is complete. `finish` is None when the provider never said why; `extra` is the candidate's."""

    finish: Finish | None
    candidate: int = 0
    extra: Extra | None = None


class StreamError(_Event, frozen=True):
    """The answer broke off. Nothing follows."""

    error: GatewayError


class ForeignEvent(_Event, frozen=True):
    """An event no core word exists for. `body` is its JSON."""

    dialect: str
    body: Raw


Event: TypeAlias = (
    MessageStart
    | BlockStart
    | TextDelta
    | ReasoningDelta
    | ArgumentsDelta
    | SignatureDelta
    | CitationDelta
    | BlockStop
    | WholePart
    | LogprobsDelta
    | UsageReport
    | MessageStop
    | StreamError
    | ForeignEvent
)
