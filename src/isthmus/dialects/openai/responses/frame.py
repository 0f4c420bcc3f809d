"""The response object around an answer: who answers, what of the request is repeated, how it stands.

Source: the OpenAI API reference, "The response object".
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import Raw

from isthmus.core.ids import without_prefix
from isthmus.core.losses import Losses
from isthmus.core.value import Extra
from isthmus.dialects.openai.responses.extras import fields_of, is_ours, labels_of
from isthmus.dialects.openai.responses.names import Called, Names
from isthmus.wire import json

PREFIX = "resp_"
REPEATED = (
    "background",
    "conversation",
    "frequency_penalty",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "presence_penalty",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
    "completed_at",
)
"""What an answer repeats of its request, and when it was complete: nobody but this dialect misses them."""
_UNSAID: Mapping[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}
"""What the API says where a request said nothing; None where its default is the model's secret."""
_NEEDED = ("parallel_tool_calls", "tool_choice", "tools")
_LEAST = {name: value for name, value in _UNSAID.items() if value is None or name in _NEEDED}
"""What clients look for even where a host that resembles OpenAI leaves it out."""


class Frame(NamedTuple):
    """What stays the same in every response object of one answer. `fixed` has the fields without status or output."""

    id: str
    fixed: dict[str, Any]
    names: Names

    def response(self, status: str, output: list[Any], **more: Any) -> dict[str, Any]:
        """The object as it stands. `more` are among error, incomplete_details, usage and leftovers."""
        document = {**self.fixed, "status": status, "error": None, "incomplete_details": None, "output": output}
        return {**document, "usage": None, **more}


def shown_id(id_: str, extra: Extra | None) -> str:
    """The id with this dialect's prefix in place of another's; one that came from this dialect is left as it is."""
    return id_ if is_ours(extra) or id_.startswith(PREFIX) else PREFIX + without_prefix(id_)


def make_frame(id_: str, model: str, created: int, *, extra: Extra | None, echo: Extra | None, losses: Losses) -> Frame:
    """The frame of an answer: with what its provider repeated, if it spoke this dialect, else what the caller said."""
    fixed: dict[str, Any] = {"id": shown_id(id_, extra), "object": "response", "created_at": created, "model": model}
    if is_ours(extra):
        fixed.update({**_LEAST, **labels_of(extra), **fields_of(extra)})
    else:
        losses.drop_extra(extra, "")
        fixed.update({**_UNSAID, **fields_of(echo)})
        fixed["reasoning"] = _whole(fixed["reasoning"])
    return Frame(fixed["id"], fixed, _names(echo))


def _whole(reasoning: Any) -> Any:
    """`reasoning` with both of the fields that clients read."""
    return {"effort": None, "summary": None, **json.read_fields(reasoning)} if type(reasoning) is Raw else reasoning


def _names(echo: Extra | None) -> Names:
    told = labels_of(echo).get("called")
    return {} if told is None else {name: Called(*one) for name, one in json.decode(told).items()}
