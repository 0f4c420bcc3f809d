"""The pages about models: GET /api/tags, POST /api/show, GET /api/ps and GET /api/version.

Models here are served and not stored: there is no file, so sizes are 0 and a digest is made of the name.

Source: https://docs.ollama.com/api/tags, /api/show, /api/ps, /api/version.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.facts import Ability
from isthmus.core.models import ModelEntry
from isthmus.core.profile import ModelProfile, ReasoningStyle
from isthmus.dialects.ollama.asked import invalid
from isthmus.dialects.ollama.metrics import write_time
from isthmus.wire import json
from isthmus.wire.json import Malformed

VERSION = "0.12.10"
"""The server whose API is spoken here. Clients compare it with the oldest one that they can use."""
NEVER = "9999-12-31T23:59:59Z"
"""When a model is unloaded that is not loaded here."""
_TOOLS, _VISION, _THINKING = "tools", "vision", "thinking"
_ABILITIES: Mapping[str, Ability] = {
    _TOOLS: Ability.TOOLS,
    _VISION: Ability.VISION,
    _THINKING: Ability.REASONING,
}


def write_models(entries: Sequence[ModelEntry]) -> bytes:
    """The body of GET /api/tags."""
    return json.encode({"models": [_listed(entry) for entry in entries]})


def write_model(entry: ModelEntry) -> bytes:
    """One item of that list."""
    return json.encode(_listed(entry))


def write_loaded(entries: Sequence[ModelEntry]) -> bytes:
    """The body of GET /api/ps: what is served is as good as loaded, and stays so."""
    return json.encode({"models": [_loaded(entry) for entry in entries]})


def write_version(version: str = VERSION) -> bytes:
    """The body of GET /api/version."""
    return json.encode({"version": version})


def write_show(entry: ModelEntry, profile: ModelProfile) -> bytes:
    """The body of the answer to POST /api/show."""
    family = _family(entry)
    information: dict[str, object] = {"general.architecture": family, "general.basename": entry.label or entry.id}
    if entry.input_limit is not None:
        information[f"{family}.context_length"] = entry.input_limit
    document = {
        "license": "",
        "modelfile": f"# served by {entry.owner}\nFROM {entry.id}\n",
        "parameters": "" if entry.output_limit is None else f"num_predict {entry.output_limit}",
        "template": "{{ .Prompt }}",
        "details": _details(entry),
        "model_info": information,
        "capabilities": capabilities(entry, profile),
        "modified_at": write_time(entry.created),
    }
    return json.encode(document)


def read_show(body: bytes) -> str:
    """The model that POST /api/show asks for, under its old name too. Raises INVALID."""
    try:
        fields = json.document(body)
        model = fields.text("model") or fields.text("name") or None
        return fields.need("model", model)
    except Malformed as error:
        raise invalid(error) from error


def read_models(body: bytes) -> tuple[str, ...]:
    """The names in an answer of GET /api/tags. Raises GARBLED for what is no list."""
    try:
        fields = json.document(body)
        items = fields.need("models", fields.items("models"))
        names = [item.text("model") or item.text("name") for item in items]
    except Malformed as error:
        raise GatewayError(Kind.GARBLED, f"the provider's list of models: {error.message}") from error
    return tuple(name for name in names if name)


def capabilities(entry: ModelEntry, profile: ModelProfile) -> list[str]:
    """Ollama's words for what the model can do: what is known of it, else what its profile says."""
    likely = {_TOOLS: True, _VISION: profile.images, _THINKING: profile.reasoning is not ReasoningStyle.NONE}
    found = [word for word, able in likely.items() if entry.abilities.get(_ABILITIES[word], able)]
    return ["completion", *found]


def _listed(entry: ModelEntry) -> dict[str, object]:
    return {
        "name": entry.id,
        "model": entry.id,
        "modified_at": write_time(entry.created),
        "size": 0,
        "digest": sha256(entry.id.encode()).hexdigest(),
        "details": _details(entry),
    }


def _loaded(entry: ModelEntry) -> dict[str, object]:
    document = _listed(entry)
    del document["modified_at"]
    more: dict[str, object] = {"expires_at": NEVER, "size_vram": 0}
    if entry.input_limit is not None:
        more["context_length"] = entry.input_limit
    return {**document, **more}


def _details(entry: ModelEntry) -> dict[str, object]:
    family = _family(entry)
    return {
        "parent_model": "",
        "format": "",
        "family": family,
        "families": [family],
        "parameter_size": "",
        "quantization_level": "",
    }


def _family(entry: ModelEntry) -> str:
    """Who serves the model stands in for the family of its weights, which nobody tells."""
    return entry.owner or "unknown"
