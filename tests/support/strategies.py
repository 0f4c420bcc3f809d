"""Strategies for core values.

`requests` and `replies` make any value that the core can hold. What is named after a dialect keeps to what that one
can say and to the normal form of docs/dialects/normal-form.md, so that writing and reading gives the same value.
"""

import base64
from collections.abc import Iterator, Sequence
from itertools import count

from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import (
    ChatRequest,
    Message,
    OutputFormat,
    OutputKind,
    ReasoningMode,
    ReasoningOptions,
    Role,
    Sampling,
    Tool,
    ToolChoice,
    ToolMode,
)
from isthmus.core.content import (
    CacheMark,
    Citation,
    FileRef,
    Inline,
    Media,
    MediaKind,
    Part,
    Reasoning,
    Refusal,
    Signature,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.wire import json

OPENAI, ANTHROPIC = "openai_chat", "anthropic"
LETTERS = st.characters(codec="utf-8", exclude_characters="\x00")
WORDS = st.text(LETTERS, min_size=1, max_size=12).map(lambda text: text.strip() or "word")
NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,16}", fullmatch=True)
COUNTS = st.integers(0, 9999)
OBJECTS = st.dictionaries(NAMES, st.none() | st.integers() | WORDS | st.lists(WORDS, max_size=2), max_size=3)
ARGUMENTS = OBJECTS.map(lambda fields: json.encode(fields).decode())
SCHEMAS = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(NAMES, st.just({"type": "string"}), max_size=2)}
).map(json.raw)
CLOSED = st.just(json.raw({"type": "object", "properties": {}, "additionalProperties": False}))
MARKS = st.builds(CacheMark, st.none() | st.sampled_from(["5m", "1h"]))
BASE64 = st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode())
LEVELS = st.sampled_from(["minimal", "low", "medium", "high", "xhigh", "max"])


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


def numbers(least: float, most: float) -> st.SearchStrategy[float]:
    return st.floats(least, most, allow_nan=False)


# ---------------------------------------------------------------- anything


def texts() -> st.SearchStrategy[Text]:
    return st.builds(Text, st.text(LETTERS, max_size=12), maybe(MARKS), citations())


def citations() -> st.SearchStrategy[tuple[Citation, ...]]:
    citation = st.builds(Citation, maybe(st.just("https://example.com/a")), maybe(WORDS), maybe(WORDS), maybe(COUNTS))
    return st.lists(citation, max_size=2).map(tuple)


def media() -> st.SearchStrategy[Media]:
    sources = st.one_of(
        st.builds(Inline, st.sampled_from(["image/png", "audio/wav", "application/pdf", "text/csv"]), BASE64),
        st.builds(Inline, st.just("text/plain"), WORDS, st.just(True)),
        st.builds(Url, st.just("https://example.com/a")),
        st.builds(FileRef, st.sampled_from([OPENAI, ANTHROPIC]), NAMES),
    )
    detail = st.sampled_from(["low", "high", "auto"])
    return st.builds(Media, st.sampled_from(MediaKind), sources, maybe(WORDS), maybe(detail), maybe(MARKS))


def signatures() -> st.SearchStrategy[Signature]:
    return st.builds(Signature, st.sampled_from(["anthropic", "google", "unknown"]), NAMES)


def thoughts() -> st.SearchStrategy[Reasoning]:
    clear = st.builds(Reasoning, WORDS, maybe(signatures()))
    return clear | st.builds(Reasoning, st.just(""), signatures(), st.just(True))


def calls() -> st.SearchStrategy[ToolCall]:
    arguments = ARGUMENTS | st.sampled_from(["", "{", "[]", "  "])
    return st.builds(ToolCall, st.text(LETTERS, min_size=1, max_size=60), NAMES, arguments, maybe(signatures()))


def foreign() -> st.SearchStrategy[Foreign]:
    dialects = st.sampled_from([OPENAI, ANTHROPIC])
    return st.builds(Foreign, dialects, OBJECTS.map(lambda fields: json.raw({"type": "novel", **fields})))


def results() -> st.SearchStrategy[ToolResult]:
    parts = st.lists(texts() | media(), max_size=2).map(tuple)
    return st.builds(ToolResult, NAMES, parts, maybe(st.booleans()), maybe(MARKS))


