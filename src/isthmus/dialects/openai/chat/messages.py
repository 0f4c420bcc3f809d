"""The conversation: messages of five roles on the wire, turns with results among their parts in the core.

A run of `tool` messages and the nameless user message behind it are one user turn; the writer
splits it again, and puts results directly behind their calls wherever they stood.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.chat import SILENT, Message, Role
from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult, only_text
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.openai import CHAT
from isthmus.dialects.openai.chat import plain, thinking
from isthmus.dialects.openai.chat.calls import GOOGLE, fitting_id, is_call, read_calls, write_calls
from isthmus.dialects.openai.chat.content import (
    Host,
    Written,
    is_thinking_part,
    read_cache,
    read_content,
    without_blanks,
    write_cache,
    write_content,
)
from isthmus.dialects.openai.chat.extras import empties, fields_of, keep, restore
from isthmus.wire import json
from isthmus.wire.json import Fields

_DROPPED_WHEN_EMPTY = ("reasoning_content", "reasoning")


def read_messages(items: Sequence[Raw]) -> tuple[Message, ...]:
    """The turns of the list `messages`. A message of a role that we do not know is kept as a turn of its own."""
    return gathered([_read_message(item, f"messages[{number}]") for number, item in enumerate(items)])


def gathered(said: Iterable[Message | ToolResult]) -> tuple[Message, ...]:
    """The turns, with each run of results made part of a user turn."""
    turns: list[Message] = []
    results: list[Part] = []
    for one in said:
        if type(one) is ToolResult:
            results.append(one)
        elif type(one) is Message and not (results and one in SILENT):
            turns.append(_joined(results, one, turns) if results else one)
            results = []
    if results:
        turns.append(Message(Role.USER, tuple(results)))
    return tuple(turns)


def _read_message(item: Raw, path: str) -> Message | ToolResult:
    if (known := plain.read_message(item)) is not None:
        return known
    fields = Fields(item, path)
    reader = _READERS.get(fields.need("role", fields.text("role")))
    return reader(fields) if reader is not None else Message(Role.USER, (Foreign(CHAT, item),))


def _joined(results: Sequence[Part], turn: Message, turns: list[Message]) -> Message:
    """`turn` with the results in front, or as it is with the results as a turn before it."""
    if turn.role is Role.USER and turn.name is None and turn.extra is None and whole_message(turn) is None:
        return Message(Role.USER, (*results, *turn.parts))
    turns.append(Message(Role.USER, tuple(results)))
    return turn


def whole_message(turn: Message) -> Raw | None:
    """The message of an unknown role that `turn` keeps."""
    if len(turn.parts) != 1 or type(part := turn.parts[0]) is not Foreign or part.dialect != CHAT:
        return None
    return part.body if b'"role"' in bytes(part.body) and "role" in json.read_fields(part.body) else None


def _read_spoken(role: Role) -> Callable[[Fields], Message]:
    def read(fields: Fields) -> Message:
        parts = without_blanks(read_content(fields.raw("content"), fields.at("content")))
        return Message(role, parts, fields.text("name"), keep(fields))

    return read


def _read_assistant(fields: Fields) -> Message:
    hollow = empties(fields, _DROPPED_WHEN_EMPTY)
    spoken = read_turn(fields)
    name, extra = fields.text("name"), keep(fields)
    if hollow:
        extra = Extra(CHAT, {**fields_of(extra), **hollow})
    return Message(Role.ASSISTANT, without_blanks(spoken), name, extra)


def read_turn(fields: Fields, *seeds: object) -> tuple[Part, ...]:
    """What an assistant says, in a request or a reply: thoughts, then texts and refusals, then calls."""
    thoughts = thinking.read_thinking(fields)
    content = read_content(fields.raw("content"), fields.at("content"))
    refusal = fields.text("refusal")
    refused = (Refusal(refusal),) if refusal else ()
    return (*thoughts, *content, *refused, *read_calls(fields, *seeds))


def _read_result(fields: Fields) -> ToolResult:
    parts = read_content(fields.raw("content"), fields.at("content"))
    return ToolResult(
        call_id=fields.need("tool_call_id", fields.text("tool_call_id")),
        parts=tuple(
            part for part in parts if isinstance(part, Media | Foreign) or (isinstance(part, Text) and part.text)
        ),
        cache=read_cache(fields),
        extra=keep(fields),
    )


_READERS: Mapping[str, Callable[[Fields], Message | ToolResult]] = {
    "system": _read_spoken(Role.SYSTEM),
    "developer": _read_spoken(Role.DEVELOPER),
    "user": _read_spoken(Role.USER),
    "assistant": _read_assistant,
    "tool": _read_result,
}


def write_messages(turns: Iterable[tuple[int | None, Message]], host: Host) -> list[Written]:
    """The list `messages` for `turns`, each with its number among the caller's; None for one that is not of them."""
    conversation = _Conversation(host)
    for number, turn in turns:
        conversation.add(number, turn)
    return conversation.messages


_SYSTEM = Role.SYSTEM
_WORDS: Mapping[Role, str] = {Role.USER: "user", Role.ASSISTANT: "assistant"}


def path_of(number: int | None) -> str:
    """Where the losses of a turn are told."""
    return "output" if number is None else f"messages[{number}]"


