"""The conversation: system text and turns, read as they stand and written as the provider will take them.

There are two roles, `user` and `model`, and one system text in front. System text in the middle is told by the
user turn behind it, or the one before.

Source: https://ai.google.dev/api/generate-content (contents, systemInstruction).
"""

from collections.abc import Mapping, Sequence

from msgspec import Raw

from isthmus.core.chat import Message, Role
from isthmus.core.content import Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Extra
from isthmus.dialects.gemini.generate.content import read_part
from isthmus.dialects.gemini.generate.ids import CallIds
from isthmus.dialects.gemini.generate.media import Block
from isthmus.dialects.gemini.generate.pairs import Turn, arrange, names_of
from isthmus.dialects.gemini.generate.parts import Blocks, write_parts
from isthmus.dialects.gemini.generate.pen import Pen, add_extra
from isthmus.dialects.gemini.generate.results import read_result
from isthmus.dialects.gemini.spelling import Camel
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import Malformed

_ROLES: Mapping[str, Role] = {
    "user": Role.USER,
    "model": Role.ASSISTANT,
    "function": Role.USER,
    "system": Role.SYSTEM,
}
_SYSTEM = (Role.SYSTEM, Role.DEVELOPER)
OPENING = "<system>\nThe conversation opens with the assistant's words below.\n</system>"
_BLANK = Text("")


def read_messages(body: Camel) -> tuple[Message, ...]:
    """`systemInstruction`, as a message in front, and the turns. A role that is not told is the user's."""
    system = _read_system(body)
    items = body.need("contents", body.each("contents"))
    if not items:
        raise Malformed("contents must not be empty", "contents")
    ids = CallIds()
    turns = [_read_turn(item, f"contents[{number}]", ids) for number, item in enumerate(items)]
    return (*system, *_joined(turns))


def _read_system(body: Camel) -> tuple[Message, ...]:
    value = body.raw("systemInstruction")
    if value is None:
        return ()
    if json.is_text(value):
        return (Message(Role.SYSTEM, (Text(json.decode(value)),)),)
    content = Camel(value, "systemInstruction")
    content.raw("role")
    parts = _read_parts(content, CallIds())
    return (Message(Role.SYSTEM, parts, extra=content.rest(DIALECT)),) if parts else ()


def _read_turn(item: Raw, path: str, ids: CallIds) -> Message:
    content = Camel(item, path)
    word = content.text("role") or "user"
    role = _ROLES.get(word)
    if role is None:
        at = content.at("role")
        raise Malformed(f"{at} must be user or model, not {word!r}", at)
    return Message(role, _read_parts(content, ids), extra=content.rest(DIALECT))


def _read_parts(content: Camel, ids: CallIds) -> tuple[Part, ...]:
    path = content.at("parts")
    found: list[Part] = []
    for number, item in enumerate(content.each("parts") or ()):
        at = f"{path}[{number}]"
        fields = Camel(item, at)
        if "functionResponse" in fields.names():
            found.append(read_result(fields, ids.of_result))
        else:
            found.extend(read_part(item, at, ids.of_call))
    return tuple([part for part in found if part != _BLANK]) or tuple(found[:1])


def _joined(turns: Sequence[Message]) -> list[Message]:
    """Results, and the user's words right behind them, are one turn."""
    joined: list[Message] = []
    for turn in turns:
        last = joined[-1] if joined else None
        if last is not None and last.role is turn.role is Role.USER and _answers(last) and _may_join(last, turn):
            parts = (*last.parts, *(part for part in turn.parts if part != _BLANK))
            joined[-1] = Message(Role.USER, _results_first(parts), extra=last.extra or turn.extra)
        elif turn.role is Role.USER and _answers(turn):
            joined.append(Message(Role.USER, _results_first(turn.parts), extra=turn.extra))
        else:
            joined.append(turn)
    return joined


def _answers(turn: Message) -> bool:
    return any(type(part) is ToolResult for part in turn.parts)


def _may_join(last: Message, turn: Message) -> bool:
    return last.extra is None or turn.extra is None


def _results_first(parts: Sequence[Part]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: type(part) is not ToolResult))


class Written:
    """One turn being written."""

    __slots__ = ("blocks", "extra", "role")

    def __init__(self, role: str, blocks: Blocks, extra: Extra | None = None) -> None:
        self.role = role
        self.blocks = blocks
        self.extra = extra

    @property
    def answers(self) -> int:
        """How many results stand at its head."""
        return sum(type(block) is dict and "functionResponse" in block for block in self.blocks)

    @property
    def calls(self) -> bool:
        return any(type(block) is dict and "functionCall" in block for block in self.blocks)


