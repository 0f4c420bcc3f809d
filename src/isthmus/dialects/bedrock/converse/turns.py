"""The conversation: system text and turns, read as they stand and written as the provider will take them.

The provider takes turns of the user and the assistant in turn, the user's first (but Claude's); no empty text; and
words beside a document. What must be moved, wrapped or left out for that is recorded.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from msgspec import Raw

from isthmus.core.chat import Message, Role
from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Foreign
from isthmus.dialects.bedrock.converse.blocks import read_blocks, spoken
from isthmus.dialects.bedrock.converse.marks import Block, has, kind_of
from isthmus.dialects.bedrock.converse.pen import Pen
from isthmus.dialects.bedrock.words import CLAUDE, DIALECT
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

Blocks: TypeAlias = list[Block | Raw]

_ROLES: Mapping[str, Role] = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_POINT = "cachePoint"
OPENING = "<system>\nThe conversation opens with the assistant's words below.\n</system>"
CONTINUE = "<system>\nContinue your last message from exactly where it ends.\n</system>"
ATTACHED = "See what is attached."
"""Said beside a document that came without words."""


def read_messages(body: Fields) -> tuple[Message, ...]:
    """The top-level `system`, as a message in front, and the turns."""
    system = spoken(read_blocks(body.raw("system"), "system"))
    items = json.read_items(body.need("messages", body.raw("messages")), "messages")
    turns = tuple(_read_turn(Fields(item, f"messages[{number}]")) for number, item in enumerate(items))
    return (Message(Role.SYSTEM, system), *turns) if system else turns


def _read_turn(fields: Fields) -> Message:
    word = fields.need("role", fields.text("role"))
    role = _ROLES.get(word)
    if role is None:
        at = fields.at("role")
        raise Malformed(f"{at} must be one of {', '.join(_ROLES)}, not {word!r}", at)
    return Message(role, spoken(read_blocks(fields.raw("content"), fields.at("content"))), extra=fields.rest(DIALECT))


class Turn:
    """One message being written. `number` is its place among the caller's messages."""

    __slots__ = ("blocks", "extra", "number", "role")

    def __init__(self, role: str, blocks: Blocks, number: int) -> None:
        self.role = role
        self.blocks = blocks
        self.number = number
        self.extra: Block = {}

    def body(self) -> Block:
        return {"role": self.role, "content": self.blocks, **self.extra}


def write_turns(messages: Sequence[Message], pen: Pen) -> tuple[Blocks, list[Turn]]:
    """The blocks of the top-level system text, and the turns. Raises INVALID when nobody says anything."""
    written = [turn for n, message in enumerate(messages) if (turn := _write_turn(message, n, pen)) is not None]
    leading = next((n for n, turn in enumerate(written) if turn.role != "system"), len(written))
    system = [block for turn in written[:leading] for block in turn.blocks]
    turns = written[leading:]
    if not turns:
        turns, system = _speak_system(system), []
        pen.losses.rewrite("messages[0]", "the provider wants a turn of the user: it says the system's words")
    if not pen.profile.system_in_place:
        turns = _tell_system(turns, pen)
    turns = _join(turns)
    if turns[0].role == "assistant" and pen.profile.maker != CLAUDE:
        pen.losses.emulate("messages[0]", "the provider wants the user to speak first: a user turn is put in front")
        turns.insert(0, Turn("user", [{"text": OPENING}], 0))
    for turn in turns:
        _speak_beside_documents(turn, pen)
    return system, _end(turns, pen)


def _write_turn(message: Message, number: int, pen: Pen) -> Turn | None:
    path = f"messages[{number}]"
    role = "user" if message.role is Role.USER else "assistant" if message.role is Role.ASSISTANT else "system"
    if message.role is Role.DEVELOPER:
        pen.losses.rewrite(f"{path}.role", "this dialect knows no developer: it is system text")
    if message.name is not None:
        pen.losses.drop(f"{path}.name", "a message of this dialect has no name")
    blocks = _write_parts(message, role, path, pen)
    if not blocks:
        pen.losses.drop(path, "nothing is left of this message that the provider would take")
        return None
    turn = Turn(role, blocks, number)
    if message.extra is not None and message.extra.dialect == DIALECT:
        turn.extra.update(message.extra.fields)
    else:
        pen.losses.drop_extra(message.extra, path)
    return turn


def _write_parts(message: Message, role: str, path: str, pen: Pen) -> Blocks:
    blocks: Blocks = []
    for place, part in enumerate(message.parts):
        at = f"{path}.parts[{place}]"
        if (why := _misplaced(part, role)) is not None:
            pen.losses.drop(at, why)
        else:
            blocks.extend(pen.write(part, at))
    return blocks


def _misplaced(part: Part, role: str) -> str | None:
    """Why a turn of this role cannot hold the part."""
    if role == "system" and not isinstance(part, Text | Refusal | Foreign):
        return "system text of this dialect holds only text"
    if role == "assistant" and isinstance(part, Media | ToolResult):
        return "a turn of the assistant holds no such part in this dialect"
    if role == "user" and isinstance(part, Reasoning | ToolCall):
        return "a turn of the user holds no such part in this dialect"
    return None