class _Conversation:
    """The list while it grows. `_behind` is the place behind the last assistant turn that called, and its results."""

    def __init__(self, host: Host) -> None:
        self.messages: list[Written] = []
        self._host = host
        self._behind: int | None = None
        self._words = {**_WORDS, _SYSTEM: host.profile.system_role}

    def add(self, number: int | None, turn: Message) -> None:
        words = only_text(turn.parts)
        if words is not None and turn.name is None and turn.extra is None and turn.role in self._words:
            self._add_words(self._words[turn.role], words)
            return
        path = path_of(number)
        match turn.role:
            case Role.ASSISTANT:
                self._add_assistant(path, turn)
            case Role.USER:
                self._add_user(path, turn)
            case Role.SYSTEM | Role.DEVELOPER:
                self._add_system(path, turn)

    def _add_words(self, role: str, words: str) -> None:
        """A turn that is text and nothing more, as most are."""
        self.messages.append({"role": role, "content": words})
        if role == "assistant":
            self._behind = None

    def _content(self, parts: Sequence[Part], path: str) -> str | list[Written] | None:
        words = only_text(parts)
        return write_content(parts, f"{path}.parts", self._host) if words is None else words

    def _add(self, role: str, parts: Sequence[Part], turn: Message, path: str) -> dict[str, Any]:
        document: dict[str, Any] = {"role": role, "content": self._content(parts, path)}
        if turn.name is not None:
            document["name"] = turn.name
        restore(document, turn.extra, path, self._host.losses)
        self.messages.append(document)
        return document

    def _add_system(self, path: str, turn: Message) -> None:
        wanted = self._host.profile.system_role
        if turn.role is Role.DEVELOPER and wanted != "developer":
            self._host.losses.rewrite(f"{path}.role", f"this host knows the role {wanted} only")
        self._add(wanted, turn.parts, turn, path)

    def _add_user(self, path: str, turn: Message) -> None:
        whole = whole_message(turn)
        if whole is not None:
            self.messages.append(whole)
            return
        moved: list[Part] = []
        said: list[Part] = []
        for number, part in enumerate(turn.parts):
            if type(part) is ToolResult:
                moved.extend(self._add_result(f"{path}.parts[{number}]", part))
            else:
                said.append(part)
        if moved or said or not turn.parts:
            self._add("user", [*moved, *said], turn, path)

    def _add_result(self, path: str, result: ToolResult) -> Sequence[Part]:
        """Write one result; what a tool message cannot hold is returned, for the user message behind it."""
        losses = self._host.losses
        moved: Sequence[Part] = ()
        content: str | list[Written] | None = only_text(result.parts)
        if content is None:
            said = [part for part in result.parts if type(part) is not Media]
            if len(said) < len(result.parts):
                losses.rewrite(f"{path}.parts", "a tool's answer is text only, so the rest follows as the user's")
                moved = [part for part in result.parts if type(part) is Media]
            content = write_content(said, f"{path}.parts", self._host)
        if result.failed:
            losses.rewrite(f"{path}.failed", "this dialect has no field for a failed call, so the text says it")
            content = _as_error(content)
        document = {"role": "tool", "tool_call_id": fitting_id(result.call_id), "content": content or ""}
        if result.cache is not None:
            document.update(write_cache(result.cache, losses))
        restore(document, result.extra, path, losses)
        self._place(document, path)
        return moved

    def _place(self, document: dict[str, Any], path: str) -> None:
        if self._behind is None or self._behind == len(self.messages):
            self.messages.append(document)
        else:
            self._host.losses.rewrite(path, "a result stands directly behind its call")
            self.messages.insert(self._behind, document)
        if self._behind is not None:
            self._behind += 1

    def _add_assistant(self, path: str, turn: Message) -> None:
        losses, field = self._host.losses, self._host.profile.reasoning_field
        thoughts: list[Reasoning] = []
        said: list[Part] = []
        calls: list[tuple[ToolCall | Foreign, str]] = []
        for number, part in enumerate(turn.parts):
            if type(part) is Text:
                said.append(part)
            elif type(part) is ToolCall:
                place = f"{path}.parts[{number}]"
                calls.append((self._fitting(part, place), place))
            elif type(part) is Reasoning and not is_thinking_part(part):
                thoughts.append(part)
            elif type(part) is Reasoning and field is None:
                losses.drop(f"{path}.reasoning", "this host takes no thinking back")
            elif isinstance(part, Foreign) and part.dialect == CHAT and is_call(part):
                calls.append((part, path))
            elif isinstance(part, Media):
                losses.drop(f"{path}.parts[{number}]", "an assistant's message of this dialect holds no media")
            else:
                said.append(part)
        self._add_spoken(path, turn, thoughts=thoughts, said=said, calls=calls)

    def _fitting(self, call: ToolCall, path: str) -> ToolCall:
        id_, signature = fitting_id(call.id), call.signature
        if signature is not None and signature.vendor == GOOGLE and self._host.profile.maker != GOOGLE:
            self._host.losses.drop(f"{path}.signature", "only Google's own models are given their signatures back")
            signature = None
        unchanged = id_ == call.id and signature is call.signature
        return call if unchanged else replace(call, id=id_, signature=signature)

    def _add_spoken(
        self,
        path: str,
        turn: Message,
        *,
        thoughts: Sequence[Reasoning],
        said: list[Part],
        calls: Sequence[tuple[ToolCall | Foreign, str]],
    ) -> None:
        losses, field = self._host.losses, self._host.profile.reasoning_field
        refusal = said.pop() if said and type(said[-1]) is Refusal else None
        document = self._add("assistant", said, turn, path)
        if type(refusal) is Refusal:
            document["refusal"] = refusal.text
        if thoughts:
            document.update(thinking.write_history(thoughts, path, field, losses))
        if calls:
            document["tool_calls"] = write_calls(calls, losses)
        self._behind = len(self.messages) if calls else None


def _as_error(content: str | list[Written] | None) -> str | list[Written]:
    if isinstance(content, list):
        return [{"type": "text", "text": "Error: "}, *content]
    return f"Error: {content or ''}"