def messages() -> st.SearchStrategy[Message]:
    part = st.one_of(texts(), media(), thoughts(), calls(), results(), st.builds(Refusal, WORDS), foreign())
    return st.builds(Message, st.sampled_from(Role), st.lists(part, max_size=3).map(tuple), maybe(NAMES))


def tools() -> st.SearchStrategy[Tool]:
    schemas = maybe(SCHEMAS | st.sampled_from([Raw(b"{}"), Raw(b"true"), Raw(b'{"type":"string","minLength":3}')]))
    return st.builds(Tool, NAMES, maybe(WORDS), schemas, maybe(st.booleans()), maybe(MARKS))


def samplings() -> st.SearchStrategy[Sampling]:
    return st.builds(
        Sampling,
        temperature=maybe(numbers(0, 3)),
        top_p=maybe(numbers(0, 1)),
        top_k=maybe(st.integers(1, 99)),
        frequency_penalty=maybe(numbers(-2, 2)),
        presence_penalty=maybe(numbers(-2, 2)),
        seed=maybe(COUNTS),
        stop=maybe(st.lists(st.sampled_from(["END", " ", "\n", "7"]), max_size=3).map(tuple)),
        n=maybe(st.integers(1, 3)),
        logprobs=maybe(st.booleans()),
        top_logprobs=maybe(st.integers(0, 5)),
    )


def reasoning() -> st.SearchStrategy[ReasoningOptions]:
    return st.builds(
        ReasoningOptions,
        maybe(st.sampled_from(ReasoningMode)),
        maybe(LEVELS | st.sampled_from(["none", "novel"])),
        maybe(st.integers(0, 70_000)),
        maybe(st.sampled_from(["summarized", "omitted"])),
    )


def outputs() -> st.SearchStrategy[OutputFormat]:
    return st.one_of(
        st.sampled_from([OutputFormat(OutputKind.TEXT), OutputFormat(OutputKind.JSON)]),
        st.builds(OutputFormat, st.just(OutputKind.SCHEMA), maybe(NAMES), maybe(WORDS), maybe(SCHEMAS)),
    )


def choices() -> st.SearchStrategy[ToolChoice]:
    named = NAMES.map(lambda name: ToolChoice(ToolMode.NAMED, name))
    return named | st.sampled_from([ToolChoice(mode) for mode in ToolMode if mode is not ToolMode.NAMED])


def requests() -> st.SearchStrategy[ChatRequest]:
    """Any request that the core can hold, sensible or not."""
    return st.builds(
        ChatRequest,
        model=NAMES,
        messages=st.lists(messages(), min_size=1, max_size=5).map(tuple),
        tools=maybe(st.lists(tools() | foreign(), max_size=2).map(tuple)),
        tool_choice=maybe(choices()),
        parallel_tools=maybe(st.booleans()),
        sampling=samplings(),
        max_output=maybe(st.integers(1, 9999)),
        reasoning=maybe(reasoning()),
        output=maybe(outputs()),
        stream=st.booleans(),
        end_user=maybe(NAMES | st.just("ida@example.com")),
    )


def usages() -> st.SearchStrategy[Usage]:
    return st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)


def candidates() -> st.SearchStrategy[Candidate]:
    said = st.one_of(
        st.builds(Text, WORDS, citations=citations()),
        thoughts(),
        calls(),
        st.builds(Refusal, WORDS),
        media(),
        foreign(),
    )
    finish = st.builds(Finish, st.sampled_from(Reason))
    return st.builds(Candidate, st.lists(said, max_size=4).map(tuple), maybe(finish))


def replies() -> st.SearchStrategy[ChatReply]:
    """Any answer that the core can hold."""
    several = st.lists(candidates(), min_size=1, max_size=3).map(tuple)
    return st.builds(ChatReply, NAMES, NAMES, several, maybe(usages()), maybe(COUNTS))


# ---------------------------------------------------------------- what a dialect can say


def conversations(
    dialect: str, *, thinking: st.SearchStrategy[tuple[Part, ...]]
) -> st.SearchStrategy[tuple[Message, ...]]:
    """System text, then turns of the user and the assistant, in which every call is answered."""
    marks = maybe(MARKS) if dialect == ANTHROPIC else st.none()
    words = st.builds(Text, WORDS, marks)
    spoken = st.lists(words | _pictures(dialect, marks), min_size=1, max_size=2).map(tuple)
    system = st.lists(words, min_size=1, max_size=2).map(lambda parts: (Message(Role.SYSTEM, tuple(parts)),))
    return turns_of(system, thinking=thinking, words=words, spoken=spoken)


