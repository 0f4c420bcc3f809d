"""The items of an answer as clients of this dialect are told them: each with an id, a type and a state.

Source: the OpenAI API reference, "The response object", `output`.
"""

from collections.abc import Sequence
from typing import Any

from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from isthmus.core.losses import Losses
from isthmus.core.value import Foreign
from isthmus.dialects.openai import RESPONSES
from isthmus.dialects.openai.responses.content import is_content, write_text
from isthmus.dialects.openai.responses.extras import Written, is_ours, labels_of
from isthmus.dialects.openai.responses.items import CUSTOM_CALL, MESSAGE, around_of, write_call, write_thought
from isthmus.dialects.openai.responses.names import Names, item_id
from isthmus.dialects.openai.responses.signatures import write_proof
from isthmus.wire import json

Item = dict[str, Any]


def message_item(id_: str, content: Sequence[Written], around: dict[str, Any] | None, status: str) -> Item:
    """A message of the assistant. `around` is what was told of it where it came from."""
    told = {name: value for name, value in (around or {}).items() if name != "type"}
    if "id" in told:
        id_ = str(json.decode(told.pop("id")))
    return {"type": MESSAGE, "id": id_, "status": status, "role": "assistant", "content": content, **told}


def finished(written: Item, *seeds: object) -> Item:
    """A call as an item of an answer, complete."""
    prefix = "ctc" if written["type"] == CUSTOM_CALL else "fc"
    return {"type": written["type"], "id": item_id(prefix, *seeds), "status": "completed", **written}


def thought_item(part: Reasoning, id_: str, path: str, losses: Losses) -> Item:
    """A thought with its proof. One that is nobody's is marked as ours, so that clients keep it."""
    written = write_thought(part, proof_of(part), path, losses)
    return {"type": written["type"], "id": id_, "summary": [], **written}


def proof_of(part: Reasoning) -> str | None:
    """What stands for the signature; None where this dialect's own provider gave none."""
    if part.signature is None and is_ours(part.extra) and "unsigned" not in labels_of(part.extra):
        return None
    return write_proof(part.signature, redacted=part.redacted)


class Output:
    """The list `output` while it grows. Ids are made of `seed` and the place, so they stay the same in one answer."""

    def __init__(self, seed: str, names: Names, losses: Losses) -> None:
        self.items: list[Written] = []
        self._seed = seed
        self._names = names
        self._losses = losses
        self._open: Item | None = None

    def add(self, part: Part, path: str) -> None:
        match part:
            case Text():
                self._say(write_text(part, "output_text", path, self._losses), part)
            case Refusal():
                self._say({"type": "refusal", "refusal": part.text}, part)
            case Foreign() if part.dialect == RESPONSES and is_content(part):
                self._say(part.body, part)
            case _:
                self._add_item(part, path)

    def _say(self, content: Written, part: Part) -> None:
        around = around_of(part)
        if isinstance(content, dict) and not is_ours(getattr(part, "extra", None)) and content["type"] != "refusal":
            content.setdefault("logprobs", [])
        if self._open is None or around is not None:
            self._open = message_item(self._id("msg"), [], around, "completed")
            self.items.append(self._open)
        self._open["content"].append(content)

    def _add_item(self, part: Part, path: str) -> None:
        losses = self._losses
        match part:
            case ToolCall():
                written = write_call(part, self._names, path, losses)
                self._put(finished(written, self._seed, len(self.items)))
            case Reasoning():
                self._put(thought_item(part, self._id("rs"), path, losses))
            case Foreign() if part.dialect == RESPONSES:
                self._put(part.body)
            case Foreign():
                losses.drop(path, f"only {part.dialect} knows this item")
            case Media():
                losses.drop(path, f"a reply of this dialect holds no {part.kind}")
            case ToolResult():
                losses.drop(path, "a reply holds no tool results of the caller")

    def _put(self, item: Written) -> None:
        self.items.append(item)
        self._open = None

    def _id(self, prefix: str) -> str:
        return item_id(prefix, self._seed, len(self.items))


def first_text(items: Sequence[Written]) -> dict[str, Any] | None:
    """The first text in these items."""
    for item in items:
        for content in item["content"] if isinstance(item, dict) and item["type"] == MESSAGE else ():
            if isinstance(content, dict) and content["type"] == "output_text":
                return content
    return None
