"""Items of type `additional_tools`: tools that stand among the conversation, as newer Codex clients send all of theirs.

The core has one place for tools, so they are lifted into it; this dialect puts the items back where they stood.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Raw

from isthmus.core.chat import ChatRequest, ToolEntry
from isthmus.dialects.openai.responses.extras import Written, labels_of
from isthmus.dialects.openai.responses.tools import read_tools
from isthmus.wire import json
from isthmus.wire.json import Fields

TYPE = "additional_tools"


class AdditionalTools(NamedTuple):
    """`items` are pairs: the place in `input`, and the item. `lifted` are the tools in them."""

    items: list[tuple[int, Raw]]
    lifted: tuple[ToolEntry, ...] = ()

    @classmethod
    def of(cls, request: ChatRequest) -> "AdditionalTools | None":
        """Those of the request, if their tools are still the last of its tools."""
        told = labels_of(request.extra).get(TYPE)
        if told is None:
            return None
        pairs = [json.read_items(pair) for pair in json.read_items(told)]
        found = cls([(int(json.decode(place)), item) for place, item in pairs])
        tools, lifted = request.tools or (), lift(found)
        same = tools[len(tools) - len(lifted) :] == lifted
        return found._replace(lifted=lifted) if same else None

    def others(self, request: ChatRequest) -> Sequence[ToolEntry]:
        """The tools that stand where tools usually do."""
        tools = request.tools or ()
        return tools[: len(tools) - len(self.lifted)]

    def put_back(self, items: Sequence[Written]) -> list[Written]:
        whole = list(items)
        for place, item in self.items:
            whole.insert(place, item)
        return whole


def split_off(items: Sequence[Raw]) -> tuple[list[Raw], AdditionalTools]:
    """The other items, and these with their places."""
    others: list[Raw] = []
    found: list[tuple[int, Raw]] = []
    for place, item in enumerate(items):
        if b'"additional_tools"' in memoryview(item).tobytes() and _is_one(item):
            found.append((place, item))
        else:
            others.append(item)
    return others, AdditionalTools(found)


def _is_one(item: Raw) -> bool:
    kind = json.read_fields(item).get("type")
    return kind is not None and json.is_text(kind) and json.decode(kind) == TYPE


def lift(added: AdditionalTools) -> tuple[ToolEntry, ...]:
    """The tools in these items."""
    found: list[ToolEntry] = []
    for place, item in added.items:
        path = f"input[{place}].tools"
        tools = Fields(item, f"input[{place}]").raw("tools")
        found.extend(read_tools(json.read_items(tools, path), path) if tools is not None else ())
    return tuple(found)
