"""What a model thought, kept here for clients whose dialect cannot carry it, and put back when they return.

Providers refuse, or answer worse, when a conversation comes back without the signatures, encrypted
items or raw reasoning that they gave. An answer's reasoning is kept under the ids of its tool calls
and a digest of what it said, tagged with who may see it: one model of one provider under one
credential. It is never sent to another.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Part, Reasoning, Signature, Text, ToolCall
from isthmus.core.events import (
    ArgumentsDelta,
    BlockKind,
    BlockStart,
    Event,
    ReasoningDelta,
    SignatureDelta,
    TextDelta,
)
from isthmus.core.losses import Losses
from isthmus.core.reply import ChatReply
from isthmus.core.value import Value
from isthmus.providers.provider import Provider
from isthmus.wire import json

if TYPE_CHECKING:
    from isthmus.engine.ports import Memory

MOST = 1024 * 1024
"""Bytes of one answer's reasoning; a longer one is not kept."""
LOOKED_BACK = 200
"""Turns of a conversation that reasoning is looked up for at most, the latest ones."""
STEP = 100
"""Turns that are left out at once when a conversation grows beyond that: a provider's cache is then missed once in so
many turns, and not at every one."""


class Thought(Value, frozen=True):
    """One thought. `vendor` and `proof` are its signature's; "" where it has none."""

    text: str
    vendor: str = ""
    proof: str = ""
    redacted: bool = False


class Kept(Value, frozen=True):
    """The reasoning of one answer, and the signatures of its tool calls by their position."""

    scope: str
    thoughts: tuple[Thought, ...]
    calls: Mapping[int, tuple[str, str]] = {}


_SAID = "said"
"""The sort of key that every answer of which reasoning is kept has."""
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Kept).decode


def scope_of(provider: Provider, model: str) -> str:
    """Who may see a thought again: this model, of this provider, under this credential."""
    secret = provider.secret.reveal() if provider.secret is not None else ""
    digest = hashlib.sha256(f"{provider.name}\0{model}\0{secret}".encode()).hexdigest()
    return digest[:32]


async def remember(parts: Sequence[Part], scope: str, memory: "Memory") -> None:
    """Keep the reasoning of an answer, if it has any.

    Who says the same again, by the same model, is given the first thought again: a turn that once went to a provider
    with one goes there with the same one ever after.
    """
    thoughts = tuple(_thought(part) for part in parts if type(part) is Reasoning)
    calls = [part for part in parts if type(part) is ToolCall]
    signed = {
        number: (call.signature.vendor, call.signature.value)
        for number, call in enumerate(calls)
        if call.signature is not None
    }
    if not thoughts and not signed:
        return
    value = _ENCODE(Kept(scope, thoughts, signed))
    if len(value) <= MOST and (keys := await _free(_keys(parts), scope, memory)):
        await memory.put(keys, value)


async def _free(keys: Sequence[str], scope: str, memory: "Memory") -> Sequence[str]:
    """Those under which nothing is kept for the same scope."""
    held = await memory.get(keys)
    return [key for key in keys if key not in held or _DECODE(held[key]).scope != scope]


async def recall(request: ChatRequest, scope: str, memory: "Memory", losses: Losses) -> ChatRequest:
    """The request with the reasoning that its assistant turns had when they were answers.

    A turn that came back with signatures of its own is left alone. What is kept for another
    model, provider or credential stays here, and that is told.
    """
    kept = await _look_up(request, memory)
    return _restore(request, kept, scope, losses) if kept else request


async def _look_up(request: ChatRequest, memory: "Memory") -> Mapping[int, Kept]:
    """What is kept of the assistant's turns, by their numbers: mostly nothing."""
    if not memory.may_hold(_SAID):
        return {}
    bare = [number for number, one in enumerate(request.messages) if one.role is Role.ASSISTANT and not _carries(one)]
    if not bare:
        return {}
    keys = {number: _keys(request.messages[number].parts) for number in bare[_left_out(len(bare)) :]}
    found = await memory.get([key for some in keys.values() for key in some])
    if not found:
        return {}
    values = {number: next((found[key] for key in some if key in found), None) for number, some in keys.items()}
    return {number: _DECODE(value) for number, value in values.items() if value is not None}


