"""Strategies for what Converse says whole: signed thoughts, pictures by data, tools wherever there are calls."""

from collections.abc import Sequence

from hypothesis import strategies as st

from isthmus.core.chat import (
    ChatRequest,
    OutputFormat,
    OutputKind,
    ReasoningOptions,
    Role,
    Sampling,
    Tool,
    ToolChoice,
    ToolMode,
)
from isthmus.core.chat import Message as Turn
from isthmus.core.content import Citation, Inline, Media, MediaKind, Part, Reasoning, Signature, Text, ToolCall
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from support.strategies import (
    BASE64,
    CLOSED,
    COUNTS,
    MARKS,
    NAMES,
    SCHEMAS,
    WORDS,
    apart,
    maybe,
    numbers,
    sound_calls,
    turns_of,
)

PROOFS = st.from_regex(r"E[a-zA-Z0-9+/]{0,12}", fullmatch=True).map(lambda value: Signature("anthropic", value))


def requests() -> st.SearchStrategy[ChatRequest]:
    loose = st.builds(Tool, NAMES, maybe(WORDS), SCHEMAS, cache=maybe(MARKS))
    strict = st.builds(Tool, NAMES, maybe(WORDS), CLOSED, st.just(True))
    named = NAMES.map(lambda name: ToolChoice(ToolMode.NAMED, name))
    sampling = st.builds(
        Sampling,
        temperature=maybe(numbers(0, 1)),
        top_p=maybe(numbers(0, 1)),
        top_k=maybe(st.integers(1, 99)),
        stop=maybe(st.lists(st.sampled_from(["END", "\n"]), min_size=1, max_size=2).map(tuple)),
    )
    return st.builds(
        ChatRequest,
        model=st.just(""),
        messages=_conversations(),
        tools=st.lists(loose | strict, min_size=1, max_size=2).map(tuple),
        tool_choice=maybe(named | st.sampled_from([ToolChoice(ToolMode.AUTO), ToolChoice(ToolMode.REQUIRED)])),
        parallel_tools=st.sampled_from([None, False]),
        sampling=sampling,
        max_output=maybe(st.integers(1, 9999)),
        reasoning=maybe(st.builds(ReasoningOptions, effort=st.sampled_from(["low", "medium", "high", "max"]))),
        output=maybe(st.builds(OutputFormat, st.just(OutputKind.SCHEMA), maybe(NAMES), maybe(WORDS), CLOSED)),
        end_user=maybe(NAMES),
    )


def _conversations() -> st.SearchStrategy[tuple[Turn, ...]]:
    words = st.builds(Text, WORDS, maybe(MARKS))
    picture = st.builds(
        Media, st.just(MediaKind.IMAGE), st.builds(Inline, st.just("image/png"), BASE64), cache=maybe(MARKS)
    )
    spoken = st.lists(words | picture, min_size=1, max_size=2).map(tuple)
    system = st.lists(words, min_size=1, max_size=2).map(lambda parts: (Turn(Role.SYSTEM, tuple(parts)),))
    thoughts = st.lists(_clear(PROOFS) | _sealed(), max_size=2).map(tuple)
    return turns_of(system, thinking=thoughts, words=words, spoken=spoken)


def _clear(signature: st.SearchStrategy[Signature | None]) -> st.SearchStrategy[Reasoning]:
    return st.builds(Reasoning, WORDS, signature)


def _sealed() -> st.SearchStrategy[Reasoning]:
    return st.builds(Reasoning, st.just(""), PROOFS, st.just(True))


def replies() -> st.SearchStrategy[ChatReply]:
    citation = st.builds(Citation, st.just("https://example.com/a"), maybe(WORDS), maybe(WORDS))
    said = st.builds(Text, WORDS, citations=st.lists(citation, max_size=2).map(tuple))
    part = st.one_of(said, _clear(maybe(PROOFS)), _sealed(), sound_calls())
    parts = st.lists(part, min_size=1, max_size=4).map(apart)
    finish = st.sampled_from([None, *map(Finish, (Reason.LENGTH, Reason.FILTERED, Reason.CONTEXT_FULL))])
    one = st.builds(_candidate, parts, finish | st.just(Finish(Reason.STOP_SEQUENCE, "END"))).map(lambda one: (one,))
    usage = st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS)
    return st.builds(ChatReply, st.just(""), st.just(""), one, maybe(usage))


def _candidate(parts: Sequence[Part], finish: Finish | None) -> Candidate:
    """One that does not say why it stopped is told to have stopped, or to have called tools."""
    called = any(isinstance(part, ToolCall) for part in parts)
    return Candidate(tuple(parts), finish or Finish(Reason.TOOL_CALLS if called else Reason.STOP))
