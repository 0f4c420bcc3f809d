"""Model lists: `GET /v1/models` and `GET /v1/models/{id}`.

Source: https://docs.anthropic.com/en/api/models-list; the limits and capabilities are those of the type ModelInfo in
Anthropic's own client.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.facts import Ability, ModelFacts
from isthmus.core.models import ModelEntry
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_CAPABILITIES: Mapping[str, Ability] = {
    "image_input": Ability.VISION,
    "pdf_input": Ability.PDF,
    "structured_outputs": Ability.SCHEMA,
    "thinking": Ability.REASONING,
}


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


def _write(entry: ModelEntry) -> dict[str, object]:
    """An unknown day of release is told as the first of Unix time, as Anthropic does; an unknown limit is not told."""
    limits = {"max_input_tokens": entry.input_limit, "max_tokens": entry.output_limit}
    return {
        "type": "model",
        "id": entry.id,
        "display_name": entry.label or entry.id,
        "created_at": datetime.fromtimestamp(entry.created or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **{name: limit for name, limit in limits.items() if limit is not None},
    }


def read_models(body: bytes) -> tuple[str, ...]:
    """The ids, in their order. Raises GARBLED for what is no list of models."""
    try:
        fields = Fields(body)
        models = fields.need("data", fields.items("data"))
        return tuple(model.need("id", model.text("id")) for model in models)
    except Malformed as error:
        raise GatewayError(Kind.GARBLED, f"the provider's list of models: {error.message}") from error


def read_facts(body: bytes) -> Mapping[str, ModelFacts]:
    """What the list tells of its models beside their names. {} for what is no list, or not understood."""
    try:
        models = Fields(body).items("data") or []
        told = {model.text("id") or "": _facts(model) for model in models}
    except (Malformed, ValueError):
        return {}
    return {name: facts for name, facts in told.items() if name and facts != ModelFacts()}


def _facts(model: Fields) -> ModelFacts:
    retires = model.text("retires_at")
    return ModelFacts(
        input_limit=model.integer("max_input_tokens"),
        output_limit=model.integer("max_tokens"),
        abilities=dict(_abilities(model.fields("capabilities"))),
        retires=date.fromisoformat(retires[:10]) if retires else None,
    )


def _abilities(capabilities: Fields | None) -> Iterator[tuple[Ability, bool]]:
    for name, ability in _CAPABILITIES.items():
        told = capabilities.fields(name) if capabilities else None
        if told is not None and (supported := told.flag("supported")) is not None:
            yield ability, supported
