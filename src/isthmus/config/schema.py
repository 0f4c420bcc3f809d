"""Everything that can be configured: the sections of `isthmus.yaml`, their keys, defaults and bounds.

Each key carries its own sentence, from which the reference in the docs is written. Only shapes stand here;
what must agree between keys is in checks.py.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Annotated

from isthmus.config.about import DAY, GIB, KIB, About, Switch, Unit
from isthmus.config.schema_accounts import AccountsEntry
from isthmus.config.schema_admin import AdminEntry
from isthmus.config.schema_cache import CacheEntry, RouteCacheEntry
from isthmus.config.schema_clients import BudgetsEntry, ClientEntry, TeamEntry
from isthmus.config.schema_log import LogEntry
from isthmus.config.schema_otel import OtelEntry
from isthmus.config.schema_providers import (
    ConcurrencyEntry,
    FactsEntry,
    KeyEntry,
    PriceEntry,
    ProviderEntry,
)
from isthmus.config.schema_routing import (
    AffinityEntry,
    HedgeEntry,
    NamesEntry,
    RouteEntry,
    RoutingEntry,
    TargetEntry,
    TierEntry,
    names_of,
    target_of,
    tier_of,
)
from isthmus.config.schema_store import StoreEntry
from isthmus.core.losses import OnLoss
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.engine import snapshot
from isthmus.engine.clients import Auth
from isthmus.engine.compat import Compat

_LIMITS = snapshot.Limits()
_HABITS = snapshot.Habits()


class ListenerEntry(Value, frozen=True, rename="kebab"):
    host: Annotated[str, About("The address to listen on. Anything but this machine's own needs client keys.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, About("The port to listen on; 0 takes any free one.", least=0, most=65535)] = 8317
    compat: Annotated[
        Compat,
        About(
            "Whose clients connect here, where those of systems before this one expect what cannot be joined: `mux`"
            " llm-mux, `truck` TruckLLM, `bedrock` the gateway for Bedrock, `llms` llms.py, `codex` codex-claude-proxy."
        ),
    ] = Compat.UNIFIED


class LimitsEntry(Value, frozen=True, rename="kebab"):
    request_body: Annotated[
        int, About("The longest request body; a longer one is refused with 413.", Unit.BYTES, KIB, GIB)
    ] = _LIMITS.request_body
    reply_body: Annotated[
        int, About("The longest answer that is held whole, to be translated.", Unit.BYTES, KIB, 4 * GIB)
    ] = _LIMITS.reply_body
    attempts: Annotated[int, About("Tries at upstreams for one request, over all targets.", least=1, most=50)] = (
        _LIMITS.attempts
    )
    ping_every: Annotated[
        float, About("Silence after which a streaming client is sent a sign of life.", Unit.SECONDS, 0.1, 3600)
    ] = _LIMITS.ping_every
    wait: Annotated[
        float,
        About(
            "How long a request may wait for providers that named the time of their rest.",
            Unit.SECONDS,
            0,
            3600,
        ),
    ] = _LIMITS.wait
    drain: Annotated[
        float, About("How long running requests may take to finish when the gateway stops.", Unit.SECONDS, 0, 3600)
    ] = _LIMITS.drain
    exchanges: Annotated[
        int, About("Requests that may run at the same time; one more is refused with 503.", least=1, most=1_000_000)
    ] = _LIMITS.exchanges


class HabitsEntry(Value, frozen=True, rename="kebab"):
    done_marker: Annotated[
        bool, About("Whether `data: [DONE]` follows the end of an Anthropic stream that was translated.")
    ] = _HABITS.done_marker
    ollama_streams: Annotated[
        bool, About("Whether a request of Ollama's that does not say is streamed, as Ollama's own servers do.")
    ] = _HABITS.ollama_streams
    route_headers: Annotated[
        bool,
        About(
            "Whether answers name who gave them, in `x-isthmus-route` and `x-isthmus-attempts`, and clients may ask why"
            " at `/v0/explain`; administrators always may."
        ),
    ] = _HABITS.route_headers
    real_model_name: Annotated[
        bool, About("Whether an answer shows the provider's name for the model, in place of the one asked for.")
    ] = _HABITS.real_model_name


class MetricsEntry(Value, frozen=True, rename="kebab"):
    enabled: Annotated[bool, About("Whether they can be read at all.")] = True
    path: Annotated[
        str, About("Where, beginning with `/` and a word that nothing else which is served begins with.")
    ] = snapshot.METRICS_PATH


class LocalEntry(Value, frozen=True, rename="kebab"):
    enabled: Annotated[
        Switch, About("`auto` has it on when no other provider is, or when a route or alias names `local`.")
    ] = Switch.AUTO
    idle_seconds: Annotated[
        float, About("Idle time after which its process is stopped; 0 keeps it running.", Unit.SECONDS, 0, DAY)
    ] = 600.0


class StateEntry(Value, frozen=True, rename="kebab"):
    url: Annotated[
        Secret | None,
        About(
            "A Redis or Valkey server (6.2 or later) that instances share, `redis://` or with TLS `rediss://`; takes"
            " the extra `redis`. What is kept there for a day, reasoning and stored responses, holds text of"
            " conversations. Without it: each instance keeps its own, in memory."
        ),
    ] = None
    prefix: Annotated[str, About("What its keys there begin with; instances with the same one share.")] = "isthmus"


class Config(Value, frozen=True, rename="kebab"):
    """One whole configuration."""

    listeners: Annotated[tuple[ListenerEntry, ...], About("Where clients connect.")] = (ListenerEntry(),)
    client_keys: Annotated[
        tuple[ClientEntry, ...],
        About("The keys of those who may ask, each a mapping or the key alone, beside those that are given out."),
    ] = ()
    auth: Annotated[
        Auth,
        About(
            "Whether a client must show a key. `auto`: where other machines can connect, and wherever any key is known,"
            " of this file or given out. `off`: no key is looked at."
        ),
    ] = Auth.AUTO
    teams: Annotated[
        Mapping[str, TeamEntry], About("What all client keys of a team may ask together, by the team's NAME.")
    ] = {}
    budgets: Annotated[BudgetsEntry, About("What all requests together may cost.")] = BudgetsEntry()
    cors: Annotated[
        tuple[str, ...],
        About(
            "Origins of web pages that may use the gateway from a browser (`https://app.example.com`), or `*`. Pages"
            " from this machine always may."
        ),
    ] = ()
    insecure: Annotated[bool, About("Lets a listener that other machines can reach start without client keys.")] = False
    management_key: Annotated[
        Secret | None, About("What an administrator sends. The variable ISTHMUS_MANAGEMENT_KEY comes before it.")
    ] = None
    admin: Annotated[AdminEntry, About("Who may manage the gateway beside the management key, and from where.")] = (
        AdminEntry()
    )
    providers: Annotated[
        Mapping[str, ProviderEntry],
        About(
            "Where requests can go, by NAME. Without this section, every host whose usual key variable is set is used,"
            " a running Ollama, and else the bundled model."
        ),
    ] = {}
    routes: Annotated[
        Mapping[str, RouteEntry],
        About("Model names of your own, each a mapping, or the list of its targets alone."),
    ] = {}
    routing: Annotated[RoutingEntry, About("How the places where a model can be asked are chosen.")] = RoutingEntry()
    aliases: Annotated[
        Mapping[str, NamesEntry],
        About(
            "Other names, which may hold `*`: for a route, for another alias, for a model, as `provider/model`, or for"
            " a list of these, tried in order."
        ),
    ] = {}
    models: Annotated[
        Mapping[str, FactsEntry],
        About(
            "What you know better of models than the catalogue: NAME is a model's name, or `provider/model`, and may"
            " hold `*`. Where several match, the later one holds."
        ),
    ] = {}
    on_loss: Annotated[
        OnLoss,
        About(
            "`refuse` answers 400, naming each item, when a provider's dialect cannot say all of a request. The header"
            " `x-isthmus-on-loss` of a request comes before its client key, that before its route, that before this."
        ),
    ] = OnLoss.ALLOW
    cache: Annotated[
        CacheEntry,
        About(
            "Answers that are kept for exactly the same request to come again. Its header `cache-control` is honoured."
        ),
    ] = CacheEntry()
    limits: Annotated[LimitsEntry, About("Bounds on what one request may take.")] = LimitsEntry()
    habits: Annotated[HabitsEntry, About("What clients of a dialect expect, where they do not agree.")] = HabitsEntry()
    log: Annotated[LogEntry, About("What the gateway writes about its work.")] = LogEntry()
    metrics: Annotated[
        MetricsEntry,
        About(
            "The numbers that Prometheus collects, for whoever asks from this machine, with a client key or with the"
            " management key."
        ),
    ] = MetricsEntry()
    otel: Annotated[OtelEntry, About("Traces and metrics for a collector of OpenTelemetry; `true` switches it on.")] = (
        OtelEntry()
    )
    local: Annotated[LocalEntry, About("The small model that comes with Isthmus.")] = LocalEntry()
    store: Annotated[
        StoreEntry,
        About("The database, in which client keys, use, money and the audit log are kept. `false` switches it off."),
    ] = StoreEntry()
    accounts: Annotated[
        AccountsEntry, About("Accounts that somebody signs in to: how they are kept safe, and who issues them.")
    ] = AccountsEntry()
    state: Annotated[StateEntry, About("What is remembered between requests, and with whom it is shared.")] = (
        StateEntry()
    )


SHORT_FORMS: Mapping[type, Callable[[str], Value]] = {
    TargetEntry: target_of,
    TierEntry: tier_of,
    NamesEntry: names_of,
}
"""What may be written as one text in place of a mapping."""

LONE_FORMS: Mapping[type, str] = {
    ClientEntry: "key",
    KeyEntry: "key",
    ConcurrencyEntry: "most",
    HedgeEntry: "enabled",
    CacheEntry: "enabled",
    RouteCacheEntry: "enabled",
    AffinityEntry: "enabled",
    StoreEntry: "enabled",
    OtelEntry: "enabled",
}
"""What may be written as one value in place of a mapping: the field that it is."""

ONE_OR_MANY: Collection[type] = frozenset({PriceEntry})
"""Of which one mapping may stand in place of a list of them."""

LIST_FORMS: Mapping[type, str] = {RouteEntry: "targets", TierEntry: "targets", NamesEntry: "names"}
"""What may be written as one list in place of a mapping: the field that it is."""
