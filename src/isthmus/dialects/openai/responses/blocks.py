"""The blocks of a streamed answer while they are written: what is told at the beginning, in between, and at the end.

Source: the OpenAI API reference, "Streaming events".
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.content import Citation, Reasoning, Refusal, Signature, Text
from isthmus.core.losses import Losses
from isthmus.dialects.openai.responses.citations import write_citation
from isthmus.dialects.openai.responses.content import write_text
from isthmus.dialects.openai.responses.extras import labels_of
from isthmus.dialects.openai.responses.items import write_arguments
from isthmus.dialects.openai.responses.names import Called
from isthmus.dialects.openai.responses.said import Item, thought_item
from isthmus.wire import json

Told = tuple[str, dict[str, Any]]
"""An event's name and its fields."""


def _head(name: str, where: dict[str, Any]) -> bytes:
    """The bytes of a delta's event up to its number."""
    return b'event: %b\ndata: %b,"sequence_number":' % (name.encode(), json.encode({"type": name, **where})[:-1])


class SaidBlock:
    """A text or a refusal. `content` is the part as it stands in its message; its text is filled in at the end."""

    def __init__(self, part: Text | Refusal, item_id: str, place: int, content_index: int, path: str) -> None:
        self.part = part
        self.place = place
        self.path = path
        self.pieces: list[str] = []
        self.where = {"item_id": item_id, "output_index": place, "content_index": content_index}
        if isinstance(part, Text):
            self.content: Item = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            self.head = _head("response.output_text.delta", {**self.where, "logprobs": []})
        else:
            self.content = {"type": "refusal", "refusal": ""}
            self.head = _head("response.refusal.delta", self.where)

    def opening(self) -> Iterator[Told]:
        return iter(())

    def cite(self, citation: Citation, losses: Losses) -> Told | None:
        """The event of an annotation, which joins the text."""
        written = write_citation(citation, sum(map(len, self.pieces)), self.path, losses)
        if written is None:
            return None
        cited: list[dict[str, Any] | Raw] = self.content["annotations"]
        cited.append(written)
        fields = {**self.where, "annotation_index": len(cited) - 1, "annotation": written}
        return "response.output_text.annotation.added", fields

    def closing(self, losses: Losses) -> Iterator[Told]:
        text = "".join(self.pieces)
        if isinstance(self.part, Text):
            said = write_text(replace(self.part, text=text), "output_text", self.path, losses)
            self.content.update({name: said[name] for name in said if name not in ("annotations", "logprobs")})
            yield "response.output_text.done", {**self.where, "text": text, "logprobs": []}
        else:
            self.content["refusal"] = text
            yield "response.refusal.done", {**self.where, "refusal": text}
        yield "response.content_part.done", {**self.where, "part": self.content}


class ThoughtBlock:
    """A thought, told in full or as a summary, as its provider told it; a summary where nobody says."""

    def __init__(self, thought: Reasoning, item_id: str, place: int, path: str) -> None:
        self.thought = thought
        self.id = item_id
        self.place = place
        self.path = path
        self.pieces: list[str] = []
        self.signature: Signature | None = None
        self._in_full = "in_full" in labels_of(thought.extra)
        index = {"content_index": 0} if self._in_full else {"summary_index": 0}
        self.where = {"item_id": self._item_id(), "output_index": place, **index}
        self._kind = "reasoning_text" if self._in_full else "summary_text"
        self._name = "response.reasoning_text" if self._in_full else "response.reasoning_summary_text"
        self._part = "response.content_part" if self._in_full else "response.reasoning_summary_part"
        self.head = _head(f"{self._name}.delta", self.where)

    def _item_id(self) -> str:
        said = labels_of(self.thought.extra).get("id")
        return self.id if said is None else str(json.decode(said))

    def opening(self) -> Iterator[Told]:
        yield f"{self._part}.added", {**self.where, "part": {"type": self._kind, "text": ""}}

    def closing(self, _losses: Losses) -> Iterator[Told]:
        if self.pieces:
            text = "".join(self.pieces)
            yield f"{self._name}.done", {**self.where, "text": text}
            yield f"{self._part}.done", {**self.where, "part": {"type": self._kind, "text": text}}

    def begun(self, losses: Losses) -> Item:
        """The item before anything of it was told."""
        item = thought_item(replace(self.thought, text=""), self.id, self.path, losses)
        item.pop("encrypted_content", None)
        return {**item, "summary": [], **({"content": []} if self._in_full else {})}

    def item(self, losses: Losses) -> Item:
        thought = replace(self.thought, text="".join(self.pieces), signature=self.signature)
        return thought_item(thought, self.id, self.path, losses)


class CallBlock:
    """A call. A function's arguments are told as they come; a custom tool's input must be whole to be read."""

    def __init__(self, target: Called, item: Item, place: int, path: str) -> None:
        self.place = place
        self.path = path
        self.pieces: list[str] = []
        self._target = target
        self._item = item
        self._field = "input" if target.custom else "arguments"
        self._name = "response.custom_tool_call_input" if target.custom else "response.function_call_arguments"
        self.where = {"item_id": item["id"], "output_index": place}
        self.head = b"" if target.custom else _head(f"{self._name}.delta", self.where)

    def opening(self) -> Iterator[Told]:
        return iter(())

    def begun(self) -> Item:
        """The item before it is known what the tool is called with."""
        return {**self._item, "status": "in_progress", self._field: ""}

    def closing(self, losses: Losses) -> Iterator[Told]:
        said = write_arguments("".join(self.pieces), self._target, self.path, losses)
        self._item.update(said)
        if self._target.custom or not self.pieces:
            yield f"{self._name}.delta", {**self.where, "delta": said[self._field]}
        named = {} if self._target.custom else {"name": self._target.name}
        yield f"{self._name}.done", {**self.where, **named, **said}

    def item(self, _losses: Losses) -> Item:
        return self._item


Block: TypeAlias = SaidBlock | ThoughtBlock | CallBlock