def turns_of(
    system: st.SearchStrategy[tuple[Message, ...]],
    *,
    thinking: st.SearchStrategy[tuple[Part, ...]],
    words: st.SearchStrategy[Text],
    spoken: st.SearchStrategy[tuple[Part, ...]],
) -> st.SearchStrategy[tuple[Message, ...]]:
    """`words` are what a tool answers, `spoken` what the user says."""
    pair = st.builds(_exchange, thinking, st.builds(Text, WORDS), st.lists(sound_calls(), max_size=2), words, spoken)
    turns = st.builds(
        lambda first, pairs: (Message(Role.USER, first), *(turn for pair in pairs for turn in pair)),
        spoken,
        st.lists(pair, max_size=2),
    )
    return st.builds(lambda before, after: (*before, *after), st.just(()) | system, turns).map(_with_own_ids)


def _exchange(
    thought: tuple[Part, ...], said: Text, called: Sequence[ToolCall], answer: Text, then: tuple[Part, ...]
) -> tuple[Message, Message]:
    answered = tuple(ToolResult(call.id, (Text(answer.text),)) for call in called)
    return Message(Role.ASSISTANT, (*thought, said, *called)), Message(Role.USER, (*answered, *then))


def _with_own_ids(turns: tuple[Message, ...]) -> tuple[Message, ...]:
    """Calls are numbered, so that no two have the same id."""
    numbered: list[Message] = []
    for place, turn in enumerate(turns):
        calling = place if turn.role is Role.ASSISTANT else place - 1
        ids = (f"call_{calling}_{number}" for number in count())
        numbered.append(replace(turn, parts=tuple(_with_id(part, ids) for part in turn.parts)))
    return tuple(numbered)


def _with_id(part: Part, ids: Iterator[str]) -> Part:
    match part:
        case ToolCall():
            return replace(part, id=next(ids))
        case ToolResult():
            return replace(part, call_id=next(ids))
    return part


def sound_calls() -> st.SearchStrategy[ToolCall]:
    return st.builds(ToolCall, NAMES, NAMES, ARGUMENTS)


def _pictures(dialect: str, marks: st.SearchStrategy) -> st.SearchStrategy[Media]:
    sources = st.builds(Inline, st.just("image/png"), BASE64) | st.builds(Url, st.just("https://example.com/a.png"))
    detail = maybe(st.sampled_from(["low", "high"])) if dialect == OPENAI else st.none()
    picture = st.builds(Media, st.just(MediaKind.IMAGE), sources, detail=detail, cache=marks)
    paper = st.builds(
        Media, st.just(MediaKind.DOCUMENT), st.builds(Inline, st.just("application/pdf"), BASE64), WORDS, cache=marks
    )
    return picture | paper


def _signed(vendors: Sequence[str]) -> st.SearchStrategy[Signature]:
    return st.builds(Signature, st.sampled_from(vendors), NAMES)


def _clear_or_sealed(signature: st.SearchStrategy[Signature], clear: st.SearchStrategy) -> st.SearchStrategy[Reasoning]:
    return st.builds(Reasoning, WORDS, clear) | st.builds(Reasoning, st.just(""), signature, st.just(True))


def _openai_thoughts() -> st.SearchStrategy[tuple[Part, ...]]:
    signature = _signed(["anthropic", "google"])
    return st.lists(_clear_or_sealed(signature, signature), max_size=2).map(tuple)


def _anthropic_thoughts() -> st.SearchStrategy[tuple[Part, ...]]:
    own = _signed(["anthropic"])
    return st.lists(_clear_or_sealed(own, own), max_size=2).map(tuple)


def openai_requests() -> st.SearchStrategy[ChatRequest]:
    tool = st.builds(Tool, NAMES, maybe(WORDS), maybe(SCHEMAS), maybe(st.booleans()))
    schema = st.builds(OutputFormat, st.just(OutputKind.SCHEMA), NAMES, maybe(WORDS), SCHEMAS, maybe(st.booleans()))
    plain = st.sampled_from([OutputFormat(OutputKind.TEXT), OutputFormat(OutputKind.JSON)])
    sampling = st.builds(
        lambda sampling, temperature, stop: replace(sampling, top_k=None, temperature=temperature, stop=stop),
        samplings(),
        maybe(numbers(0, 2)),
        maybe(st.lists(st.sampled_from(["END", "\n"]), min_size=1, max_size=2).map(tuple)),
    )
    return with_tools(
        st.builds(
            ChatRequest,
            model=NAMES,
            messages=conversations(OPENAI, thinking=_openai_thoughts()),
            sampling=sampling,
            max_output=maybe(st.integers(1, 9999)),
            reasoning=maybe(st.builds(ReasoningOptions, effort=LEVELS)),
            output=maybe(schema | plain),
            stream=st.booleans(),
            end_user=maybe(NAMES),
        ),
        tool,
    )


