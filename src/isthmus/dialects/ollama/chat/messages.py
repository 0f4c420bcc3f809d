"""The conversation: messages of four roles on the wire, turns with results among their parts in the core.

A run of `tool` messages and the user message behind it are one user turn; the writer splits it again. A result names
its call by id where the server gives ids, else by the tool's name, else by its place; templates go by the place alone,
so results are written in the order of their calls, directly behind them.

Source: https://docs.ollama.com/api/chat.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Raw

from isthmus.core.chat import SILENT, Message, Role
from isthmus.core.content import Part, Reasoning, Text, ToolCall, ToolResult, only_text
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Foreign
from isthmus.dialects.ollama import OLLAMA
from isthmus.dialects.ollama.calls import drop_mark, read_calls, write_call
from isthmus.dialects.ollama.extras import SAID, hollow, is_marked, keep, kept, restore, unmarked
from isthmus.dialects.ollama.metrics import invented_id
from isthmus.dialects.ollama.pictures import read_images
from isthmus.dialects.ollama.words import Placed, Spoken, write_spoken, write_thoughts
from isthmus.wire import json
from isthmus.wire.json import Fields

_BLANK = Text("")
_ROLES: Mapping[str, Role] = {
    "system": Role.SYSTEM,
    "developer": Role.DEVELOPER,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
_EMPTY_IN_HISTORY = ("thinking", "images", "tool_calls")


def read_messages(items: Sequence[Raw]) -> tuple[Message, ...]:
    """The turns of the list `messages`. A message of a role that we do not know is kept as a turn of its own."""
    reading = _Reading()
    for number, item in enumerate(items):
        reading.add(item, f"messages[{number}]")
    return reading.end()


class _Reading:
    """The turns while they are read. `_open` are calls not answered yet; `_results` wait for the turn they open."""

    def __init__(self) -> None:
        self._turns: list[Message] = []
        self._results: list[Part] = []
        self._open: list[ToolCall] = []

    def add(self, item: Raw, path: str) -> None:
        fields = Fields(item, path)
        word = fields.need("role", fields.text("role"))
        if word == "tool":
            self._results.append(self._read_result(fields))
        elif (role := _ROLES.get(word)) is None:
            self._close(Message(Role.USER, (Foreign(OLLAMA, item),)))
        else:
            self._close(self._read_turn(role, fields))

    def end(self) -> tuple[Message, ...]:
        if self._results:
            self._turns.append(Message(Role.USER, tuple(self._results)))
        return tuple(self._turns)

    def _close(self, turn: Message) -> None:
        """`turn` follows: joined with the results that wait, where it is the user's."""
        if self._results and turn in SILENT:
            return
        if self._results and turn.role is Role.USER and turn.extra is None and whole_message(turn) is None:
            turn = Message(Role.USER, (*self._results, *turn.parts))
        elif self._results:
            self._turns.append(Message(Role.USER, tuple(self._results)))
        self._results = []
        self._turns.append(turn)

    def _read_turn(self, role: Role, fields: Fields) -> Message:
        thoughts = (Reasoning(thinking),) if (thinking := fields.text("thinking")) else ()
        images, content = read_images(fields), fields.text("content")
        calls = read_calls(fields, fields.path)
        self._open = list(calls)
        parts: tuple[Part, ...] = (*thoughts, *images, *(() if content is None else (Text(content),)), *calls)
        spoken = tuple(part for part in parts if part != _BLANK)
        return Message(role, spoken or parts[:1], extra=kept(keep(fields)))

    def _read_result(self, fields: Fields) -> ToolResult:
        hollow(fields, _EMPTY_IN_HISTORY)
        id_, name = fields.text("tool_call_id"), fields.text("tool_name")
        content, images = fields.text("content"), read_images(fields)
        call = self._answered(id_, name)
        left = keep(fields)
        if not id_:
            left["tool_call_id"] = SAID
            id_ = "call_" + invented_id(fields.path) if call is None else call.id
        if call is None or name != call.name:
            left["tool_name"] = SAID if name is None else json.raw(name)
        words = (Text(content),) if content else ()
        return ToolResult(id_, (*images, *words), extra=kept(left))

    def _answered(self, id_: str | None, name: str | None) -> ToolCall | None:
        """The call that a result belongs to. It is answered from now on."""
        tests: tuple[Callable[[ToolCall], bool], ...] = (
            (lambda call: call.id == id_,) if id_ else (lambda call: call.name == name, lambda _: name is None)
        )
        for test in tests:
            for number, call in enumerate(self._open):
                if test(call):
                    return self._open.pop(number)
        return None


def whole_message(turn: Message) -> Raw | None:
    """The message of an unknown role that `turn` keeps."""
    if len(turn.parts) != 1 or type(part := turn.parts[0]) is not Foreign or part.dialect != OLLAMA:
        return None
    return part.body if b'"role"' in bytes(part.body) and "role" in json.read_fields(part.body) else None


def write_messages(turns: Iterable[Message], profile: ModelProfile, losses: Losses) -> list[dict[str, Any] | Raw]:
    """The list `messages` for `turns`."""
    conversation = _Conversation(profile, losses)
    for number, turn in enumerate(turns):
        conversation.add(f"messages[{number}]", turn)
    return conversation.messages