def _left_out(turns: int) -> int:
    """How many of the first of so many turns reasoning is not looked up for."""
    return max(0, -((LOOKED_BACK - turns) // STEP) * STEP)


def _restore(request: ChatRequest, kept: Mapping[int, Kept], scope: str, losses: Losses) -> ChatRequest:
    messages = list(request.messages)
    for number, one in kept.items():
        if one.scope == scope:
            messages[number] = _put_back(messages[number], one)
        else:
            losses.drop(f"messages[{number}].reasoning", "it is kept for another model, provider or credential")
    return replace(request, messages=tuple(messages))


class Gatherer:
    """Watches the events of one answer for what `remember` needs. Gives up on what is too long."""

    __slots__ = ("_blocks", "_memory", "_model", "_provider", "_size", "memorable")

    def __init__(self, memory: "Memory", provider: Provider, model: str) -> None:
        self._memory = memory
        self._provider = provider
        self._model = model
        self._blocks: dict[int, tuple[BlockStart, list[str], list[Signature]]] = {}
        self._size = 0
        self.memorable = False

    def take(self, event: Event) -> None:
        kind = type(event)
        if kind is BlockStart:
            if event.candidate == 0:  # type: ignore[union-attr] # `kind` says which member it is
                self._blocks[event.index] = (event, [], [])  # type: ignore[union-attr, assignment] # as above
                self.memorable = self.memorable or event.kind is BlockKind.REASONING  # type: ignore[union-attr]
        elif kind in _PIECES and self._size <= MOST:
            self._piece(event)

    async def recall(self, request: ChatRequest, losses: Losses) -> ChatRequest:
        """As the function `recall`, for the one who may see this answer's reasoning."""
        if len(request.messages) == 1:
            return request
        kept = await _look_up(request, self._memory)
        return _restore(request, kept, scope_of(self._provider, self._model), losses) if kept else request

    async def keep(self, parts: Sequence[Part] | None = None) -> None:
        """The answer is complete: keep its reasoning, from `parts` where it came whole."""
        known = self.parts() if parts is None else parts
        if any(type(part) is Reasoning or type(part) is ToolCall for part in known):
            await remember(known, scope_of(self._provider, self._model), self._memory)

    def parts(self) -> tuple[Part, ...]:
        """The answer's parts, as far as they matter here; nothing when it was too long."""
        if not self.memorable or self._size > MOST:
            return ()
        return tuple(part for block in self._blocks.values() if (part := _part(*block)) is not None)

    def _piece(self, event: Event) -> None:
        block = self._blocks.get(event.index)  # type: ignore[union-attr] # every piece has an index
        if block is None:
            return
        if isinstance(event, SignatureDelta):
            self.memorable = True
            block[2].append(event.signature)
            self._size += len(event.signature.value)
        else:
            text = event.json if isinstance(event, ArgumentsDelta) else event.text  # type: ignore[union-attr]
            block[1].append(text)
            self._size += len(text)


_PIECES = frozenset({TextDelta, ReasoningDelta, ArgumentsDelta, SignatureDelta})


def parts_of(reply: ChatReply) -> tuple[Part, ...]:
    """The parts of an answer's first candidate."""
    return reply.candidates[0].parts if reply.candidates else ()


def _part(start: BlockStart, pieces: list[str], signatures: list[Signature]) -> Part | None:
    text, signature = "".join(pieces), signatures[-1] if signatures else None
    match start.kind:
        case BlockKind.TEXT:
            return Text(text)
        case BlockKind.REASONING:
            return Reasoning(text, signature, start.redacted)
        case BlockKind.TOOL_CALL:
            return ToolCall(start.call_id, start.name, text, signature)
        case _:
            return None


def _thought(part: Reasoning) -> Thought:
    signature = part.signature
    if signature is None:
        return Thought(part.text, redacted=part.redacted)
    return Thought(part.text, signature.vendor, signature.value, part.redacted)


def _carries(message: Message) -> bool:
    """Did the client bring reasoning or signatures back itself?"""
    for part in message.parts:
        if type(part) is Reasoning or (type(part) is ToolCall and part.signature is not None):
            return True
    return False


def _put_back(message: Message, kept: Kept) -> Message:
    thoughts = tuple(
        Reasoning(one.text, Signature(one.vendor, one.proof) if one.vendor else None, one.redacted)
        for one in kept.thoughts
    )
    return replace(message, parts=thoughts + tuple(_signed(message.parts, kept.calls)))


def _signed(parts: Iterable[Part], signatures: Mapping[int, tuple[str, str]]) -> Iterable[Part]:
    number = -1
    for part in parts:
        if type(part) is ToolCall:
            number += 1
            if number in signatures:
                yield replace(part, signature=Signature(*signatures[number]))
                continue
        yield part


def _keys(parts: Sequence[Part]) -> Sequence[str]:
    """A turn is known by its calls' ids, and by what it says: clients may spell an id anew, or never have had one."""
    said, keys, called = "", [], ""
    for part in parts:
        if type(part) is Text:
            said += part.text
        elif type(part) is ToolCall:
            called += f"\0{part.name}\0{json.canonical(part.arguments)}"
            if part.id:
                keys.append(f"call:{part.id}")
    words = said.strip() + called
    if words:
        keys.append(f"{_SAID}:{hashlib.sha256(words.encode()).hexdigest()}")
    return keys
