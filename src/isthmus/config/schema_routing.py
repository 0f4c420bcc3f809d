"""What can be configured of routes and of the choice between places: how one request finds who answers it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from msgspec import field

from isthmus.config.about import DAY, GIB, MIB, MILLION, About, Switch, Unit
from isthmus.config.schema_cache import RouteCacheEntry
from isthmus.core.losses import OnLoss
from isthmus.core.value import Value
from isthmus.engine.queue import QueueRule
from isthmus.engine.snapshot import AffinityRule
from isthmus.routing.order import HybridWeights
from isthmus.routing.places import PoolStrategy
from isthmus.routing.plan import Hedge, Strategy
from isthmus.routing.retry_budget import RetryBudgetRule

_SHARE = (Unit.SHARE, 0, 1)
_TOKENS = (Unit.NONE, 1, 1_000_000_000)
_WAIT = (Unit.SECONDS, 0.1, DAY)
_RUNNING = (Unit.NONE, 1, MILLION)
_PART = (Unit.NONE, 0, 1000)
_HEDGE = Hedge()
_PARTS = HybridWeights()
_AFFINITY = AffinityRule()
_BUDGET = RetryBudgetRule()
_QUEUE = QueueRule()


class Family(StrEnum):
    """The dialects of clients, one by one or as a family."""

    OPENAI = "openai"
    OPENAI_CHAT = "openai_chat"
    OPENAI_RESPONSES = "openai_responses"
    OPENAI_COMPLETIONS = "openai_completions"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    OLLAMA = "ollama"


class TargetEntry(Value, frozen=True, rename="kebab"):
    provider: Annotated[str, About("The NAME of a provider.")]
    model: Annotated[str, About("The model's name there.")]
    weight: Annotated[
        float | None,
        About(
            "Its part of the requests, beside that of the others; 1 where others have one.", Unit.NONE, 0.001, MILLION
        ),
    ] = None


class TierEntry(Value, frozen=True, rename="kebab"):
    targets: Annotated[tuple[TargetEntry, ...], About("Targets of one rank, as in a route.")] = ()
    strategy: Annotated[Strategy | None, About("Which is asked first. Without it: as the route says.")] = None


class ChoiceEntry(Value, frozen=True, rename="kebab"):
    """Where requests can go, as routes and their branches say it."""

    targets: Annotated[tuple[TargetEntry, ...], About("Each a mapping, or written `provider/model`.")] = ()
    tiers: Annotated[
        tuple[TierEntry, ...],
        About(
            "In place of targets: several ranks of them, each tried when the one before has nobody left. A tier is a"
            " mapping, the list of its targets, or one target."
        ),
    ] = ()
    strategy: Annotated[
        Strategy | None, About("Which target is asked first. Without it: as the route says, or routing.strategy.")
    ] = None


class WhenEntry(Value, frozen=True, rename="kebab"):
    dialects: Annotated[tuple[Family, ...], About("What the client speaks is one of these.")] = ()
    clients: Annotated[tuple[str, ...], About("The name of the client's key is one of these.")] = ()
    tags: Annotated[tuple[str, ...], About("The request's header `x-isthmus-tags` has one of these.")] = ()
    header: Annotated[
        Mapping[str, str], About("The request has this one header with this value, or with any where that is `*`.")
    ] = {}
    images: Annotated[bool | None, About("Whether images are in it.")] = None
    tools: Annotated[bool | None, About("Whether tools are in it.")] = None
    stream: Annotated[bool | None, About("Whether its answer is streamed.")] = None
    tokens_over: Annotated[int | None, About("Its input is estimated at more tokens.", *_TOKENS)] = None
    tokens_under: Annotated[int | None, About("Its input is estimated at fewer tokens.", *_TOKENS)] = None


class BranchEntry(ChoiceEntry, frozen=True, rename="kebab"):
    when: Annotated[WhenEntry, About("For which requests; all that is said must hold.")] = WhenEntry()
    share: Annotated[float | None, About("For how many of these. Without it: all.", *_SHARE)] = None


class ShadowEntry(Value, frozen=True, rename="kebab"):
    target: Annotated[TargetEntry, About("Who is asked too, and is answered by nobody.")]
    share: Annotated[float, About("For how many of the requests.", *_SHARE)] = 1.0


class HedgeEntry(Value, frozen=True, rename="kebab"):
    enabled: Annotated[bool, About("Whether a second place is asked at all.")] = True
    share: Annotated[float, About("The part of the requests that may be asked twice.", *_SHARE)] = _HEDGE.share
    quantile: Annotated[
        float,
        About(
            "Slow is what is slower to its first token than this part of the place's answers.", Unit.NONE, 0.5, 0.999
        ),
    ] = _HEDGE.quantile
    least: Annotated[float, About("The least time that the first place is given.", Unit.SECONDS, 0.01, 600)] = (
        _HEDGE.least
    )


class TimingEntry(Value, frozen=True, rename="kebab"):
    connect: Annotated[float | None, About("For a connection, with TLS.", Unit.SECONDS, 0.1, 600)] = None
    first_byte: Annotated[float | None, About("From the request's last byte to the answer's first.", *_WAIT)] = None
    between_bytes: Annotated[float | None, About("For any silence inside an answer.", *_WAIT)] = None
    total: Annotated[float | None, About("For the whole of one request, with all of its attempts.", *_WAIT)] = None


class RouteEntry(ChoiceEntry, frozen=True, rename="kebab"):
    fallbacks: Annotated[
        tuple[str, ...], About("Models, routes or aliases that come after all of its own targets.")
    ] = ()
    branches: Annotated[
        tuple[BranchEntry, ...], About("Other targets for some requests: those of the first branch that is for them.")
    ] = ()
    shadow: Annotated[
        ShadowEntry | None, About("A target that is sent copies of requests, and whose answers nobody sees.")
    ] = None
    cache: Annotated[
        RouteCacheEntry | None,
        About("Whether its answers are kept for the same request to come again. Without it: as the top level says."),
    ] = None
    hedge: Annotated[HedgeEntry | None, About("Asks a second place when the first is slow to begin.")] = None
    continues: Annotated[bool, About("Whether an answer that breaks off may be continued by another target.")] = field(
        default=False, name="continue"
    )
    affinity: Annotated[
        bool | None, About("Whether a conversation stays where it is. Without it: as routing.affinity.")
    ] = None
    deadlines: Annotated[
        TimingEntry, About("How long to wait for its targets. What is left out is as their providers say.")
    ] = TimingEntry()
    concurrency: Annotated[int | None, About("Its requests that may run at the same time.", *_RUNNING)] = None
    on_loss: Annotated[
        OnLoss | None, About("Whether requests to it may lose something in translation. Without it: as the top level.")
    ] = None


class WeightsEntry(Value, frozen=True, rename="kebab"):
    tokens: Annotated[float, About("How near a place is to its limits of tokens.", *_PART)] = _PARTS.tokens
    requests: Annotated[float, About("How near it is to its limits of requests.", *_PART)] = _PARTS.requests
    errors: Annotated[float, About("The share of its requests that failed of late.", *_PART)] = _PARTS.errors
    latency: Annotated[float, About("Its time to the first token, beside the slowest's.", *_PART)] = _PARTS.latency
    cost: Annotated[float, About("Its price, beside the dearest's.", *_PART)] = _PARTS.cost


class AffinityEntry(Value, frozen=True, rename="kebab"):
    enabled: Annotated[
        Switch, About("`auto` is for the conversations that clients name, `true` for all of them, `false` for none.")
    ] = Switch.AUTO
    seconds: Annotated[
        float, About("How long after its last request a conversation is remembered.", Unit.SECONDS, 1, DAY)
    ] = _AFFINITY.seconds


class RetryBudgetEntry(Value, frozen=True, rename="kebab"):
    share: Annotated[float, About("Further attempts at one provider, as a part of its requests.", *_SHARE)] = (
        _BUDGET.share
    )
    least: Annotated[int, About("Further attempts in 10 seconds that it always takes.", least=0, most=MILLION)] = (
        _BUDGET.least
    )


class QueueEntry(Value, frozen=True, rename="kebab"):
    length: Annotated[int, About("Requests that may wait at the same time; 0 for none.", least=0, most=MILLION)] = (
        _QUEUE.length
    )
    wait: Annotated[float, About("How long each may wait.", Unit.SECONDS, 0, 3600)] = _QUEUE.wait
    size: Annotated[int, About("Bytes of their bodies, in all.", Unit.BYTES, MIB, 64 * GIB)] = _QUEUE.size


class NamesEntry(Value, frozen=True, rename="kebab"):
    names: Annotated[tuple[str, ...], About("Routes, aliases and models, in their order.")] = ()


class RoutingEntry(Value, frozen=True, rename="kebab"):
    strategy: Annotated[Strategy, About("Which place is asked first where a route says nothing of it.")] = (
        Strategy.FIRST
    )
    pool: Annotated[
        PoolStrategy, About("How the accounts of a provider take turns where its own `pool` says nothing of it.")
    ] = PoolStrategy.STICKY
    priority: Annotated[
        Mapping[str, float],
        About(
            "A number by the NAME of a provider. Of those that offer the same model, the lowest are asked first, and"
            " those without a number last; equal numbers share, by the strategy.",
            least=0,
            most=MILLION,
        ),
    ] = {}
    fallbacks: Annotated[
        Mapping[str, NamesEntry],
        About("What is asked when a model, a route or an alias has nobody left: names, by a name that may hold `*`."),
    ] = {}
    default_model: Annotated[
        str | None, About("Asked for every name that nobody offers. Without it: such names are refused with 404.")
    ] = None
    hybrid_weights: Annotated[
        WeightsEntry, About("How much each thing counts for the strategy `hybrid`; the lowest sum is asked first.")
    ] = WeightsEntry()
    affinity: Annotated[
        AffinityEntry, About("Whether the requests of one conversation prefer the place that answered the last.")
    ] = AffinityEntry()
    retry_budget: Annotated[
        RetryBudgetEntry, About("How many attempts may be repeated at one provider while it fails.")
    ] = RetryBudgetEntry()
    queue: Annotated[QueueEntry, About("Requests that wait for a free place where concurrency is bounded.")] = (
        QueueEntry()
    )


def target_of(text: str) -> TargetEntry:
    """A target written as `provider/model`. Raises ValueError."""
    name, _, model = text.partition("/")
    if not name or not model:
        raise ValueError("a target is written provider/model, or as a mapping of provider and model")
    return TargetEntry(name, model)


def names_of(text: str) -> NamesEntry:
    """One name alone."""
    return NamesEntry((text,))


def tier_of(text: str) -> TierEntry:
    """A tier of one target. Raises ValueError."""
    return TierEntry((target_of(text),))
