"""The conversation: system text and turns, read as they stand and written as the provider will take them.

The provider takes a conversation that opens with the user, holds no blank text, answers calls at
the head of the next user turn, and does not end in white space. What must be moved, wrapped or
left out for that is recorded.

Source: https://docs.anthropic.com/en/api/messages (messages, system) and
/en/docs/agents-and-tools/tool-use/implement-tool-use (order of results).
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec import Raw, Struct

from isthmus.core.chat import Message, Role
from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult, only_text
from isthmus.core.errors import GatewayError, Kind
from isthmus.dialects.anthropic.messages import plain
from isthmus.dialects.anthropic.messages.content import plain_text, read_asked
from isthmus.dialects.anthropic.messages.marks import Block, add_extra
from isthmus.dialects.anthropic.messages.pen import Pen
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

Blocks: TypeAlias = list[Block | Raw]

_ROLES: Mapping[str, Role] = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_OF_SYSTEM = Role.SYSTEM
_THOUGHTS = ("thinking", "redacted_thinking")
OPENING = "<system>\nThe conversation opens with the assistant's words below.\n</system>"
CONTINUE = "<system>\nContinue your last message from exactly where it ends.\n</system>"


def read_messages(body: Fields) -> tuple[Message, ...]:
    """The top-level `system`, as a message in front, and the turns."""
    system = read_asked(body.raw("system"), "system")
    items = json.read_items(body.need("messages", body.raw("messages")), "messages")
    return led_by(system, tuple(_read_turn(item, f"messages[{number}]") for number, item in enumerate(items)))


def led_by(system: tuple[Part, ...], turns: tuple[Message, ...]) -> tuple[Message, ...]:
    """The turns, and the system text as a message before them."""
    return (Message(_OF_SYSTEM, system), *turns) if system else turns


def _read_turn(item: Raw, path: str) -> Message:
    if (known := plain.read_turn(item)) is not None:
        return known
    fields = Fields(item, path)
    word = fields.need("role", fields.text("role"))
    role = _ROLES.get(word)
    if role is None:
        at = fields.at("role")
        raise Malformed(f"{at} must be one of {', '.join(_ROLES)}, not {word!r}", at)
    return Message(role, read_asked(fields.raw("content"), fields.at("content")), extra=fields.rest(DIALECT))


class Turn(Struct):
    """One message being written. `number` is its place among the caller's messages."""

    role: str
    blocks: Blocks
    number: int
    extra: Block = {}

    def starts_with(self, *kinds: str) -> bool:
        return bool(self.blocks) and kind_of(self.blocks[0]) in kinds

    def body(self) -> Block:
        text = plain_text(self.blocks)
        body: Block = {"role": self.role, "content": self.blocks if text is None else text}
        return {**body, **self.extra} if self.extra else body


def kind_of(block: Block | Raw) -> str:
    """The block's type; "" for one that is kept whole."""
    return str(block["type"]) if type(block) is dict else ""


def write_turns(messages: Sequence[Message], pen: Pen) -> tuple[Blocks, list[Turn]]:
    """The blocks of the top-level system text, and the turns. Raises INVALID when nobody says anything."""
    written = [turn for n, message in enumerate(messages) if (turn := _write_turn(message, n, pen)) is not None]
    leading = 0
    while leading < len(written) and written[leading].role == "system":
        leading += 1
    system = [block for turn in written[:leading] for block in turn.blocks]
    turns = _place_system(written[leading:], pen)
    if not turns:
        turns = _speak_system(system, pen)
        system = []
    if turns[0].role == "assistant":
        pen.losses.emulate("messages[0]", "the provider wants the user to speak first: a user turn is put in front")
        turns.insert(0, Turn("user", [{"type": "text", "text": OPENING}], 0))
    return system, _end(_join(turns), pen)


_SYSTEM = "system"
_SPOKEN: Mapping[Role, str] = {Role.USER: "user", Role.ASSISTANT: "assistant", Role.SYSTEM: _SYSTEM}
"""A developer's words are system text too, and that is told."""


def _write_turn(message: Message, number: int, pen: Pen) -> Turn | None:
    words = only_text(message.parts)
    role = _SPOKEN.get(message.role)
    if words and not words.isspace() and role is not None and message.name is None and message.extra is None:
        return Turn(role, [{"type": "text", "text": words}], number)  # words and nothing more, as most are
    role = role or _SYSTEM
    blocks = (_write_system if role == "system" else _write_parts)(message, number, pen)
    if not blocks:
        pen.losses.drop(f"messages[{number}]", "nothing is left of this message that the provider would take")
        return None
    turn = Turn(role, blocks, number)
    if message.extra is not None:
        add_extra(turn.extra, message.extra, f"messages[{number}]", pen.losses)
    return turn


def _write_parts(message: Message, number: int, pen: Pen) -> Blocks:
    """Results first: the provider takes them nowhere else."""
    if message.name is not None:
        pen.losses.drop(f"messages[{number}].name", "a message of this dialect has no name")
    blocks: Blocks = []
    answers = False
    for place, part in enumerate(message.parts):
        answers = answers or type(part) is ToolResult
        block = pen.write(part, f"messages[{number}].parts[{place}]")
        if block is not None:
            blocks.append(block)
    return _results_first(blocks) if answers else blocks


