"""Log probabilities of tokens. OpenAI tells the same items here and in chat completions, which they are kept in.

Source: the OpenAI API reference, `logprobs` of an output text, and of a choice.
"""

from collections.abc import Iterable, Sequence

from msgspec import Raw
from msgspec.structs import replace

from isthmus.core.content import Part, Text
from isthmus.core.losses import Losses
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.openai import CHAT
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed


def read_logprobs(item: Raw) -> list[Raw]:
    """The log probabilities in all the texts of one item of output; none where they cannot be read."""
    try:
        parts = Fields(item).items("content") or []
        return [one for part in parts for one in json.read_items(part.raw("logprobs") or Raw(b"[]"))]
    except Malformed:
        return []


def unweighed(part: Part) -> Part:
    """`part` without the log probabilities that its answer holds."""
    return replace(part, extra=without_logprobs(part.extra)) if isinstance(part, Text) else part


def without_logprobs(extra: Extra | None) -> Extra | None:
    if extra is None or "logprobs" not in extra.fields:
        return extra
    return replace(extra, fields={name: value for name, value in extra.fields.items() if name != "logprobs"})


def as_chat(items: Iterable[Raw]) -> Foreign | None:
    """As a choice of a chat completion holds them."""
    found = list(items)
    return Foreign(CHAT, json.raw({"content": found, "refusal": None})) if found else None


def write_logprobs(logprobs: Foreign | None, path: str, losses: Losses) -> Sequence[Raw]:
    """The list for a text. What is said of a refusal's tokens has no place here."""
    if logprobs is None:
        return ()
    if logprobs.dialect != CHAT:
        losses.drop(f"{path}.logprobs", f"log probabilities in the form of {logprobs.dialect}")
        return ()
    try:
        return json.read_items(json.read_fields(logprobs.body).get("content", _NONE))
    except Malformed:
        losses.drop(f"{path}.logprobs", "log probabilities of no text")
        return ()


_NONE = Raw(b"[]")
