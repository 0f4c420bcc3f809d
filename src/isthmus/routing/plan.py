"""Where one request may go, in which order, and why: the values that a name leads to."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cached_property
from urllib.parse import quote

from msgspec.structs import replace

from isthmus.core.chat import ReasoningOptions
from isthmus.core.value import Value

LONGEST_WORD = 200
"""Characters of a name that a header tells."""


class Target(Value, frozen=True):
    """One provider and one model name there."""

    provider: str
    model: str


class Strategy(StrEnum):
    """Which of the places of one tier is asked first. A place is one target under one of its provider's keys.

    FIRST takes the targets as they stand, and the keys of each in turn; STICKY holds on to one place until it
    fails, and FILL_FIRST to the first that has room. FASTEST looks at the time to the first token, HYBRID at a
    weighted sum of how much of its limits a place has used, its errors, its latency and its price.
    """

    FIRST = "first"
    ROUND_ROBIN = "round_robin"
    WEIGHTED = "weighted"
    LEAST_BUSY = "least_busy"
    FASTEST = "fastest"
    LEAST_ERROR = "least_error"
    CHEAPEST = "cheapest"
    HYBRID = "hybrid"
    STICKY = "sticky"
    FILL_FIRST = "fill_first"


class Tier(Value, frozen=True):
    """Targets of one rank. `weights` has one number a target, or is empty where all weigh the same."""

    targets: tuple[Target, ...]
    strategy: Strategy = Strategy.FIRST
    weights: tuple[float, ...] = ()


class When(Value, frozen=True, kw_only=True):
    """A condition on a request; all that is said of it must hold, and what is not said does not matter.

    `tokens_over` and `tokens_under` bound an estimate of the input. `header` is a name in lower case, with the value
    it must have, or "" for any. `tags` are those of the header `x-isthmus-tags`, of which one must be among them.
    """

    dialects: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    header: tuple[str, str] | None = None
    images: bool | None = None
    tools: bool | None = None
    stream: bool | None = None
    tokens_over: int | None = None
    tokens_under: int | None = None


class Branch(Value, frozen=True, kw_only=True):
    """Other tiers for some requests: those that `when` holds for, and of these a `share` between 0 and 1."""

    tiers: tuple[Tier, ...]
    when: When | None = None
    share: float = 1.0


class Shadow(Value, frozen=True):
    """A target that is sent a `share` of the requests too, and whose answers nobody sees."""

    target: Target
    share: float


class Hedge(Value, frozen=True, kw_only=True):
    """A second place is asked when the first is slower to its first token than this `quantile` of its answers was.

    `share` is how much of the traffic may be asked twice; `least` the shortest patience in seconds.
    """

    share: float = 0.05
    quantile: float = 0.95
    least: float = 0.25


class Timing(Value, frozen=True, kw_only=True):
    """A route's own deadlines in seconds; None where the provider's hold."""

    connect: float | None = None
    first_byte: float | None = None
    between_bytes: float | None = None
    total: float | None = None


class Rules(Value, frozen=True, kw_only=True):
    """What a route says beside its targets.

    The first of `branches` that fits a request takes the place of the plan's tiers. `continues`: an answer that
    breaks off may be continued by another target. `affinity`: the requests of one conversation prefer one place; None
    where the gateway's rule holds.
    """

    branches: tuple[Branch, ...] = ()
    shadow: Shadow | None = None
    hedge: Hedge | None = None
    continues: bool = False
    affinity: bool | None = None
    timing: Timing | None = None


NO_RULES = Rules()


class Plan(Value, frozen=True, dict=True):
    """`name` is the route's or the model's; `because` says in words how the asked name led to these targets.

    `tiers` are tried one after the other, those of fallback models behind the model's own; `reasoning` is what the
    name itself asks for. `route` is the name of the route that it is, "" where there is none. `default`: nobody offers
    the name that was asked for, and this is what is asked in its place.
    """

    tiers: tuple[Tier, ...]
    because: str
    reasoning: ReasoningOptions | None = None
    name: str = ""
    rules: Rules = NO_RULES
    route: str = ""
    default: bool = False

    @cached_property
    def told(self) -> bytes:
        """What a header says of the route behind the target's name."""
        return b"; route=" + header_word(self.route) if self.route else b""

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """All of them, in the order of the tiers, each once."""
        return tuple(dict.fromkeys(target for tier in self.tiers for target in tier.targets))


def header_word(name: str) -> bytes:
    """A name as it may stand in a header: what is more than plain ASCII is percent-encoded, what is long is cut."""
    return quote(name[:LONGEST_WORD], safe="/:@+~[]").encode()


class Route(Value, frozen=True, kw_only=True):
    """What is configured of a name: its own tiers, and the names of the models that come after it."""

    tiers: tuple[Tier, ...]
    fallbacks: tuple[str, ...] = ()
    rules: Rules = NO_RULES


def narrowed(tiers: Iterable[Tier], wanted: Callable[[Target], bool]) -> tuple[Tier, ...]:
    """The tiers with the wanted targets alone, each with its weight. A tier in which nobody is left is gone."""
    return tuple(found for tier in tiers if (found := _narrowed(tier, wanted)) is not None)


def _narrowed(tier: Tier, wanted: Callable[[Target], bool]) -> Tier | None:
    kept = [index for index, target in enumerate(tier.targets) if wanted(target)]
    if not kept:
        return None
    weights = tuple(tier.weights[index] for index in kept) if tier.weights else ()
    return replace(tier, targets=tuple(tier.targets[index] for index in kept), weights=weights)


def first_of(*targets: Target) -> tuple[Tier, ...]:
    """One tier, tried in this order."""
    return (Tier(targets),)
