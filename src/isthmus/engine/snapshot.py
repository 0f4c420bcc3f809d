"""Everything configured, compiled and immutable. One is taken per exchange; a reload swaps in another."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from isthmus.core.facts import NOTHING_KNOWN, ModelFacts, Price
from isthmus.core.losses import OnLoss
from isthmus.core.value import Value
from isthmus.engine.body_rule import BodyRule
from isthmus.engine.caching import CacheRule
from isthmus.engine.clients import Auth, Client
from isthmus.engine.management import Management
from isthmus.engine.queue import QueueRule
from isthmus.engine.records import ClientKey
from isthmus.providers.issuer import Issuer
from isthmus.providers.provider import Provider
from isthmus.routing.adaptive import AdaptiveRule
from isthmus.routing.limits import Limit
from isthmus.routing.naming import Naming
from isthmus.routing.order import HybridWeights
from isthmus.routing.places import Credential, PoolStrategy
from isthmus.routing.plan import Route, Target
from isthmus.routing.retry_budget import RetryBudgetRule

MIB = 1024 * 1024
METRICS_PATH = "/metrics"

FactsOf: TypeAlias = Callable[[str, str, ModelFacts | None], ModelFacts]
"""All that is known of a model: told its provider's name, the model's name there, and what the provider told of it."""


ToldFacts: TypeAlias = Mapping[str, Mapping[str, ModelFacts]]
"""What providers told of their models: by the provider's name, and the model's name there."""
NOTHING_TOLD: ToldFacts = MappingProxyType({})


def as_listed(provider: str, model: str, listed: ModelFacts | None) -> ModelFacts:  # noqa: ARG001  one of FactsOf
    """Only what the provider told."""
    return listed or NOTHING_KNOWN


class AffinityRule(Value, frozen=True):
    """`enabled` is None where conversations that name themselves are kept together, True for all of them.

    `seconds` after its last request a conversation is forgotten.
    """

    enabled: bool | None = None
    seconds: float = 3600.0


class Limits(Value, frozen=True, kw_only=True):
    """Bounds on what one exchange may take. Sizes in bytes, times in seconds."""

    request_body: int = 64 * MIB
    reply_body: int = 128 * MIB
    attempts: int = 10
    ping_every: float = 15.0
    wait: float = 5.0
    drain: float = 30.0
    exchanges: int = 10_000


class Habits(Value, frozen=True, kw_only=True):
    """What clients of a dialect expect, where they do not agree with one another.

    `done_marker`: `data: [DONE]` follows the end of a translated Anthropic stream. `ollama_streams`: a request of
    Ollama's that does not say whether to stream is streamed, as its own servers do. `real_model_name`: an answer has
    the name that its provider gives the model, and not the one that was asked for. `route_headers`: answers name who
    gave them, and clients may ask why.
    """

    done_marker: bool = True
    ollama_streams: bool = True
    route_headers: bool = True
    real_model_name: bool = False


class Snapshot(Value, frozen=True, kw_only=True):
    """`awaited` are providers that are there once somebody has signed in to their issuer, and else are not.

    `routes` are names with explicit targets; every other name is looked for among the providers, as `naming` says.

    Of a provider with several keys, `keys` has the same provider with each of them, by the key's name, `credentials`
    the same keys as routing knows them, and `prices`, by provider and key, what every model costs under a key that has
    a price of its own. `pools` say how the keys of a provider take turns, where it says so; `account_pool` how accounts
    do where it does not. `allowances` are the limits by scope: "provider:NAME", "key:PROVIDER/KEY", "client:NAME" and
    "route:NAME"; `adaptive` the bounds of providers whose concurrency is found out.

    `clients` maps the SHA-256 digest of a client key to its owner; `blind`: there may be others, which nobody can look
    up at present. `auth` says when a key is asked for. `client_keys` are those of the file, for people. `management`
    says who may manage, `cors` the origins of web pages that may ask, `route_on_loss` by the route's name.
    `caching` is the `cache_rule` where any answer is kept, so that requests need not ask where none is. `bodies` says
    whose bodies are kept, None for nobody's. `issuers` are all that accounts can be signed in to at. `metrics_path`
    is where metrics are read, None for nowhere. `source` names where the configuration came from.
    """

    providers: Mapping[str, Provider]
    awaited: Mapping[str, Provider] = {}
    issuers: Mapping[str, Issuer] = {}
    keys: Mapping[str, Mapping[str, Provider]] = {}
    credentials: Mapping[str, tuple[Credential, ...]] = {}
    pools: Mapping[str, PoolStrategy] = {}
    account_pool: PoolStrategy = PoolStrategy.STICKY
    prices: Mapping[tuple[str, str], Price] = {}
    allowances: Mapping[str, tuple[Limit, ...]] = {}
    adaptive: Mapping[str, AdaptiveRule] = {}
    routes: Mapping[str, Route] = {}
    naming: Naming = Naming()
    clients: Mapping[bytes, Client] = {}
    client_keys: tuple[ClientKey, ...] = ()
    auth: Auth = Auth.AUTO
    blind: bool = False
    management: Management = Management()
    cors: tuple[str, ...] = ()
    limits: Limits = Limits()
    habits: Habits = Habits()
    on_loss: OnLoss = OnLoss.ALLOW
    route_on_loss: Mapping[str, OnLoss] = {}
    affinity: AffinityRule = AffinityRule()
    cache_rule: CacheRule = CacheRule()
    caching: CacheRule | None = None
    bodies: BodyRule | None = None
    weights: HybridWeights = HybridWeights()
    retry_budget: RetryBudgetRule = RetryBudgetRule()
    queue: QueueRule = QueueRule()
    metrics_path: str | None = METRICS_PATH
    facts: FactsOf = as_listed
    source: str = "defaults"

    @property
    def asks(self) -> bool:
        """Must a client show a key?"""
        return bool(self.clients) or self.auth is Auth.REQUIRED

    def keyed(self, provider: str, credential: str) -> Provider:
        """The provider as the key of this name has it."""
        keys = self.keys.get(provider)
        return self.providers[provider] if keys is None else keys[credential]

    def known(self, target: Target, told: ToldFacts) -> ModelFacts:
        """All that is known of the target's model."""
        return self.facts(target.provider, target.model, told.get(target.provider, {}).get(target.model))

    def price(self, target: Target, credential: str, told: ToldFacts) -> Price | None:
        """What the target costs under this key: the key's own price, else the model's; None where nobody knows it."""
        own = self.prices.get((target.provider, credential))
        return self.known(target, told).price if own is None else own
