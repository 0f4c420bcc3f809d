"""Model lists: `GET /v1beta/models` and `GET /v1beta/models/{model}`.

Source: https://ai.google.dev/api/models.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.facts import NOTHING_KNOWN, Ability, Mode, ModelFacts
from isthmus.core.models import ModelEntry
from isthmus.dialects.gemini.spelling import Camel
from isthmus.wire import json
from isthmus.wire.json import Malformed

PREFIX = "models/"
_MODES: Mapping[str, Mode] = {"generateContent": Mode.CHAT, "embedContent": Mode.EMBEDDING}
_METHODS = ("generateContent", "streamGenerateContent", "countTokens")


def write_models(entries: Sequence[ModelEntry]) -> bytes:
    """All of them on one page."""
    return json.encode({"models": [_write(entry) for entry in entries]})


def write_model(entry: ModelEntry) -> bytes:
    return json.encode(_write(entry))


def _write(entry: ModelEntry) -> dict[str, object]:
    """Limits are told where they are known: clients take a nought for what it says."""
    told: dict[str, object] = {
        "name": f"{PREFIX}{entry.id}",
        "baseModelId": entry.id,
        "version": "001",
        "displayName": entry.label or entry.id,
        "description": f"Served by {entry.owner}.",
    }
    if entry.input_limit is not None:
        told["inputTokenLimit"] = entry.input_limit
    if entry.output_limit is not None:
        told["outputTokenLimit"] = entry.output_limit
    told["supportedGenerationMethods"] = _METHODS
    return told


def read_models(body: bytes) -> tuple[str, ...]:
    """The ids, in their order and without `models/`. Raises GARBLED for what is no list of models.

    A list that says nothing at all is an empty one, as Protocol Buffers' JSON leaves out empty lists.
    """
    try:
        fields = Camel(body)
        models = fields.each("models")
        if models is None:
            models = fields.each("publisherModels")
        if models is None and fields.names():
            fields.need("models", models)
        return tuple(_read_id(model, f"models[{number}]") for number, model in enumerate(models or ()))
    except Malformed as error:
        raise GatewayError(Kind.GARBLED, f"the provider's list of models: {error.message}") from error


def read_facts(body: bytes) -> Mapping[str, ModelFacts]:
    """Limits and what a model is for, by id. Never raises: what cannot be read is not told."""
    facts: dict[str, ModelFacts] = {}
    with suppress(Malformed):
        for item in Camel(body).each("models") or ():
            with suppress(Malformed):
                told = _read_facts(Camel(item))
                if told != NOTHING_KNOWN:
                    facts[_read_id(item, "models")] = told
    return facts


def _read_facts(fields: Camel) -> ModelFacts:
    methods = fields.texts("supportedGenerationMethods") or ()
    mode = next((_MODES[method] for method in methods if method in _MODES), None)
    thinking = fields.flag("thinking")
    return ModelFacts(
        mode=mode,
        input_limit=fields.integer("inputTokenLimit"),
        output_limit=fields.integer("outputTokenLimit"),
        abilities={} if thinking is None else {Ability.REASONING: thinking},
    )


def _read_id(body: bytes, path: str) -> str:
    """Vertex AI names publishers too ("publishers/google/models/gemini-2.5-pro")."""
    fields = Camel(body, path)
    return fields.need("name", fields.text("name")).rpartition(PREFIX)[2]