def _speak_system(system: Blocks) -> list[Turn]:
    if not system:
        raise GatewayError(Kind.INVALID, "messages hold nothing that could be sent", param="messages")
    return [Turn("user", system, 0)]


def _tell_system(turns: Sequence[Turn], pen: Pen) -> list[Turn]:
    """System text in the middle is said by the user's turn behind it, after its results; else by one of its own."""
    told: list[Turn] = []
    waiting: Blocks = []
    number = 0
    for turn in turns:
        if turn.role == "system":
            number = turn.number
            waiting.extend(_wrapped(turn, pen))
        elif turn.role == "user" or not waiting:
            place = next((n for n, block in enumerate(turn.blocks) if kind_of(block) not in _RESULTS), len(turn.blocks))
            turn.blocks[place:place] = waiting
            told.append(turn)
            waiting = []
        else:
            told.extend((Turn("user", waiting, number), turn))
            waiting = []
    return [*told, Turn("user", waiting, number)] if waiting else told


_RESULTS = ("toolResult", _POINT)


def _wrapped(turn: Turn, pen: Pen) -> Blocks:
    path = f"messages[{turn.number}]"
    blocks: Blocks = []
    for block in turn.blocks:
        if kind_of(block) == "text" and isinstance(block, dict):
            blocks.append({**block, "text": f"<system>\n{block['text']}\n</system>"})
        else:
            pen.losses.drop(path, "only a system message can hold this item, and this model takes none here")
    if blocks:
        pen.losses.rewrite(path, "this model takes no system text between turns: the user turn says it")
    return blocks


def _join(turns: Sequence[Turn]) -> list[Turn]:
    """Turns of one role in a row are one: nothing of them is lost. Results stand first."""
    joined: list[Turn] = []
    for turn in turns:
        last = joined[-1] if joined else None
        if last is None or last.role != turn.role or last.role == "system":
            joined.append(turn)
            continue
        last.blocks = last.blocks + turn.blocks
        last.extra = {**last.extra, **turn.extra}
    for turn in joined:
        if turn.role == "user" and has(turn.blocks, "toolResult"):
            turn.blocks = _results_first(turn.blocks)
    return joined


def _results_first(blocks: Blocks) -> Blocks:
    """A cache point stays behind the block that it marks."""
    groups: list[Blocks] = []
    for block in blocks:
        if kind_of(block) == _POINT and groups:
            groups[-1].append(block)
        else:
            groups.append([block])
    ordered = sorted(groups, key=lambda group: kind_of(group[0]) != "toolResult")
    return [block for group in ordered for block in group]


def _speak_beside_documents(turn: Turn, pen: Pen) -> None:
    if turn.role == "user" and has(turn.blocks, "document") and not has(turn.blocks, "text"):
        pen.losses.emulate(f"messages[{turn.number}]", "the provider wants words beside a document: some are added")
        turn.blocks.append({"text": ATTACHED})


def _end(turns: list[Turn], pen: Pen) -> list[Turn]:
    """A last turn of the assistant is to be continued: its text must not end in white space."""
    if not is_prefilled(turns):
        return turns
    last = turns[-1]
    path, place = f"messages[{last.number}]", _last_said(last)
    block = last.blocks[place]
    text = str(block["text"]) if isinstance(block, dict) else ""
    if text != text.rstrip():
        pen.losses.rewrite(path, "an answer to be continued must not end in white space")
        last.blocks[place] = {**block, "text": text.rstrip()}  # type: ignore[dict-item]  # prefilled: it is an object
    if not pen.profile.prefill:
        pen.losses.emulate(path, "this model does not continue an answer: it is asked to in words")
        turns.append(Turn("user", [{"text": CONTINUE}], last.number))
    return turns


def is_prefilled(turns: Sequence[Turn]) -> bool:
    """Does the conversation end in words of the assistant?"""
    last = turns[-1]
    return last.role == "assistant" and kind_of(last.blocks[_last_said(last)]) == "text"


def _last_said(turn: Turn) -> int:
    """The place of the last block that is no cache point; of the last of all where each is one."""
    places = [place for place, block in enumerate(turn.blocks) if kind_of(block) != _POINT]
    return places[-1] if places else len(turn.blocks) - 1


def lost_thought(turns: Sequence[Turn]) -> bool:
    """Does the conversation end in results whose calls are not led by a thought, as Claude demands of them?"""
    if len(turns) < 2 or turns[-1].role != "user" or not has(turns[-1].blocks, "toolResult"):
        return False
    return turns[-2].role == "assistant" and kind_of(turns[-2].blocks[0]) != "reasoningContent"


def asks_for_tools(turns: Sequence[Turn]) -> list[str]:
    """The names of the tools that were called, each once, in the order of the first calls."""
    names: dict[str, None] = {}
    for turn in turns:
        for block in turn.blocks:
            if kind_of(block) == "toolUse" and isinstance(block, dict) and isinstance(call := block["toolUse"], dict):
                names[str(call["name"])] = None
    return list(names)
