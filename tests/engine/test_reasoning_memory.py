"""Reasoning that a client cannot carry is kept here and put back, for the one model it belongs to."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from fakes.clock import FakeClock
from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Part, Reasoning, Signature, Text, ToolCall, ToolResult
from isthmus.core.fold import unfold
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.secret import Secret
from isthmus.engine.reasoning_memory import MOST, Gatherer, recall, remember, scope_of
from isthmus.state.memory import BoundedMemory
from support.line import provider

PROOF = Signature("anthropic", "c2lnbmVk")
THOUGHT = Reasoning("Oslo is north.", PROOF)
HIDDEN = Reasoning("", Signature("anthropic", "cmVkYWN0ZWQ="), redacted=True)
CALL = ToolCall("call_a", "weather", '{"city": "Oslo", "unit": "C"}')
SIGNED = replace(CALL, signature=Signature("google", "dGhvdWdodA=="))
ONE = provider("one")
SCOPE = "this model under this key"


def memory() -> BoundedMemory:
    return BoundedMemory(FakeClock().now)


def asked(*parts: Part) -> ChatRequest:
    """A conversation whose assistant turn is these parts."""
    hello, answer = Message(Role.USER, (Text("Hi"),)), Message(Role.USER, (ToolResult("call_a", (Text("cold"),)),))
    return ChatRequest(model="m", messages=(hello, Message(Role.ASSISTANT, parts), answer))


async def after(parts: tuple[Part, ...], *came_back: Part, scope: str = SCOPE) -> tuple[tuple[Part, ...], list[str]]:
    """The assistant turn as a provider gets it, when `parts` were the answer and this is what the client kept of it."""
    kept, losses = memory(), Losses()
    await remember(parts, SCOPE, kept)
    request = await recall(asked(*came_back), scope, kept, losses)
    return request.messages[1].parts, [loss.path for loss in losses.found]


async def test_thoughts_come_back_before_the_call_they_led_to() -> None:
    assert await after((THOUGHT, HIDDEN, CALL), CALL) == ((THOUGHT, HIDDEN, CALL), [])


async def test_nothing_is_asked_for_where_no_reasoning_was_ever_kept() -> None:
    class Shut(BoundedMemory):
        async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
            raise AssertionError(keys)

    shut, request = Shut(FakeClock().now), asked(CALL)
    await shut.put(("media:1",), b"a picture")
    assert await recall(request, SCOPE, shut, Losses()) is request


async def test_the_signature_of_a_call_comes_back_on_it() -> None:
    assert await after((Text("Let me see."), SIGNED), Text("Let me see."), CALL) == ((Text("Let me see."), SIGNED), [])


async def test_raw_reasoning_without_a_signature_comes_back_too() -> None:
    raw = Reasoning("so it must be cold")
    assert await after((raw, CALL), CALL) == ((raw, CALL), [])


async def test_a_turn_of_words_alone_is_known_by_its_words() -> None:
    assert await after((THOUGHT, Text("It is cold.")), Text("It is cold. ")) == ((THOUGHT, Text("It is cold. ")), [])


async def test_a_call_whose_id_was_spelt_anew_is_known_by_what_it_says() -> None:
    anew = ToolCall("toolu_other", "weather", '{"unit":"C","city":"Oslo"}')
    assert await after((THOUGHT, CALL), anew) == ((THOUGHT, anew), [])


async def test_a_client_that_kept_the_thoughts_is_believed() -> None:
    own = Reasoning("Oslo is north.", Signature("anthropic", "b3du"))
    assert await after((THOUGHT, CALL), own, CALL) == ((own, CALL), [])


async def test_a_turn_that_was_never_an_answer_here_is_left_alone() -> None:
    other = ToolCall("call_z", "weather", "{}")
    assert await after((THOUGHT, CALL), other) == ((other,), [])


async def test_nobody_else_is_shown_a_thought_and_that_is_told() -> None:
    assert await after((THOUGHT, CALL), CALL, scope="another key") == ((CALL,), ["messages[1].reasoning"])


async def test_an_answer_without_reasoning_is_not_kept() -> None:
    kept = memory()
    await remember((Text("Hello"), CALL), SCOPE, kept)
    assert kept.size == 0


def test_a_scope_is_one_model_of_one_provider_under_one_key() -> None:
    one = provider("one")
    scopes = {
        scope_of(one, "m"),
        scope_of(one, "n"),
        scope_of(provider("two"), "m"),
        scope_of(replace(one, secret=Secret("sk-another-0123456789")), "m"),
    }
    assert len(scopes) == 4
    assert scope_of(provider("one"), "m") in scopes


async def test_a_streamed_answer_is_kept_as_the_same_answer_whole() -> None:
    parts = (THOUGHT, Text("Let me see."), SIGNED)
    reply = ChatReply("1", "m", (Candidate(parts, Finish(Reason.TOOL_CALLS)),))
    kept = memory()
    gatherer = Gatherer(kept, ONE, "m")
    for event in unfold(reply):
        gatherer.take(event)
    await gatherer.keep()
    request = await recall(asked(Text("Let me see."), CALL), scope_of(ONE, "m"), kept, Losses())
    assert request.messages[1].parts == parts


async def test_reasoning_without_end_is_let_go() -> None:
    kept = memory()
    gatherer = Gatherer(kept, ONE, "m")
    reply = ChatReply("1", "m", (Candidate((Reasoning("x" * (MOST + 1)), CALL), Finish(Reason.STOP)),))
    for event in unfold(reply):
        gatherer.take(event)
    await gatherer.keep()
    assert kept.size == 0


async def test_the_same_words_again_leave_the_first_turns_thought_as_it_went() -> None:
    """Else the conversation would no longer begin with the bytes that the provider has cached."""
    kept, said = memory(), Text("Done.")
    await remember((THOUGHT, said), SCOPE, kept)
    await remember((replace(THOUGHT, text="Another."), said), SCOPE, kept)
    told = await recall(asked(said), SCOPE, kept, Losses())
    assert told.messages[1].parts == (THOUGHT, said)


async def test_what_another_model_thought_gives_way_to_ones_own() -> None:
    kept, said = memory(), Text("Done.")
    await remember((HIDDEN, said), "another model", kept)
    await remember((THOUGHT, said), SCOPE, kept)
    told = await recall(asked(said), SCOPE, kept, Losses())
    assert told.messages[1].parts == (THOUGHT, said)


async def test_a_very_long_conversation_loses_its_oldest_thoughts_a_hundred_at_a_time() -> None:
    """One at each turn would change its first bytes at each turn."""
    kept = memory()
    said = [Text(f"answer {number}") for number in range(301)]
    for text in said:
        await remember((THOUGHT, text), SCOPE, kept)

    async def without_thought(turns: int) -> int:
        told = [Message(Role.ASSISTANT, (text,)) for text in said[:turns]]
        back = await recall(ChatRequest(model="m", messages=tuple(told)), SCOPE, kept, Losses())
        return sum(len(turn.parts) == 1 for turn in back.messages)

    assert [await without_thought(turns) for turns in (200, 201, 300, 301)] == [0, 100, 100, 200]