def anthropic_requests() -> st.SearchStrategy[ChatRequest]:
    """Without thinking asked for, whose rules beside other fields have tests of their own."""
    loose = st.builds(Tool, NAMES, maybe(WORDS), SCHEMAS, cache=maybe(MARKS))
    strict = st.builds(Tool, NAMES, maybe(WORDS), CLOSED, st.just(True))
    sampling = st.builds(
        Sampling,
        temperature=maybe(numbers(0, 1)),
        top_p=maybe(numbers(0, 1)),
        top_k=maybe(st.integers(1, 99)),
        stop=maybe(st.lists(st.sampled_from(["END", "7"]), min_size=1, max_size=2).map(tuple)),
    )
    return with_tools(
        st.builds(
            ChatRequest,
            model=NAMES,
            messages=conversations(ANTHROPIC, thinking=_anthropic_thoughts()),
            sampling=sampling,
            max_output=st.integers(1, 9999),
            reasoning=maybe(st.builds(ReasoningOptions, effort=st.sampled_from(["low", "medium", "high", "max"]))),
            output=maybe(CLOSED.map(lambda schema: OutputFormat(OutputKind.SCHEMA, schema=schema))),
            stream=st.booleans(),
            end_user=maybe(NAMES),
        ),
        loose | strict,
    )


def with_tools(asked: st.SearchStrategy[ChatRequest], tool: st.SearchStrategy[Tool]) -> st.SearchStrategy[ChatRequest]:
    """A choice, and whether several may be called at once, are said only beside tools and a choice."""

    def add(request: ChatRequest, named: Sequence[Tool], choice: ToolChoice | None, parallel: bool) -> ChatRequest:
        if not named:
            return request
        if choice is None or choice.mode is ToolMode.NONE:
            return replace(request, tools=tuple(named), tool_choice=choice)
        return replace(request, tools=tuple(named), tool_choice=choice, parallel_tools=parallel)

    return st.builds(add, asked, st.lists(tool, max_size=2), maybe(choices()), st.booleans())


def openai_replies() -> st.SearchStrategy[ChatReply]:
    citation = st.builds(Citation, st.just("https://example.com/a"), WORDS, start=st.just(0), end=st.just(3))
    said = st.builds(Text, WORDS, citations=st.lists(citation, max_size=2).map(tuple))
    parts = st.builds(
        lambda thought, text, called: (*thought, text, *called),
        _openai_thoughts() | st.builds(lambda text: (Reasoning(text),), WORDS),
        said,
        st.lists(sound_calls(), max_size=2).map(apart),
    )
    finish = st.sampled_from([Finish(Reason.LENGTH), Finish(Reason.FILTERED)])
    several = st.lists(st.builds(Candidate, parts, maybe(finish)), min_size=1, max_size=2).map(tuple)
    return st.builds(ChatReply, NAMES, NAMES, several, maybe(usages()), COUNTS)


def anthropic_replies() -> st.SearchStrategy[ChatReply]:
    citation = st.builds(Citation, st.just("https://example.com/a"), WORDS, WORDS)
    said = st.builds(Text, WORDS, citations=st.lists(citation, max_size=2).map(tuple))
    clear = maybe(signatures())
    part = st.one_of(said, _clear_or_sealed(signatures(), clear), sound_calls())
    parts = st.lists(part, min_size=1, max_size=4).map(apart)
    finish = st.sampled_from(
        [Finish(Reason.LENGTH), Finish(Reason.REFUSED), Finish(Reason.PAUSED), Finish(Reason.STOP_SEQUENCE, "END")]
    )
    one = st.builds(Candidate, parts, finish).map(lambda candidate: (candidate,))
    return st.builds(ChatReply, NAMES, NAMES, one, usages())


def apart(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Calls with ids of their own."""
    return tuple(
        replace(part, id=f"call_{place}") if isinstance(part, ToolCall) else part for place, part in enumerate(parts)
    )