class _Conversation:
    """The list while it grows. `_calls` are those of the last assistant turn that called, `_behind` the place after it
    and the results that follow it.
    """

    def __init__(self, profile: ModelProfile, losses: Losses) -> None:
        self.messages: list[dict[str, Any] | Raw] = []
        self._profile = profile
        self._losses = losses
        self._names: dict[str, str] = {}
        self._calls: list[str] = []
        self._behind: int | None = None

    def add(self, path: str, turn: Message) -> None:
        words = only_text(turn.parts)
        if words is not None and turn.name is None and turn.extra is None and turn.role is not Role.DEVELOPER:
            self._add_words(turn.role, words)
        elif (whole := whole_message(turn)) is not None:
            self.messages.append(whole)
        elif turn.role is Role.ASSISTANT:
            self._add_assistant(path, turn)
        elif turn.role is Role.USER:
            self._add_user(path, turn)
        else:
            self._add_system(path, turn)

    def _add_words(self, role: Role, words: str) -> None:
        """A turn that is text and nothing more, as most are."""
        self.messages.append({"role": role.value, "content": words})
        if role is Role.ASSISTANT:
            self._calls, self._behind = [], None

    def _add(self, role: str, spoken: Spoken, turn: Message, path: str) -> dict[str, Any]:
        document = _message(role, spoken)
        if turn.name is not None:
            self._losses.drop(f"{path}.name", "a message of this dialect has no name")
        restore(document, turn.extra, path, self._losses)
        self.messages.append(document)
        return document

    def _spoken(self, parts: Iterable[Placed], path: str) -> Spoken:
        return write_spoken(parts, path, self._profile, self._losses)

    def _add_system(self, path: str, turn: Message) -> None:
        wanted = self._profile.system_role
        if turn.role is Role.DEVELOPER and wanted != "developer":
            self._losses.rewrite(f"{path}.role", f"this model knows the role {wanted} only")
        self._add(wanted, self._spoken(_placed(turn, path), path), turn, path)

    def _add_user(self, path: str, turn: Message) -> None:
        results = [(at, part) for at, part in _placed(turn, path) if isinstance(part, ToolResult)]
        said = [(at, part) for at, part in _placed(turn, path) if not isinstance(part, ToolResult)]
        for at, result in self._in_order(results, path):
            self._add_result(at, result)
        if said or not results:
            self._add("user", self._spoken(said, path), turn, path)

    def _in_order(self, results: Sequence[tuple[str, ToolResult]], path: str) -> Sequence[tuple[str, ToolResult]]:
        places = {id_: place for place, id_ in enumerate(self._calls)}
        ordered = sorted(results, key=lambda one: places.get(one[1].call_id, len(places)))
        if ordered != results:
            self._losses.rewrite(f"{path}.parts", "results stand in the order of their calls, which is how they match")
        return ordered

    def _add_result(self, path: str, result: ToolResult) -> None:
        spoken = self._spoken(((f"{path}.parts[{n}]", part) for n, part in enumerate(result.parts)), path)
        if result.failed:
            self._losses.rewrite(f"{path}.failed", "this dialect has no field for a failed call, so the text says it")
            spoken = spoken._replace(text=f"Error: {spoken.text}")
        drop_mark(result.cache, self._losses)
        document = _message("tool", spoken)
        name = self._names.get(result.call_id)
        if name is not None and not is_marked(result.extra, "tool_name"):
            document["tool_name"] = name
        if not is_marked(result.extra, "tool_call_id"):
            document["tool_call_id"] = result.call_id
        restore(document, unmarked(result.extra, "tool_name", "tool_call_id"), path, self._losses)
        self._place(document, path)

    def _place(self, document: dict[str, Any], path: str) -> None:
        if self._behind is None or self._behind == len(self.messages):
            self.messages.append(document)
        else:
            self._losses.rewrite(path, "a result stands directly behind its call")
            self.messages.insert(self._behind, document)
        if self._behind is not None:
            self._behind += 1

    def _add_assistant(self, path: str, turn: Message) -> None:
        placed = _placed(turn, path)
        said = [(at, part) for at, part in placed if not isinstance(part, Reasoning | ToolCall)]
        calls = [(at, part) for at, part in placed if isinstance(part, ToolCall)]
        document = self._add("assistant", self._spoken(said, path), turn, path)
        if thinking := write_thoughts(placed, path, self._losses):
            document["thinking"] = thinking
        if calls:
            document["tool_calls"] = [write_call(call, at, self._losses) for at, call in calls]
        self._names.update((call.id, call.name) for _, call in calls)
        self._calls = [call.id for _, call in calls]
        self._behind = len(self.messages) if calls else None


def _placed(turn: Message, path: str) -> list[Placed]:
    return [(f"{path}.parts[{number}]", part) for number, part in enumerate(turn.parts)]


def _message(role: str, spoken: Spoken) -> dict[str, Any]:
    document: dict[str, Any] = {"role": role, "content": spoken.text}
    if spoken.images:
        document["images"] = spoken.images
    return document
