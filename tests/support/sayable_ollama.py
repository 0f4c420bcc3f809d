"""Strategies for what Ollama says whole: images before one text, thinking in clear, one count in and one out."""

from hypothesis import strategies as st
from msgspec.structs import replace

from isthmus.core.chat import (
    ChatRequest,
    Message,
    OutputFormat,
    OutputKind,
    ReasoningMode,
    ReasoningOptions,
    Role,
    Tool,
)
from isthmus.core.content import Inline, Media, MediaKind, Part, Reasoning, Text, ToolCall
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from support.strategies import (
    BASE64,
    COUNTS,
    NAMES,
    SCHEMAS,
    WORDS,
    apart,
    maybe,
    samplings,
    sound_calls,
    turns_of,
)


def requests() -> st.SearchStrategy[ChatRequest]:
    tool = st.builds(Tool, NAMES, maybe(WORDS), SCHEMAS)
    return _requests(_conversations(), maybe(st.lists(tool, min_size=1, max_size=2).map(tuple)))


def prompts() -> st.SearchStrategy[ChatRequest]:
    """What generate says: one turn of the user's, behind the system's words."""
    told = st.builds(lambda before, said: (*before, Message(Role.USER, said)), st.just(()) | _system(), _spoken())
    return _requests(told, st.none())


def _requests(messages: st.SearchStrategy, tools: st.SearchStrategy) -> st.SearchStrategy[ChatRequest]:
    schema = st.builds(OutputFormat, st.just(OutputKind.SCHEMA), schema=SCHEMAS)
    mode = st.sampled_from([ReasoningMode.ON, ReasoningMode.OFF])
    effort = st.builds(ReasoningOptions, effort=st.sampled_from(["low", "medium", "high"]))
    return st.builds(
        ChatRequest,
        model=NAMES,
        messages=messages,
        tools=tools,
        sampling=samplings().map(lambda sampling: replace(sampling, n=None)),
        max_output=maybe(st.integers(1, 9999)),
        reasoning=maybe(effort | st.builds(ReasoningOptions, mode)),
        output=maybe(schema | st.just(OutputFormat(OutputKind.JSON))),
        stream=st.booleans(),
    )


def _conversations() -> st.SearchStrategy[tuple[Message, ...]]:
    return turns_of(_system(), thinking=_thoughts(), words=st.builds(Text, WORDS), spoken=_spoken())


def _system() -> st.SearchStrategy[tuple[Message, ...]]:
    return WORDS.map(lambda said: (Message(Role.SYSTEM, (Text(said),)),))


def _spoken() -> st.SearchStrategy[tuple[Part, ...]]:
    picture = st.builds(Media, st.just(MediaKind.IMAGE), st.builds(Inline, st.just("image/png"), BASE64))
    return st.builds(lambda shown, said: (*shown, said), st.lists(picture, max_size=2), st.builds(Text, WORDS))


def _thoughts() -> st.SearchStrategy[tuple[Part, ...]]:
    return st.just(()) | st.builds(lambda text: (Reasoning(text),), WORDS)


def replies() -> st.SearchStrategy[ChatReply]:
    texts = st.just(()) | st.builds(lambda text: (Text(text),), WORDS)
    calls = st.lists(sound_calls(), max_size=2).map(apart)
    parts = st.builds(lambda thought, said, called: (*thought, *said, *called), _thoughts(), texts, calls)
    usage = st.builds(Usage, fresh_input=COUNTS, output=COUNTS)
    told = st.builds(_candidate, parts, st.sampled_from([None, Reason.STOP, Reason.LENGTH]))
    one = told.map(lambda candidate: (candidate,))
    return st.builds(ChatReply, st.just(""), NAMES, one, maybe(usage), COUNTS)


def _candidate(parts: tuple[Part, ...], reason: Reason | None) -> Candidate:
    """One that calls tools never just stops."""
    called = any(isinstance(part, ToolCall) for part in parts)
    if reason is Reason.STOP and called:
        reason = Reason.TOOL_CALLS
    return Candidate(parts, None if reason is None else Finish(reason))
