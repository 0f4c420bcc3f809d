"""The list of models: written as GET /v1/models of the OpenAI API, read from any host that resembles it.

Source: the OpenAI API reference, "List models" and "Retrieve model".
"""

from collections.abc import Sequence

from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.models import ModelEntry
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_LISTS = ("data", "models")
_NAMES = ("id", "name", "model", "slug")
_HIDDEN = (Raw(b'"hide"'), Raw(b'"none"'))
"""What the Codex backend says of models that are not for people to choose: github.com/openai/codex."""


def write_models(entries: Sequence[ModelEntry]) -> bytes:
    """The body of GET /v1/models."""
    return json.encode({"object": "list", "data": [_entry(entry) for entry in entries]})


def write_model(entry: ModelEntry) -> bytes:
    """The body of GET /v1/models/{id}."""
    return json.encode(_entry(entry))


def _entry(entry: ModelEntry) -> dict[str, object]:
    return {"id": entry.id, "object": "model", "created": entry.created or 0, "owned_by": entry.owner}


def read_models(body: bytes) -> tuple[str, ...]:
    """The ids in a list of models, under any of the names that hosts give them. Raises GARBLED."""
    try:
        names = [_name(item) for item in _items(body)]
    except Malformed as error:
        raise GatewayError(Kind.GARBLED, f"the provider's list of models: {error.message}") from error
    return tuple(name for name in names if name)


def _items(body: bytes) -> list[Raw]:
    if body.lstrip()[:1] == b"[":
        return json.read_items(body)
    fields = Fields(body)
    for name in _LISTS:
        if (items := fields.raw(name)) is not None:
            return json.read_items(items, name)
    raise Malformed("neither data nor models is there")


def _name(item: Raw) -> str | None:
    if json.is_text(item):
        return str(json.decode(item))
    fields = Fields(item)
    if fields.look("visibility") in _HIDDEN:
        return None
    return next((name for key in _NAMES if (name := fields.text(key)) is not None), None)