def write_messages(messages: Sequence[Message], words: str | None, pen: Pen) -> tuple[Blocks, list[Block]]:
    """The parts of `systemInstruction`, with `words` at their end, and `contents`.

    Raises INVALID when nobody says anything.
    """
    names: dict[str, str] = {}
    system: Blocks = []
    turns: list[Written] = []
    waiting: list[Turn] = []
    for turn in arrange(messages, pen.losses):
        if turn.role in _SYSTEM:
            waiting.append(turn)
            continue
        names.update(names_of(turn))
        written = _write_turn(turn, names, pen)
        if written is None:
            continue
        if not turns:
            system = [block for one in waiting for block in _system_parts(one, pen)]
        else:
            _tell(waiting, written, turns, pen)
        waiting = []
        turns.append(written)
    if not turns:
        turns = [_speak_system(waiting, pen)]
    else:
        _tell(waiting, None, turns, pen)
    if words is not None:
        system.append({"text": words})
    return system, [_body(turn, number, pen) for number, turn in enumerate(_opened(_runs(turns), pen))]


def _write_turn(turn: Turn, names: Mapping[str, str], pen: Pen) -> Written | None:
    role = "user" if turn.role is Role.USER else "model"
    message = turn.message
    if message is not None and message.name is not None:
        pen.losses.drop(f"{turn.path}.name", "a message of this dialect has no name")
    blocks = write_parts(turn.parts, names, pen)
    if not blocks:
        pen.losses.drop(turn.path, "nothing is left of this message that the provider would take")
        return None
    extra = message.extra if message is not None else None
    if extra is not None and extra.dialect != DIALECT:
        pen.losses.drop_extra(extra, turn.path)
        extra = None
    return Written(role, blocks, extra)


def _system_parts(turn: Turn, pen: Pen) -> Blocks:
    if turn.role is Role.DEVELOPER:
        pen.losses.rewrite(f"{turn.path}.role", "this dialect knows no developer: it is system text")
    if turn.message is not None:
        if turn.message.name is not None:
            pen.losses.drop(f"{turn.path}.name", "a message of this dialect has no name")
        pen.losses.drop_extra(_foreign(turn.message.extra), turn.path)
    said: list[tuple[str, Part]] = []
    for path, part in turn.parts:
        if isinstance(part, Text | Refusal):
            said.append((path, part if isinstance(part, Text) else Text(part.text)))
        elif isinstance(part, Reasoning | ToolCall | ToolResult):
            pen.losses.drop(path, "system text of this dialect holds only text")
        else:
            said.append((path, part))
    return write_parts(said, {}, pen)


def _foreign(extra: Extra | None) -> Extra | None:
    return None if extra is None or extra.dialect == DIALECT else extra


def _tell(system: Sequence[Turn], following: Written | None, before: list[Written], pen: Pen) -> None:
    """Put system text into the user turn that follows, else into the one before, else into one of its own."""
    told = [block for turn in system for block in _wrapped(turn, pen)]
    if not told:
        return
    if following is not None and following.role == "user":
        place = following.answers
        following.blocks[place:place] = told
    elif before[-1].role == "user":
        before[-1].blocks.extend(told)
    else:
        before.append(Written("user", told))


def _wrapped(turn: Turn, pen: Pen) -> Blocks:
    blocks: Blocks = []
    for block in _system_parts(turn, pen):
        if type(block) is dict and "text" in block:
            blocks.append({**block, "text": f"<system>\n{block['text']}\n</system>"})
        else:
            blocks.append(block)
    if blocks:
        pen.losses.rewrite(turn.path, "this dialect has system text in front only: the user turn says it")
    return blocks


def _speak_system(system: Sequence[Turn], pen: Pen) -> Written:
    """Nobody spoke but the system: the provider wants a user turn, so its words are that."""
    told = [block for turn in system for block in _wrapped(turn, pen)]
    if not told:
        raise GatewayError(Kind.INVALID, "messages hold nothing that could be sent", param="messages")
    return Written("user", told)


def _runs(turns: Sequence[Written]) -> list[Written]:
    """Turns of one side are one where results or calls are among them, which belong beside one another."""
    runs: list[Written] = []
    for turn in turns:
        runs.append(turn)
        while len(runs) > 1 and _are_one(runs[-2], runs[-1]):
            following, last = runs.pop(), runs[-1]
            last.blocks = sorted([*last.blocks, *following.blocks], key=_behind_results)
            last.extra = last.extra or following.extra
    return runs


def _are_one(turn: Written, following: Written) -> bool:
    return turn.role == following.role and bool(turn.answers or (following.calls and not turn.calls))


def _behind_results(block: Block | Raw) -> bool:
    return not (type(block) is dict and "functionResponse" in block)


def _opened(turns: list[Written], pen: Pen) -> list[Written]:
    """A call must follow a turn of the user's."""
    if turns[0].role == "model" and turns[0].calls:
        pen.losses.emulate("messages[0]", "the provider wants the user to speak first: a user turn is put in front")
        turns.insert(0, Written("user", [{"text": OPENING}]))
    return turns


def _body(turn: Written, number: int, pen: Pen) -> Block:
    body: Block = {"role": turn.role, "parts": turn.blocks}
    add_extra(body, turn.extra, f"messages[{number}]", pen.losses)
    return body
