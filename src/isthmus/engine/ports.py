"""What the engine needs from outside, as protocols. The row above implements them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from isthmus.core.content import Inline
from isthmus.engine.counting import Counting
from isthmus.engine.expected import Expectations
from isthmus.providers.provider import CloudKey, Deadlines, Outgoing
from isthmus.routing.limits import Claim, Grant, Limit, Measure, Refusal, Remembered, Tab
from isthmus.wire.headers import Headers

if TYPE_CHECKING:
    from isthmus.engine.bodies import BodyKeeper
    from isthmus.engine.budgets import Budgets
    from isthmus.engine.exchange import Exchange
    from isthmus.engine.queue import Queue
    from isthmus.engine.shadow import Shadows
    from isthmus.engine.tracing import Tracer


class Incoming(Protocol):
    """An upstream's answer whose head has arrived.

    Interim (1xx) answers are skipped and content codings undone before they get here.
    Whoever receives one calls `close`, whatever happens; closing an unfinished answer
    ends the upstream's work at once by closing its connection.
    """

    status: int
    headers: Headers

    async def read(self) -> bytes:
        """The next bytes of the body as they come; b"" at its end. Raises CUT_SHORT, TIMED_OUT or GARBLED."""
        ...

    async def body(self, limit: int) -> bytes:
        """All that is left of the body. Raises GARBLED when it is longer than `limit` bytes, else as `read`."""
        ...

    def close(self) -> None: ...


class Transport(Protocol):
    """The only way out."""

    async def send(self, outgoing: Outgoing, deadlines: Deadlines) -> Incoming:
        """Send one request and wait for the head of its answer. Redirects are answers, not followed.

        Raises GatewayError: UNREACHABLE when no connection could be had, TIMED_OUT, CUT_SHORT when
        the connection ended before an answer, GARBLED for what is not HTTP. Being cancelled
        closes the connection.
        """
        ...


class Authority(Protocol):
    """Signs with credentials that a cloud hands out, or that somebody signed in to."""

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        """The request with what proves who is asking. Never blocks the loop.

        Raises CREDENTIAL_REJECTED, with what to do next, when there is no credential to be had.
        """
        ...

    async def refused(self, outgoing: Outgoing, key: CloudKey) -> Outgoing | None:
        """This request was answered with 401: what it was signed with is of no use any more.

        The same, signed with something newer, where that can be had at once; None where asking again is of no use.
        Raises CREDENTIAL_REVOKED where somebody has to sign in again.
        """
        ...


class Memory(Protocol):
    """Keeps small values for a while, bounded in size and time. What it forgets is never missed for long."""

    async def put(self, keys: Sequence[str], value: bytes) -> None:
        """Keep `value` under every one of the keys. Never raises."""
        ...

    async def forget(self, keys: Sequence[str]) -> None:
        """Nothing is found under these keys any more. Never raises."""
        ...

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """What is kept under these keys, by key; nothing when the memory cannot be reached. Never raises."""
        ...

    def may_hold(self, sort: str, /) -> bool:
        """May a key like `sort:...` lead to anything? True where nobody knows. It spares making keys to ask for."""
        ...


class Limiter(Protocol):
    """Knows what was claimed of limits, here or by all instances together. What is claimed is settled once."""

    @property
    def state(self) -> str:
        """For people: where it is counted."""
        ...

    @property
    def alone(self) -> int:
        """How many times this process granted by itself what several share, since those who count were late or gone."""
        ...

    async def claim(self, claims: Sequence[Claim]) -> Grant | Refusal:
        """All of `claims` or nothing; each limit stands among them at most once. Never raises."""
        ...

    def settle(self, grant: Grant, spent: Mapping[Measure, int]) -> None:
        """What was granted came to `spent`, and no longer runs. A measure that is not told came to what was claimed.

        Never blocks and never raises.
        """
        ...

    async def remember(self, found: Sequence[Remembered]) -> None:
        """What was spent of budgets, as somebody knows who keeps it for good. Never raises."""
        ...

    def tab(self, limits: Sequence[Limit]) -> Tab | None:
        """These limits, each of them once, for many requests to claim at once; None where others count them too."""
        ...

    def share(self, limit: Limit) -> float:
        """How much of the limit counts at present, as far as it is known here: 1 when it is used up."""
        ...


class Fetcher(Protocol):
    """Fetches files that clients name by URL, and trusts nothing of the URL."""

    async def fetch(self, url: str) -> Inline:
        """The file, as base64 with its type. Raises INVALID, with what to do next, where it cannot be had."""
        ...


class Clock(Protocol):
    """`now` is monotonic seconds, for durations; `time` is Unix seconds, for people."""

    def now(self) -> float: ...

    def time(self) -> float: ...


class Recorder(Protocol):
    """Told of every exchange once, when its last byte has left or will not."""

    def record(self, exchange: "Exchange") -> None:
        """Never blocks and never raises."""
        ...


class Ports:
    """The outside, as one value handed down the line."""

    __slots__ = (
        "answers",
        "authority",
        "bodies",
        "budgets",
        "clock",
        "counting",
        "expected",
        "fetcher",
        "limiter",
        "memory",
        "queue",
        "recorder",
        "shadows",
        "tracer",
        "transport",
    )

    def __init__(  # noqa: PLR0913  all that is outside
        self,
        transport: Transport,
        clock: Clock,
        recorder: Recorder,
        *,
        authority: Authority | None = None,
        memory: Memory | None = None,
        answers: Memory | None = None,
        fetcher: Fetcher | None = None,
        counting: Counting | None = None,
        limiter: Limiter | None = None,
        queue: "Queue | None" = None,
        budgets: "Budgets | None" = None,
        bodies: "BodyKeeper | None" = None,
        shadows: "Shadows | None" = None,
        tracer: "Tracer | None" = None,
    ) -> None:
        self.tracer = tracer
        self.shadows = shadows
        self.budgets = budgets
        self.bodies = bodies
        self.counting = counting or Counting()
        self.expected = Expectations()
        self.limiter = limiter
        self.queue = queue
        self.memory = memory
        self.answers = answers
        self.fetcher = fetcher
        self.authority = authority
        self.transport = transport
        self.clock = clock
        self.recorder = recorder
