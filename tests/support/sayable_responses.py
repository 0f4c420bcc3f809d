"""Strategies for what OpenAI's Responses say whole: one candidate, no stop sequences, thoughts sealed or in clear."""

from hypothesis import strategies as st

from isthmus.core.chat import ChatRequest, OutputFormat, OutputKind, ReasoningOptions, Sampling, Tool
from isthmus.core.content import Citation, Part, Reasoning, Signature, Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from support.strategies import (
    COUNTS,
    LEVELS,
    NAMES,
    OPENAI,
    SCHEMAS,
    WORDS,
    apart,
    conversations,
    maybe,
    numbers,
    signatures,
    sound_calls,
    usages,
    with_tools,
)


def requests() -> st.SearchStrategy[ChatRequest]:
    """Functions are strict or not: this dialect takes silence for strict, so others' silence is written as not."""
    tool = st.builds(Tool, NAMES, maybe(WORDS), maybe(SCHEMAS), maybe(st.just(True)))
    schema = st.builds(OutputFormat, st.just(OutputKind.SCHEMA), NAMES, maybe(WORDS), SCHEMAS, maybe(st.booleans()))
    plain = st.sampled_from([OutputFormat(OutputKind.TEXT), OutputFormat(OutputKind.JSON)])
    sampling = st.builds(
        Sampling,
        temperature=maybe(numbers(0, 2)),
        top_p=maybe(numbers(0, 1)),
        logprobs=maybe(st.just(True)),
        top_logprobs=maybe(st.integers(0, 5)),
    )
    asked = st.builds(
        ChatRequest,
        model=NAMES,
        messages=conversations(OPENAI, thinking=_thoughts()),
        sampling=sampling,
        max_output=maybe(st.integers(16, 9999)),
        reasoning=maybe(st.builds(ReasoningOptions, effort=LEVELS, show=maybe(st.sampled_from(["auto", "detailed"])))),
        output=maybe(schema | plain),
        stream=st.booleans(),
        end_user=maybe(NAMES),
    )
    return with_tools(asked, tool)


def _thoughts() -> st.SearchStrategy[tuple[Part, ...]]:
    own = st.builds(Signature, st.just("openai"), NAMES)
    clear = st.builds(Reasoning, WORDS, maybe(own))
    return st.lists(clear | st.builds(Reasoning, st.just(""), own, st.just(True)), max_size=2).map(tuple)


def replies() -> st.SearchStrategy[ChatReply]:
    """Thoughts of any vendor: clients are given foreign signatures under a mark of ours."""
    citation = st.builds(Citation, st.just("https://example.com/a"), WORDS, start=st.just(0), end=st.just(3))
    said = st.builds(Text, WORDS, citations=st.lists(citation, max_size=2).map(tuple))
    clear = st.builds(Reasoning, WORDS, maybe(signatures()))
    thought = clear | st.builds(Reasoning, st.just(""), signatures(), st.just(True))
    parts = st.lists(st.one_of(said, thought, sound_calls()), min_size=1, max_size=4).map(apart)
    finish = st.sampled_from([Finish(Reason.LENGTH), Finish(Reason.FILTERED)])
    one = st.builds(Candidate, parts, finish).map(lambda candidate: (candidate,))
    return st.builds(ChatReply, NAMES, NAMES, one, maybe(usages()), COUNTS)
