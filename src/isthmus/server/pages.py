"""What is answered without asking a provider: models, health, readiness, and what is served at all."""

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qs

from msgspec.structs import replace

from isthmus import __version__
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.models import ModelEntry
from isthmus.core.operations import Operation
from isthmus.core.value import Value
from isthmus.dialects.listings import LISTINGS, Listing
from isthmus.dialects.ollama import models as ollama
from isthmus.engine.clients import ANYONE, Client
from isthmus.engine.exchange import Call
from isthmus.engine.live import Now
from isthmus.engine.past import Past
from isthmus.engine.permits import may_ask, nothing_permitted
from isthmus.engine.serve import plan_for
from isthmus.engine.snapshot import METRICS_PATH
from isthmus.server.endpoints import ENDPOINTS, Serves
from isthmus.server.routes import Route
from isthmus.wire import json
from isthmus.wire.headers import Headers

_NO_SOCKET = 'responses are not streamed over a WebSocket here; send POST /v1/responses with "stream": true'


_MANAGED = (
    "models are not pulled, pushed, made, copied or deleted here: this gateway's configuration says which are served"
    " (isthmus.yaml, providers and routes)"
)


class Page(Value, frozen=True):
    """An answer that is held whole; JSON, for most."""

    status: int
    body: bytes
    headers: Headers = ()
    content_type: bytes = b"application/json"


Health = Callable[[], Mapping[str, object]]
"""What the parts of the gateway say of themselves, for people; empty when stopping counts as unready."""


class Recent(NamedTuple):
    """What is kept of finished exchanges, by their ids, for a while: the ledger of one, and all that was decided."""

    losses: Callable[[str], Losses | None]
    past: Callable[[str], Past | None]


class Visit(Value, frozen=True):
    """One request for a page. `body` is the request's, b"" for a page that reads none.

    `trusted`: the caller may see more of the gateway than that it lives; `accounts` is what they may see of those.
    `client` is who asks for models.
    """

    route: Route
    call: Call
    now: Now
    body: bytes
    query: bytes
    health: Health
    trusted: bool
    accounts: Mapping[str, object] = {}
    client: Client = ANYONE

    @property
    def listing(self) -> Listing:
        return LISTINGS[self.call.codec.dialect]


def answer_page(visit: Visit) -> Page:
    """The page behind a route. Raises UNKNOWN_MODEL for a model that nobody offers."""
    assert visit.route.serves is not None  # noqa: S101  a route without a page was refused before
    return PAGES[visit.route.serves](visit)


def _models(visit: Visit) -> Page:
    listing = visit.listing
    return Page(200, listing.write_models([_shown(visit.now, entry, listing) for entry in _listed(visit)]))


def _model(visit: Visit) -> Page:
    listing = visit.listing
    _check_model(visit, visit.route.rest)
    return Page(200, listing.write_model(_shown(visit.now, _entry(visit.now, visit.route.rest), listing)))


def _socket(visit: Visit) -> Page:  # noqa: ARG001  a page
    raise GatewayError(Kind.INVALID, _NO_SOCKET, status=426)


def _root(visit: Visit) -> Page:
    moved = {METRICS_PATH: visit.now.snapshot.metrics_path}
    paths = [(moved.get(path, path), methods) for path, methods in ENDPOINTS.items()]
    routes = sorted(f"{method} {path}" for path, methods in paths if path is not None for method in methods)
    return Page(200, json.encode({"message": "Isthmus, an LLM gateway", "version": __version__, "endpoints": routes}))


def _ready(visit: Visit) -> Page:
    ready = bool(visit.health()["ready"]) and bool(visit.now.snapshot.providers)
    return Page(200 if ready else 503, json.encode({"ready": ready}))


def _health(visit: Visit) -> Page:
    found = {"version": __version__, **visit.accounts, **visit.health()} if visit.trusted else {}
    found.pop("ready", None)
    word = "healthy" if parse_qs(visit.query.decode("latin-1")).get("format") == ["bedrock"] else "ok"
    return Page(200, json.encode({"status": word, **found}))


def _show(visit: Visit) -> Page:
    """POST /api/show, Ollama's question for one model."""
    name = ollama.read_show(visit.body)
    _check_model(visit, name)
    target = plan_for(name, visit.now.directory).targets[0]
    profile = visit.now.snapshot.providers[target.provider].profile(target.model)
    return Page(200, ollama.write_show(_shown(visit.now, _entry(visit.now, name), visit.listing), profile))


def _loaded(visit: Visit) -> Page:
    return Page(200, ollama.write_loaded(_listed(visit)))


def _ollama_version(visit: Visit) -> Page:  # noqa: ARG001  a page
    return Page(200, ollama.write_version())


def _managed(visit: Visit) -> Page:  # noqa: ARG001  a page
    raise GatewayError(Kind.UNSUPPORTED, _MANAGED, status=501)


PAGES: Mapping[Serves, Callable[[Visit], Page]] = {
    Serves.MODELS: _models,
    Serves.MODEL: _model,
    Serves.SHOW: _show,
    Serves.LOADED: _loaded,
    Serves.OLLAMA_VERSION: _ollama_version,
    Serves.MANAGED: _managed,
    Serves.SOCKET: _socket,
    Serves.ROOT: _root,
    Serves.READY: _ready,
    Serves.HEALTH: _health,
}


def entries(now: Now) -> tuple[ModelEntry, ...]:
    """Every name that can be listed, in the order of configuration."""
    return tuple(ModelEntry(id=name, owner=_owner(now, name, owner)) for name, owner in now.directory.names())


def _listed(visit: Visit) -> tuple[ModelEntry, ...]:
    """Those that the client may ask for."""
    found, permits = entries(visit.now), visit.client.permits
    return found if permits is None else tuple(entry for entry in found if may_ask(entry.id, permits, visit.now))


def _check_model(visit: Visit, name: str) -> None:
    """Raises UNKNOWN_MODEL, or FORBIDDEN where the client may not ask for it."""
    plan, permits = plan_for(name, visit.now.directory), visit.client.permits
    if permits is not None and not may_ask(name, permits, visit.now):
        raise nothing_permitted(permits, plan, name)


def _entry(now: Now, name: str) -> ModelEntry:
    """The entry of one name: every name that can be asked for has one, also those that no list holds."""
    for entry in entries(now):
        if entry.id == name:
            return entry
    plan = plan_for(name, now.directory)
    target = plan.targets[0]
    return ModelEntry(id=name, owner=_owner(now, target.model, target.provider))


def _owner(now: Now, model: str, owner: str) -> str:
    """Who serves it, but for Claude at Bedrock, which is listed as its maker's."""
    provider = now.snapshot.providers.get(owner)
    if provider is None or "bedrock" not in provider.dialects.get(Operation.CHAT, ()):
        return owner
    return provider.profile(model).maker if provider.profile(model).maker == "anthropic" else owner


def _shown(now: Now, entry: ModelEntry, listing: Listing) -> ModelEntry:
    """The entry, with what is known of it in a dialect that has words for that."""
    return with_facts(now, entry) if listing.shows_facts else entry


def with_facts(now: Now, entry: ModelEntry) -> ModelEntry:
    """The entry with what is known of the model that answers first."""
    target = now.directory.plan(entry.id).targets[0]
    facts = now.facts(target)
    return replace(
        entry,
        input_limit=facts.input_limit or facts.context_limit,
        output_limit=facts.output_limit,
        abilities=facts.abilities,
    )
