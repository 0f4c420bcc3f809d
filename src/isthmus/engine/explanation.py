"""What is told of a request that was only looked at, as fields for people and programs. No secret is in any of them.

Times are Unix seconds where a field is called `until`, and seconds otherwise; dollars are exact decimals in text.
"""

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Raw

from isthmus.core.losses import Loss
from isthmus.core.value import Value


class Rest(Value, frozen=True, kw_only=True):
    """Why a place is not asked. `scope`: "model", "key" or "provider"; `told_by_provider`: it named the time itself."""

    scope: str
    kind: str
    until: float
    seconds: float
    failures: int
    told_by_provider: bool


class Health(Value, frozen=True):
    """`state` is "ready", "trial" or "resting"."""

    state: str
    rest: Rest | None = None


class Room(Value, frozen=True):
    """One limit of a key or its provider, in words, and how much of it is used: 1 is all."""

    limit: str
    used: float


class Left(Value, frozen=True):
    """What the provider told of one limit of its own: how much is left of it, and for how many seconds that holds."""

    measure: str
    remaining: float
    limit: float | None
    reset: float | None


class Measured(Value, frozen=True):
    """What was measured of a place lately. None where nothing was."""

    running: int
    first_token: float | None
    whole_answer: float | None
    errors: float


class Refusal(Value, frozen=True):
    """The request would not be sent there, or not at all."""

    kind: str
    message: str


class AskedFor(Value, frozen=True, kw_only=True):
    """The request, as it was understood. `because` says how its name led to these candidates, by which of the route's
    branches too; `excluded_by` are the providers whose configuration excludes its model. `answered_here`: no provider
    is asked at all, and why. `refusal`: the limits of its client or its route have no room for it now, or there is no
    account to ask under; `waits`: seconds that it would wait for a place, all of which are only busy.
    """

    dialect: str
    operation: str
    model: str
    stream: bool
    client: str
    route: str | None
    because: str | None
    excluded_by: tuple[str, ...] = ()
    answered_here: str | None = None
    refusal: Refusal | None = None
    waits: float | None = None


class Upstream(Value, frozen=True, kw_only=True):
    """The request that the provider would get, the first where it would get several. `url` is None for those who may
    not know addresses.
    """

    method: str
    url: str | None
    headers: Mapping[str, str]
    body: Raw | str | None
    notes: tuple[str, ...] = ()


class Deadlines(Value, frozen=True):
    """Seconds for each phase; `total` None for no limit."""

    connect: float
    first_byte: float
    between_bytes: float
    total: float | None


class Estimate(Value, frozen=True, kw_only=True):
    """Tokens, and US dollars for both. `dollars` is None where no price is known, and then `why` says so."""

    input_tokens: int
    output_tokens: int
    dollars: Decimal | None = None
    why: str | None = None


class Candidate(Value, frozen=True, kw_only=True):
    """One place where the request could go. What stands behind `estimate` is told of the first one, or of all."""

    provider: str
    key: str
    model: str
    tier: int
    strategy: str
    verdict: str
    why: tuple[str, ...]
    health: Health
    limits: tuple[Room, ...] = ()
    told_by_provider: tuple[Left, ...] = ()
    measured: Measured | None = None
    estimate: Estimate | None = None
    deadlines: Deadlines | None = None
    dialect: str | None = None
    lane: str | None = None
    losses: tuple[Loss, ...] = ()
    refusal: Refusal | None = None
    upstream: Upstream | None = None


class RouteRules(Value, frozen=True, omit_defaults=True):
    """What the route does beside choosing, in words. Left out where it does not."""

    affinity: str = ""
    hedge: str = ""
    continues: str = ""
    shadow: str = ""
    seconds_left: float | None = None


class Explained(Value, frozen=True):
    """The whole answer."""

    request: AskedFor
    rules: RouteRules
    candidates: tuple[Candidate, ...]