def _results_first(blocks: Blocks) -> Blocks:
    return sorted(blocks, key=lambda block: kind_of(block) != "tool_result") if len(blocks) > 1 else blocks


def _write_system(message: Message, number: int, pen: Pen) -> Blocks:
    if message.role is Role.DEVELOPER:
        pen.losses.rewrite(f"messages[{number}].role", "this dialect knows no developer: it is system text")
    blocks: Blocks = []
    for place, part in enumerate(message.parts):
        path = f"messages[{number}].parts[{place}]"
        if isinstance(part, Media | Reasoning | ToolCall | ToolResult):
            pen.losses.drop(path, "system text of this dialect holds only text")
        elif (block := pen.write(Text(part.text) if isinstance(part, Refusal) else part, path)) is not None:
            blocks.append(block)
    return blocks


def _place_system(turns: Sequence[Turn], pen: Pen) -> list[Turn]:
    """System text in the middle stays there, where the model takes it; else the neighbouring user turn says it."""
    placed: list[Turn] = []
    waiting: list[Turn] = []
    for turn in turns:
        if turn.role == "system":
            waiting.append(turn)
            continue
        if not waiting:
            placed.append(turn)
            continue
        if pen.profile.system_in_place:
            answers = turn.starts_with("tool_result")
            placed.extend([turn, *waiting] if answers else [*waiting, turn])
        else:
            _tell(waiting, turn, placed, pen)
            placed.append(turn)
        waiting = []
    if pen.profile.system_in_place:
        return placed + waiting
    _tell(waiting, None, placed, pen)
    return placed


def _tell(system: Sequence[Turn], following: Turn | None, before: list[Turn], pen: Pen) -> None:
    """Put system text into the user turn that follows, else into the one before, else into one of its own."""
    told = [block for turn in system for block in _wrapped(turn, pen)]
    if not told:
        return
    if following is not None and following.role == "user":
        place = sum(kind_of(block) == "tool_result" for block in following.blocks)
        following.blocks[place:place] = told
    elif before and before[-1].role == "user":
        before[-1].blocks.extend(told)
    else:
        before.append(Turn("user", told, system[0].number))


def _wrapped(turn: Turn, pen: Pen) -> Blocks:
    path = f"messages[{turn.number}]"
    blocks: Blocks = []
    for block in turn.blocks:
        if isinstance(block, dict):
            blocks.append({**block, "text": f"<system>\n{block['text']}\n</system>"})
        else:
            pen.losses.drop(path, "only a system message can hold this item, and this model takes none here")
    if blocks:
        pen.losses.rewrite(path, "this model takes no system text between turns: the user turn says it")
    return blocks


def _speak_system(system: Blocks, pen: Pen) -> list[Turn]:
    """Nobody spoke but the system: the provider wants a user turn, so its words are that."""
    turn = Turn("system", system, 0)
    told = _wrapped(turn, pen)
    if not told:
        raise GatewayError(Kind.INVALID, "messages hold nothing that could be sent", param="messages")
    return [Turn("user", told, 0)]


def _join(turns: Sequence[Turn]) -> list[Turn]:
    """Two user turns are one when the earlier answers calls: results and the words after them belong together."""
    joined: list[Turn] = []
    for turn in turns:
        last = joined[-1] if joined else None
        if last is not None and last.role == turn.role == "user" and last.starts_with("tool_result"):
            last.blocks = _results_first(last.blocks + turn.blocks)
            last.extra = {**last.extra, **turn.extra}
        else:
            joined.append(turn)
    return joined


def _end(turns: list[Turn], pen: Pen) -> list[Turn]:
    """A last turn of the assistant is to be continued: its text must not end in white space."""
    if not is_prefilled(turns):
        return turns
    last = turns[-1]
    path = f"messages[{last.number}]"
    block = last.blocks[-1]
    text = str(block["text"]) if isinstance(block, dict) else ""
    if text != text.rstrip():
        pen.losses.rewrite(path, "an answer to be continued must not end in white space")
        last.blocks[-1] = {**block, "text": text.rstrip()}  # type: ignore[dict-item]  # prefilled: it is an object
    if not pen.profile.prefill:
        pen.losses.emulate(path, "this model does not continue an answer: it is asked to in words")
        turns.append(Turn("user", [{"type": "text", "text": CONTINUE}], last.number))
    return turns


def is_prefilled(turns: Sequence[Turn]) -> bool:
    """Does the conversation end in words of the assistant?"""
    return turns[-1].role == "assistant" and kind_of(turns[-1].blocks[-1]) == "text"


def lost_thought(turns: Sequence[Turn]) -> bool:
    """Does the conversation end in results whose calls are not led by a thought, as the provider demands of them?"""
    spoken = [turn for turn in turns if turn.role != "system"]
    if not spoken or spoken[-1].role != "user" or not spoken[-1].starts_with("tool_result"):
        return False
    first: Turn | None = None
    for turn in reversed(spoken[:-1]):
        if turn.role != "assistant":
            break
        first = turn
    return first is not None and not first.starts_with(*_THOUGHTS)
