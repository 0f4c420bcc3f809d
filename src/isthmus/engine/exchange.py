"""One client request and all that happened to it: the only mutable object on the line."""

import itertools
import secrets
from collections.abc import Iterator, Mapping
from copy import copy
from enum import StrEnum
from types import MappingProxyType

from msgspec.structs import force_setattr

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.usage import Usage
from isthmus.core.value import Value
from isthmus.dialects.codec import AnyCodec, Peek
from isthmus.engine.clients import ANYONE, Client
from isthmus.engine.counting import Estimated
from isthmus.engine.expected import Expectation
from isthmus.engine.held import Entered, Held
from isthmus.engine.ports import Clock, Incoming
from isthmus.engine.spending import Ending, Spending
from isthmus.engine.spill import Spill
from isthmus.engine.traces import Trace
from isthmus.routing.health import Place
from isthmus.routing.meters import Meter
from isthmus.routing.plan import Plan, Target
from isthmus.routing.walk import Walk
from isthmus.wire.headers import Headers, said_to_us


def new_ids() -> Iterator[str]:
    """Ids for the exchanges of one gateway: a prefix that no other has, and a number that it gives out once."""
    return map(f"ex_{secrets.token_hex(6)}%06x".__mod__, itertools.count(1))


class Lane(StrEnum):
    """How bytes travel: untouched, with top-level fields changed, or read and written anew."""

    PASSTHROUGH = "passthrough"
    PATCH = "patch"
    TRANSLATE = "translate"


class Named(Value, frozen=True):
    """What a path says of a request: which model, and whether the answer is streamed."""

    model: str
    stream: bool = False


_UNREAD: Mapping[bytes, bytes] = MappingProxyType({})


class Call(Value, frozen=True):
    """What the server learned of a request before its body.

    `presented` is the client key as it was sent, None without one; `peer` the client's address;
    `named` is set for dialects that have the model in the path. `said` are the headers that are looked for each
    time, as `said_to_us` has them: read here where nobody had to before.
    """

    codec: AnyCodec
    path: str
    headers: Headers
    presented: str | None = None
    peer: str = ""
    named: Named | None = None
    said: Mapping[bytes, bytes] = _UNREAD

    def __post_init__(self) -> None:
        if self.said is _UNREAD:
            force_setattr(self, "said", said_to_us(self.headers))


class Bond:
    """What a conversation is kept under, and the place it prefers. `at` is the Unix time when that was written."""

    __slots__ = ("at", "key", "place")

    def __init__(self, key: str) -> None:
        self.key = key
        self.place: Place | None = None
        self.at = 0.0


class Note(StrEnum):
    """What is odd of an attempt: another that was asked at the same time answered first, or it went on with an answer
    that had broken off."""

    HEDGED = "hedged"
    CONTINUED = "continued"


class AttemptRecord:
    """One try at one target under one key.

    It was sent at `began`, in the clock's seconds; `milliseconds` is until its answer began, or until it failed;
    `reason` is for the log, `told` what a header may say of the target; `heard` are its answer's headers, which came
    at `heard_at`. `ending` and `usage` are noted where it is over before its exchange is: how, and what was counted.
    `span` is its number within a trace, 0 without one. `spill` is set where a subscription could have covered it.
    """

    __slots__ = (
        "began",
        "credential",
        "ending",
        "error",
        "heard",
        "heard_at",
        "milliseconds",
        "note",
        "place",
        "reason",
        "span",
        "spill",
        "target",
        "told",
        "usage",
    )

    def __init__(
        self, target: Target, credential: str = "", began: float = 0.0, told: bytes = b"", place: Place | None = None
    ) -> None:
        self.place = place or Place(target.provider, credential, target.model)
        self.target = target
        self.told = told
        self.credential = credential
        self.began = began
        self.milliseconds = 0.0
        self.error: Kind | None = None
        self.reason: str | None = None
        self.note: Note | None = None
        self.ending: Ending | None = None
        self.usage: Usage | None = None
        self.span = 0
        self.spill: Spill | None = None
        self.heard: Headers = ()
        self.heard_at = 0.0


OF_THE_ANSWER = frozenset({"empty", "error", "first_byte_at", "guessed", "lane", "losses", "usage"})
"""What an exchange notes of the attempt that answers it. All else is the request's, or the server's to note."""


