"""Strategies for what Gemini says whole: system text in front, results in the order of their calls, no names."""

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
from isthmus.core.content import Citation, FileRef, Inline, Media, MediaKind, Part, Reasoning, Signature, Text, Url
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from support.strategies import (
    BASE64,
    COUNTS,
    LEVELS,
    NAMES,
    SCHEMAS,
    WORDS,
    apart,
    maybe,
    numbers,
    samplings,
    signatures,
    sound_calls,
    turns_of,
    with_tools,
)

TEXTS = st.builds(Text, WORDS)


def requests() -> st.SearchStrategy[ChatRequest]:
    tool = st.builds(Tool, NAMES, maybe(WORDS), maybe(SCHEMAS))
    sampling = st.builds(
        lambda sampling, temperature, stop: replace(sampling, temperature=temperature, stop=stop),
        samplings(),
        maybe(numbers(0, 2)),
        maybe(st.lists(st.sampled_from(["END", "\n"]), min_size=1, max_size=3).map(tuple)),
    )
    plain = st.sampled_from([OutputFormat(OutputKind.TEXT), OutputFormat(OutputKind.JSON)])
    schema = SCHEMAS.map(lambda told: OutputFormat(OutputKind.SCHEMA, schema=told))
    asked = st.builds(
        ChatRequest,
        model=NAMES,
        messages=turns_of(_system(), thinking=_thoughts(), words=TEXTS, spoken=_spoken()),
        sampling=sampling,
        max_output=maybe(st.integers(1, 9999)),
        reasoning=maybe(_reasoning()),
        output=maybe(plain | schema),
        stream=st.booleans(),
    )
    return with_tools(asked, tool).map(lambda request: replace(request, parallel_tools=None))


def _system() -> st.SearchStrategy[tuple[Message, ...]]:
    said = st.lists(TEXTS, min_size=1, max_size=2).map(tuple)
    return said.map(lambda parts: (Message(Role.SYSTEM, parts),))


def _spoken() -> st.SearchStrategy[tuple[Part, ...]]:
    inline = st.builds(Inline, st.just("image/png"), BASE64)
    uploaded = FileRef("gemini", "https://generativelanguage.googleapis.com/v1beta/files/a1b2")
    picture = st.builds(Media, st.just(MediaKind.IMAGE), inline | st.just(Url("https://example.com/a.png")))
    paper = st.builds(Media, st.just(MediaKind.DOCUMENT), st.builds(Inline, st.just("application/pdf"), BASE64))
    film = st.builds(Media, st.just(MediaKind.VIDEO), st.just(uploaded))
    sound = st.builds(Media, st.just(MediaKind.AUDIO), st.builds(Inline, st.just("audio/wav"), BASE64))
    return st.lists(TEXTS | picture | paper | film | sound, min_size=1, max_size=3).map(tuple)


def _thoughts() -> st.SearchStrategy[tuple[Part, ...]]:
    own = st.builds(Signature, st.just("google"), NAMES)
    return st.lists(st.builds(Reasoning, WORDS, maybe(own)), max_size=2).map(tuple)


def _reasoning() -> st.SearchStrategy[ReasoningOptions]:
    """A budget or a level, shown or not; the model's own choice; none at all."""
    budget = st.builds(ReasoningOptions, st.sampled_from([None, ReasoningMode.ON]), budget=st.integers(1, 70_000))
    level = st.builds(ReasoningOptions, st.sampled_from([None, ReasoningMode.ADAPTIVE]), LEVELS)
    free = st.sampled_from(
        [
            ReasoningOptions(ReasoningMode.ADAPTIVE),
            ReasoningOptions(ReasoningMode.ADAPTIVE, show="omitted"),
            ReasoningOptions(ReasoningMode.OFF),
            ReasoningOptions(show="summarized"),
            ReasoningOptions(show="omitted"),
        ]
    )
    return budget | level | free


def replies() -> st.SearchStrategy[ChatReply]:
    """A thought without a proof goes on until something else comes, so that it stands last of the thoughts.

    Sources are told at the end, and belong to the text that is then still open: there is no call behind it.
    """
    citation = st.builds(Citation, st.just("https://example.com/a"), WORDS, maybe(WORDS), st.just(0), st.just(1))
    cited = st.builds(Text, WORDS, citations=st.lists(citation, min_size=1, max_size=2).map(tuple))
    others = st.builds(Signature, st.sampled_from(["anthropic", "unknown"]), NAMES)
    sealed = st.builds(Reasoning, st.just(""), others, st.just(True))
    proven = st.lists(st.builds(Reasoning, WORDS, signatures()) | sealed, max_size=2)
    unproven = st.lists(st.builds(Reasoning, WORDS), max_size=1)
    seal = st.builds(Reasoning, st.just(""), st.builds(Signature, st.just("google"), NAMES), st.just(True))
    spoken = st.builds(lambda text: (text,), cited) | st.builds(
        lambda text, called: (text, *called), TEXTS, st.lists(sound_calls(), max_size=2).map(apart)
    )
    parts = st.builds(
        lambda thoughts, last, said, proof: (*thoughts, *last, said[0], *proof, *said[1:]),
        proven,
        unproven,
        spoken,
        st.lists(seal, max_size=1),
    )
    finish = st.sampled_from([Finish(Reason.LENGTH), Finish(Reason.FILTERED), Finish(Reason.OTHER)])
    several = st.lists(st.builds(Candidate, parts, finish), min_size=1, max_size=2).map(tuple)
    usage = st.builds(Usage, COUNTS, COUNTS, output=COUNTS, reasoning=COUNTS)
    return st.builds(ChatReply, NAMES, NAMES, several, maybe(usage), COUNTS)
