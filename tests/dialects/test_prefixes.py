"""A provider's cache holds what begins with the same bytes, so a longer conversation begins as the shorter one did.

Whatever dialect the client speaks: what one writer makes of another's conversations is held to it too, and so is a
conversation whose thoughts are kept here and put back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from fakes.clock import FakeClock
from isthmus.core.chat import ChatRequest, Message, ReasoningMode, ReasoningOptions, Role
from isthmus.core.content import Part, Reasoning, Signature, Text, ToolCall, ToolResult
from isthmus.core.errors import GatewayError
from isthmus.core.losses import Losses
from isthmus.engine.reasoning_memory import recall, remember
from isthmus.state.memory import BoundedMemory
from isthmus.wire import json
from support.sayable import sayable_requests
from support.specimens import ABLE, DIALECTS, codec_of, specimens

DIALECT = pytest.mark.parametrize("dialect", DIALECTS)
TALKING = [one for one in DIALECTS if one not in ("openai_completions", "ollama_generate")]
"""Dialects that hold a conversation; the others are told one as a transcript."""
ANTHROPICS = ("anthropic", "bedrock")
"""Dialects of models that take only thoughts which Anthropic signed."""
LISTS: Mapping[str, str] = {
    "gemini": "contents",
    "openai_responses": "input",
    "openai_completions": "prompt",
    "ollama_generate": "prompt",
}
"""What holds the turns, where not `messages`."""


def spoken(request: ChatRequest) -> ChatRequest:
    """With words in every turn of the user's.

    A turn of which a dialect can say nothing may leave the system's words alone, and they are then told as the user's.
    """
    turns = [
        replace(turn, parts=(*turn.parts, Text("Go on."))) if turn.role is Role.USER else turn
        for turn in request.messages
    ]
    return replace(request, messages=tuple(turns))


CONVERSATIONS = st.one_of([sayable_requests(one) for one in TALKING]).map(spoken)
"""Of any client that holds one."""


def growing(request: ChatRequest, dialect: str) -> Sequence[ChatRequest]:
    """The request whenever it was the model's turn, as a client sends one after another.

    A transcript begins when somebody has answered: before, the user's words stand alone.
    """
    turns = request.messages
    ends = [place for place, turn in enumerate(turns) if place and turn.role is Role.ASSISTANT] + [len(turns)]
    told = [replace(request, messages=turns[:end]) for end in ends]
    return told if dialect in TALKING else told[1:]


def written(dialect: str, requests: Sequence[ChatRequest]) -> Iterator[bytes]:
    """The bodies that a provider gets. A request of which the dialect can say nothing is refused here."""
    for request in requests:
        with suppress(GatewayError):
            asked = replace(request, max_output=request.max_output or 7)
            yield codec_of(dialect).write_request(asked, ABLE[dialect], Losses())


def assert_each_begins_as_the_one_before(dialect: str, bodies: Iterable[bytes]) -> None:
    for shorter, longer in pairwise(bodies):
        assert longer.startswith(cached(dialect, shorter))


def cached(dialect: str, body: bytes) -> bytes:
    """The body up to the end of its turns: what a longer conversation must begin with."""
    name = LISTS.get(dialect, "messages")
    turns = bytes(json.read_fields(body)[name])
    head, mark, _ = body.partition(b'"%b":%b' % (name.encode(), turns))
    assert mark
    told = mark[:-1]
    return head + (told.removesuffix(b"Assistant:") if name == "prompt" else told)


@given(request=CONVERSATIONS)
def test_another_turn_changes_no_byte_of_those_before_it(request: ChatRequest) -> None:
    """No reasoning is asked for: Anthropic refuses it while calls are answered whose thoughts the client left out."""
    asked = replace(request, reasoning=None)
    for dialect in DIALECTS:
        assert_each_begins_as_the_one_before(dialect, written(dialect, growing(asked, dialect)))


@DIALECT
def test_no_specimen_changes_as_it_grows(dialect: str) -> None:
    for specimen in specimens():
        assert_each_begins_as_the_one_before(dialect, written(dialect, growing(specimen.request, dialect)))


ASKED = Message(Role.USER, (Text("What time is it?"),))
CALLED = (
    Message(Role.ASSISTANT, (Text("I look."), ToolCall("call_1", "clock", "{}"))),
    Message(Role.USER, (ToolResult("call_1", (Text("noon"),)), Text("Go on."))),
)
THINKING = ReasoningOptions(ReasoningMode.ON)


@given(request=CONVERSATIONS, vendor=st.sampled_from(["anthropic", "google", "openai", ""]))
@example(request=ChatRequest(model="m", messages=(ASKED, *CALLED), reasoning=THINKING), vendor="google")
async def test_thoughts_that_are_put_back_change_no_byte_before_them(request: ChatRequest, vendor: str) -> None:
    """The client's dialect carries none: every answer is remembered, and every request is given them again.

    Anthropic takes only those that it signed, so no reasoning is asked of it beside others.
    """
    recalled = await held(without_thoughts(request), Signature(vendor, "c2lnbmVk") if vendor else None)
    unasked = [replace(one, reasoning=None) for one in recalled]
    for dialect in TALKING:
        told = unasked if dialect in ANTHROPICS and vendor != "anthropic" else recalled
        assert_each_begins_as_the_one_before(dialect, written(dialect, told))


async def held(whole: ChatRequest, proof: Signature | None) -> Sequence[ChatRequest]:
    """The requests of a conversation, as a provider gets them whose every answer began with a thought."""
    memory, recalled = BoundedMemory(FakeClock().now), []
    for sent in growing(whole, "anthropic"):
        recalled.append(await recall(sent, "one scope", memory, Losses()))
        answer = (Reasoning(f"thought {len(recalled)}", proof), *answer_to(sent, whole))
        await remember(answer, "one scope", memory)
    return recalled


def without_thoughts(request: ChatRequest) -> ChatRequest:
    """As a client keeps it whose dialect has none."""
    turns = (replace(turn, parts=tuple(map(unsigned, spoken_parts(turn)))) for turn in request.messages)
    return replace(request, messages=tuple(turns))


def spoken_parts(turn: Message) -> Sequence[Part]:
    return [part for part in turn.parts if not isinstance(part, Reasoning)]


def unsigned(part: Part) -> Part:
    return replace(part, signature=None) if isinstance(part, ToolCall) else part


def answer_to(request: ChatRequest, whole: ChatRequest) -> Sequence[Part]:
    """The assistant's turn that follows."""
    following = whole.messages[len(request.messages) :]
    return following[0].parts if following else (Text("The end."),)