class Exchange:
    """Owned by the engine. Times in seconds of the clock's `now`; `at` is Unix time.

    `outcome` is "answered", "cancelled" or "failed": decided when it is over, not at the headers; "" before.
    `bytes_in` is the length of its body; `expected` what it was taken for, where somebody had to guess; `spent` what it
    came to, once it is over and somebody asked. `trace` is None for one that belongs to none.
    """

    __slots__ = (
        "answered",
        "at",
        "attempts",
        "bond",
        "bytes_in",
        "bytes_out",
        "cached",
        "call",
        "cancelled",
        "client",
        "clock",
        "empty",
        "error",
        "expected",
        "finished_at",
        "first_byte_at",
        "guessed",
        "held",
        "id",
        "lane",
        "losses",
        "meter",
        "outcome",
        "peek",
        "plan",
        "seams",
        "skipped",
        "spent",
        "started_at",
        "status",
        "trace",
        "upstream",
        "usage",
        "version",
        "walk",
    )

    def __init__(self, identity: str, call: Call, clock: Clock, version: int) -> None:
        self.id = identity
        self.call = call
        self.clock = clock
        self.version = version
        self.started_at = clock.now()
        self.at = clock.time()
        self.client: Client = ANYONE
        self.peek: Peek | None = None
        self.plan: Plan | None = None
        self.walk: Walk | None = None
        self.lane: Lane | None = None
        self.bond: Bond | None = None
        self.attempts: list[AttemptRecord] = []
        self.answered: AttemptRecord | None = None
        self.skipped: tuple[str, ...] = ()
        self.seams: tuple[str, ...] = ()
        self.held: tuple[Held | Entered, ...] = ()
        self.meter: Meter | None = None
        self.losses = Losses()
        self.upstream: Incoming | None = None
        self.usage: Usage | None = None
        self.guessed: Estimated | None = None
        self.error: GatewayError | None = None
        self.status = 0
        self.first_byte_at: float | None = None
        self.finished_at: float | None = None
        self.bytes_in = self.bytes_out = 0
        self.expected: Expectation | None = None
        self.spent: Spending | None = None
        self.trace: Trace | None = None
        self.cached = False
        self.cancelled = False
        self.empty = False
        self.outcome = ""

    def fork(self) -> "Exchange":
        """The same request, for an attempt beside what is noted here. The attempts so far are its too."""
        twin = copy(self)
        twin.attempts, twin.losses = list(self.attempts), Losses()
        twin.meter = twin.upstream = None
        twin.lane = twin.usage = twin.guessed = twin.error = twin.first_byte_at = None
        twin.empty = False
        return twin

    def adopt(self, twin: "Exchange") -> None:
        """The answer is that of the attempt which `twin` notes. Asked again at its end, for what was noted since."""
        for name in OF_THE_ANSWER:
            setattr(self, name, getattr(twin, name))
        self.take_over(twin)

    def take_over(self, twin: "Exchange") -> None:
        """What `twin` asked and holds is this exchange's from now on; of an answer so far, nothing is changed."""
        self.attempts[:] = twin.attempts
        self.answered, self.held, self.seams = twin.answered, twin.held, twin.seams
        self.skipped = tuple(dict.fromkeys((*self.skipped, *twin.skipped)))
        if twin.meter is not None:
            self.runs_at(twin.meter)
        self.upstream = twin.upstream or self.upstream
        twin.meter = twin.upstream = None

    def hear(self, headers: Headers) -> None:
        """The headers of the latest attempt's answer have come."""
        record = self.attempts[-1]
        record.heard, record.heard_at = headers, self.clock.now()

    def fail(self, error: GatewayError) -> None:
        """The exchange ends badly. The first error stays: what follows from it is not news."""
        if self.error is None:
            self.error = error

    def unix(self, at: float) -> float:
        """A moment of its clock as Unix time."""
        return self.at + at - self.started_at

    def runs_at(self, meter: Meter) -> None:
        """An answer has begun at the place that `meter` measures. One that began elsewhere before is over there."""
        self.leave()
        self.meter = meter

    def leave(self) -> None:
        """Nothing of it runs at any place any more."""
        meter, self.meter = self.meter, None
        if meter is not None:
            meter.ended()

    def close(self) -> None:
        """It is over, whichever way: nobody reads on what its provider may still be sending."""
        self.outcome = "cancelled" if self.cancelled else "answered" if self.error is None else "failed"
        upstream, self.upstream = self.upstream, None
        if upstream is not None:
            upstream.close()
        self.leave()
