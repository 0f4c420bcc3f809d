"""Which event may follow which. Readers must obey it; writers may rely on it."""

from collections.abc import Mapping
from enum import Enum, auto

from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    BlockStop,
    CitationDelta,
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


class State(Enum):
    OUTSIDE = auto()
    IDLE = auto()
    IN_BLOCK = auto()
    ENDING = auto()
    OVER = auto()


GRAMMAR: Mapping[State, Mapping[type, State]] = {
    State.OUTSIDE: {MessageStart: State.IDLE, StreamError: State.OVER, ForeignEvent: State.OUTSIDE},
    State.IDLE: {
        BlockStart: State.IN_BLOCK,
        WholePart: State.IDLE,
        LogprobsDelta: State.IDLE,
        UsageReport: State.IDLE,
        ForeignEvent: State.IDLE,
        MessageStop: State.ENDING,
        StreamError: State.OVER,
    },
    State.IN_BLOCK: {
        TextDelta: State.IN_BLOCK,
        ReasoningDelta: State.IN_BLOCK,
        ArgumentsDelta: State.IN_BLOCK,
        SignatureDelta: State.IN_BLOCK,
        CitationDelta: State.IN_BLOCK,
        LogprobsDelta: State.IN_BLOCK,
        WholePart: State.IN_BLOCK,
        UsageReport: State.IN_BLOCK,
        ForeignEvent: State.IN_BLOCK,
        BlockStart: State.IN_BLOCK,
        BlockStop: State.IDLE,
        MessageStop: State.IN_BLOCK,
        StreamError: State.OVER,
    },
    State.ENDING: {
        UsageReport: State.ENDING,
        ForeignEvent: State.ENDING,
        LogprobsDelta: State.ENDING,
        BlockStart: State.IN_BLOCK,
        WholePart: State.ENDING,
        MessageStop: State.ENDING,
        StreamError: State.OVER,
    },
    State.OVER: {},
}

DELTAS: Mapping[type, frozenset[BlockKind]] = {
    TextDelta: frozenset({BlockKind.TEXT, BlockKind.REFUSAL}),
    CitationDelta: frozenset({BlockKind.TEXT}),
    ReasoningDelta: frozenset({BlockKind.REASONING}),
    SignatureDelta: frozenset({BlockKind.REASONING, BlockKind.TOOL_CALL}),
    ArgumentsDelta: frozenset({BlockKind.TOOL_CALL}),
}


class GrammarError(Exception):
    """A reader broke the grammar. Always a bug of ours, never of the provider."""


class Checker:
    """Follows one stream. With several candidates their blocks may interleave and one may stop before another.

    A candidate's own blocks are closed before its MessageStop, and no block opens for it after.
    """

    def __init__(self) -> None:
        self.state = State.OUTSIDE
        self._open: dict[int, BlockStart] = {}
        self._used: set[int] = set()
        self._stopped: set[int] = set()

    def check(self, event: Event) -> None:
        """Accept `event` or raise GrammarError."""
        following = GRAMMAR[self.state].get(type(event))
        if following is None:
            raise GrammarError(f"{type(event).__name__} in state {self.state.name}")
        if isinstance(event, BlockStart):
            self._open_block(event)
        elif isinstance(event, BlockStop):
            self._opened(event.index)
            del self._open[event.index]
        elif isinstance(event, MessageStop):
            self._stop(event.candidate)
        elif (kinds := DELTAS.get(type(event))) is not None:
            block = self._opened(event.index)  # type: ignore[union-attr] # every type in DELTAS has an index
            if block.kind not in kinds:
                raise GrammarError(f"{type(event).__name__} in a {block.kind} block")
        self.state = self._settle(following)

    def end(self) -> None:
        """The stream is over: it must have ended with a MessageStop or a StreamError."""
        if self.state not in (State.ENDING, State.OVER):
            raise GrammarError(f"the stream ends in state {self.state.name}")

    def _open_block(self, event: BlockStart) -> None:
        if event.index in self._used:
            raise GrammarError(f"block {event.index} is opened twice")
        if event.candidate in self._stopped:
            raise GrammarError(f"candidate {event.candidate} has stopped and opens block {event.index}")
        self._used.add(event.index)
        self._open[event.index] = event

    def _opened(self, index: int) -> BlockStart:
        if index not in self._open:
            raise GrammarError(f"block {index} is not open")
        return self._open[index]

    def _stop(self, candidate: int) -> None:
        if candidate in self._stopped:
            raise GrammarError(f"candidate {candidate} stops twice")
        if any(block.candidate == candidate for block in self._open.values()):
            raise GrammarError(f"candidate {candidate} stops with a block open")
        self._stopped.add(candidate)

    def _settle(self, following: State) -> State:
        if following is State.OVER:
            return following
        if self._open:
            return State.IN_BLOCK
        if following in (State.IDLE, State.IN_BLOCK) and self._stopped:
            return State.ENDING
        return State.IDLE if following is State.IN_BLOCK else following
