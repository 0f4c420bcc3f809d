"""Strategies for what a completion says whole: one text, and how to continue it."""

from hypothesis import strategies as st
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role, Sampling
from isthmus.core.content import Text
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from support.strategies import COUNTS, NAMES, WORDS, maybe, numbers, samplings, usages


def requests() -> st.SearchStrategy[ChatRequest]:
    return st.builds(
        ChatRequest,
        model=NAMES,
        messages=WORDS.map(lambda text: (Message(Role.USER, (Text(text),)),)),
        sampling=st.builds(_sampling, samplings(), maybe(st.integers(0, 5)), maybe(numbers(0, 2))),
        max_output=maybe(st.integers(1, 9999)),
        stream=st.booleans(),
        end_user=maybe(NAMES),
    )


def _sampling(sampling: Sampling, likely: int | None, temperature: float | None) -> Sampling:
    """The number of likely tokens is what asks for log probabilities."""
    asked = None if likely is None else True
    return replace(sampling, top_k=None, logprobs=asked, top_logprobs=likely, temperature=temperature)


def replies() -> st.SearchStrategy[ChatReply]:
    texts = st.just(()) | st.builds(lambda text: (Text(text),), WORDS)
    finish = st.sampled_from([Finish(Reason.STOP), Finish(Reason.LENGTH), Finish(Reason.FILTERED)])
    several = st.lists(st.builds(Candidate, texts, maybe(finish)), min_size=1, max_size=2).map(tuple)
    return st.builds(ChatReply, NAMES, NAMES, several, maybe(usages()), COUNTS)
