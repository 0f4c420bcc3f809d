"""Model lists: `GET /v1/models` and `GET /v1/models/{id}`.

Source: https://docs.anthropic.com/en/api/models-list.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.models import ModelEntry
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed


def write_models(entries: Sequence[ModelEntry]) -> bytes:
    """All of them on one page."""
    return json.encode(
        {
            "data": [_write(entry) for entry in entries],
            "has_more": False,
            "first_id": entries[0].id if entries else None,
            "last_id": entries[-1].id if entries else None,
        }
    )


def write_model(entry: ModelEntry) -> bytes:
    return json.encode(_write(entry))


def _write(entry: ModelEntry) -> dict[str, str]:
    """An unknown day of release is told as the first of Unix time, as Anthropic does."""
    return {
        "type": "model",
        "id": entry.id,
        "display_name": entry.label or entry.id,
        "created_at": datetime.fromtimestamp(entry.created or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def read_models(body: bytes) -> tuple[str, ...]:
    """The ids, in their order. Raises GARBLED for what is no list of models."""
    try:
        fields = Fields(body)
        models = fields.need("data", fields.items("data"))
        return tuple(model.need("id", model.text("id")) for model in models)
    except Malformed as error:
        raise GatewayError(Kind.GARBLED, f"the provider's list of models: {error.message}") from error
