"""What is answered without asking a provider: models, health, readiness, and what is served at all."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from isthmus import __version__
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.models import ModelEntry
from isthmus.core.value import Value
from isthmus.dialects.listings import LISTINGS, Listing
from isthmus.engine.exchange import Call
from isthmus.engine.live import Now
from isthmus.engine.serve import plan_for
from isthmus.server.endpoints import ENDPOINTS, Serves
from isthmus.server.routes import Route
from isthmus.wire import json
from isthmus.wire.headers import Headers

_NO_SOCKET = 'responses are not streamed over a WebSocket here; send POST /v1/responses with "stream": true'


class Page(Value, frozen=True):
    """A small JSON answer."""

    status: int
    body: bytes
    headers: Headers = ()


Health = Callable[[], Mapping[str, object]]
"""What the parts of the gateway say of themselves, for people; empty when stopping counts as unready."""


def answer_page(route: Route, call: Call, *, now: Now, health: Health, trusted: bool) -> Page:
    """The page behind a route. Raises UNKNOWN_MODEL for a model that nobody offers."""
    match route.serves:
        case Serves.MODELS:
            listing = LISTINGS[call.codec.dialect]
            return Page(200, listing.write_models([_shown(now, entry, listing) for entry in entries(now)]))
        case Serves.MODEL:
            listing = LISTINGS[call.codec.dialect]
            return Page(200, listing.write_model(_shown(now, _entry(now, route.rest), listing)))
        case Serves.SOCKET:
            raise GatewayError(Kind.INVALID, _NO_SOCKET, status=426)
        case Serves.ROOT:
            routes = sorted(f"{method} {path}" for path, methods in ENDPOINTS.items() for method in methods)
            return Page(
                200, json.encode({"message": "Isthmus, an LLM gateway", "version": __version__, "endpoints": routes})
            )
        case Serves.READY:
            ready = bool(health()["ready"]) and bool(now.snapshot.providers)
            return Page(200 if ready else 503, json.encode({"ready": ready}))
        case _:
            found = dict(health()) if trusted else {}
            found.pop("ready", None)
            return Page(200, json.encode({"status": "ok", **found}))


def entries(now: Now) -> tuple[ModelEntry, ...]:
    """Every name that can be listed, in the order of configuration."""
    return tuple(ModelEntry(id=name, owner=owner) for name, owner in now.directory.names())


def _entry(now: Now, name: str) -> ModelEntry:
    """The entry of one name: every name that can be asked for has one, also those that no list holds."""
    for entry in entries(now):
        if entry.id == name:
            return entry
    plan = plan_for(name, now.directory)
    return ModelEntry(id=name, owner=plan.targets[0].provider)


def _shown(now: Now, entry: ModelEntry, listing: Listing) -> ModelEntry:
    """The entry with what is known of the model that answers first, in a dialect that has words for it."""
    if not listing.shows_facts:
        return entry
    target = now.directory.plan(entry.id).targets[0]
    told = now.told.get(target.provider, {}).get(target.model)
    facts = now.snapshot.facts(target.provider, target.model, told)
    return replace(
        entry,
        input_limit=facts.input_limit or facts.context_limit,
        output_limit=facts.output_limit,
        abilities=facts.abilities,
    )
