"""The conversation: a flat list of items on the wire, turns in the core.

A run of what the model said is one assistant's turn; results, and the user's message behind them, are one user's.
Source: the OpenAI API reference, "Create a model response", `input`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Raw

from isthmus.core.chat import Message, Role
from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult, only_text
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.openai import RESPONSES
from isthmus.dialects.openai.responses.content import Host, is_content, read_content, write_parts
from isthmus.dialects.openai.responses.extras import Written, keep, labels_of, restore, take
from isthmus.dialects.openai.responses.items import (
    around_of,
    called,
    kind_of,
    read_item,
    read_message,
    write_call,
    write_thought,
)
from isthmus.dialects.openai.responses.names import Names, fitting_id
from isthmus.dialects.openai.responses.signatures import is_own
from isthmus.wire.json import Fields

_ROLES = {"system": Role.SYSTEM, "developer": Role.DEVELOPER, "user": Role.USER, "assistant": Role.ASSISTANT}
_RESULTS = {"function_call_output": False, "custom_tool_call_output": True}
_ANSWERS = ("_output", "_response")
"""How the types of items end that a client answers a model with."""
_BLANK = Text("")


class _Said(NamedTuple):
    """One item's parts. `answer`: it answers what a model asked for, and is no message."""

    role: Role
    parts: tuple[Part, ...]
    answer: bool = False


def read_turns(items: Sequence[Raw], path: str = "input") -> tuple[Message, ...]:
    """The turns of a list of items."""
    turns: list[Message] = []
    answers: list[Part] = []
    talking = False
    for number, item in enumerate(items):
        said = _read(item, f"{path}[{number}]")
        if said.answer:
            answers.extend(said.parts)
            talking = False
            continue
        if answers:
            joins = said.role is Role.USER
            if joins and not _full(said.parts):
                continue  # It leaves nothing: what follows is joined in its place.
            before = tuple(answers)
            answers = []
            turns.append(Message(Role.USER, (*before, *_full(said.parts)) if joins else before))
            if joins:
                continue
        if talking and said.role is Role.ASSISTANT:
            turns[-1] = Message(Role.ASSISTANT, (*turns[-1].parts, *said.parts))
        else:
            turns.append(Message(said.role, said.parts))
        talking = said.role is Role.ASSISTANT
    if answers:
        turns.append(Message(Role.USER, tuple(answers)))
    return tuple(Message(turn.role, _without_blanks(turn.parts)) for turn in turns)


def _without_blanks(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Empty texts are no parts, unless one is all there is: providers refuse blank blocks."""
    return _full(parts) or parts[:1]


def _full(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(part for part in parts if not (isinstance(part, Text) and part.text == ""))


def _read(item: Raw, path: str) -> _Said:
    fields = Fields(item, path)
    kind = kind_of(fields)
    if kind == "message":
        role = _ROLES.get(fields.need("role", fields.text("role")))
        parts = None if role is None else read_message(fields)
        if role is None or parts is None:
            return _Said(role or Role.USER, (Foreign(RESPONSES, item),))
        return _Said(role, parts)
    if kind in _RESULTS:
        result = _read_result(fields, custom=_RESULTS[kind])
        return _Said(Role.USER, (result or Foreign(RESPONSES, item),), answer=True)
    if kind.endswith(_ANSWERS):
        return _Said(Role.USER, (Foreign(RESPONSES, item),), answer=True)
    return _Said(Role.ASSISTANT, read_item(item, path))


def _read_result(fields: Fields, *, custom: bool) -> ToolResult | None:
    fields.text("type")
    call_id = fields.need("call_id", fields.text("call_id"))
    value, path = fields.raw("output"), fields.at("output")
    parts = read_content(value, path)
    if parts is None:
        return None
    labels = take(fields, ("id", "status"))
    if custom:
        labels["custom"] = Raw(b"true")
    kept = [part for part in parts if isinstance(part, Text | Media | Foreign) and part != _BLANK]
    return ToolResult(call_id, tuple(kept), extra=keep(fields, labels))


def write_turns(turns: Sequence[tuple[str, Message]], names: Names, host: Host) -> list[Written]:
    """The list `input` for `turns`, each with the path at which its losses are told."""
    conversation = _Conversation(names, host)
    for path, turn in turns:
        conversation.add(path, turn)
    return conversation.items


class _Conversation:
    """The list while it grows. `_custom` are the ids of calls of custom tools, whose results are of another type."""

    def __init__(self, names: Names, host: Host) -> None:
        self.items: list[Written] = []
        self._names = names
        self._host = host
        self._custom: set[str] = set()

    def add(self, path: str, turn: Message) -> None:
        losses = self._host.losses
        if turn.name is not None:
            losses.drop(f"{path}.name", "messages of this dialect have no name")
        losses.drop_extra(turn.extra, path)
        words = only_text(turn.parts)
        if words is not None:
            self.items.append({"role": turn.role.value, "content": words})
            return
        run: list[Part] = []
        start = 0
        for number, part in enumerate(turn.parts):
            if self._is_said(part):
                if run and around_of(part) is not None:
                    self._add_message(turn.role, run, path, start)
                    run = []
                start = start if run else number
                run.append(part)
                continue
            if run:
                self._add_message(turn.role, run, path, start)
                run = []
            self._add_item(part, f"{path}.parts[{number}]")
        if run or not turn.parts:
            self._add_message(turn.role, run, path, start)

    def _is_said(self, part: Part) -> bool:
        """Does it stand in a message, and not as an item of its own?"""
        if isinstance(part, Foreign):
            return part.dialect == RESPONSES and is_content(part)
        return isinstance(part, Text | Refusal | Media)

    def _add_message(self, role: Role, parts: Sequence[Part], path: str, start: int) -> None:
        document: dict[str, Any] = {"role": role.value}
        around = around_of(parts[0]) if parts else None
        spoken = role is Role.ASSISTANT
        said = [part for part in parts if not (spoken and isinstance(part, Media))]
        if len(said) < len(parts):
            self._host.losses.drop(f"{path}.parts[{start}]", "an assistant's message of this dialect holds no media")
        if parts and not said:
            return
        content = write_parts(said, "output_text" if spoken else "input_text", f"{path}.parts", self._host)
        document["content"] = content if around is not None and "id" in around else _plain(content)
        document.update(around or {})
        self.items.append(document)

    def _add_item(self, part: Part, path: str) -> None:
        losses = self._host.losses
        match part:
            case ToolCall():
                if called(part, self._names).custom:
                    self._custom.add(part.id)
                self.items.append(write_call(part, self._names, path, losses))
            case ToolResult():
                self._add_result(part, path)
            case Reasoning():
                self._add_thought(part, path)
            case Foreign() if part.dialect == RESPONSES:
                self.items.append(part.body)
            case Foreign():
                losses.drop(path, f"only {part.dialect} knows this item")

    def _add_result(self, result: ToolResult, path: str) -> None:
        losses, labels = self._host.losses, labels_of(result.extra)
        custom = "custom" in labels or result.call_id in self._custom
        content = _plain(write_parts(result.parts, "input_text", f"{path}.parts", self._host)) or ""
        if result.failed:
            losses.rewrite(f"{path}.failed", "this dialect has no field for a failed call, so the text says it")
            content = _as_error(content)
        if result.cache is not None:
            losses.drop("cache_control", "this dialect has no cache marks")
        document: dict[str, Any] = {"type": "custom_tool_call_output" if custom else "function_call_output"}
        document.update({name: labels[name] for name in ("id", "status") if name in labels})
        document.update(call_id=fitting_id(result.call_id), output=content)
        restore(document, result.extra, path, losses)
        self.items.append(document)

    def _add_thought(self, part: Reasoning, path: str) -> None:
        """A thought goes back to who can prove it. Hosts that show thinking in clear are given its text."""
        losses, labels = self._host.losses, labels_of(part.extra)
        told_here = bool(labels) and part.signature is None and "unsigned" not in labels
        if is_own(part) or told_here:
            proof = part.signature.value if part.signature is not None else None
            self.items.append(write_thought(part, proof, path, losses))
        elif self._host.profile.reasoning_field is not None and part.text:
            if part.signature is not None:
                losses.drop(f"{path}.signature", "this host takes thinking back as plain text")
            extra = Extra(RESPONSES, {}, {"in_full": Raw(b"true")})
            self.items.append(write_thought(Reasoning(part.text, extra=extra), None, path, losses))
        else:
            losses.drop(path, "this host takes only such thinking back as it has signed")


def _plain(content: list[Written]) -> str | list[Written]:
    """One text that says nothing more, as a string."""
    one = content[0] if len(content) == 1 else None
    if not isinstance(one, dict) or "text" not in one:
        return content
    bare = all(name in ("type", "text") or value in ([], _NOTHING) for name, value in one.items())
    return str(one["text"]) if bare else content


_NOTHING = Raw(b"[]")


def _as_error(content: str | list[Written]) -> str | list[Written]:
    if isinstance(content, list):
        return [{"type": "input_text", "text": "Error: "}, *content]
    return f"Error: {content}"
