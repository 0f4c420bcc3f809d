"""The engine on its own: a snapshot built by hand, a scripted transport, one question, its whole answer."""

from collections.abc import Callable, Mapping, Sequence

from fakes.clock import FakeClock
from fakes.transport import Scripted, ScriptedTransport
from isthmus.core.errors import GatewayError
from isthmus.core.operations import Operation
from isthmus.core.profile import UNKNOWN, ModelProfile
from isthmus.core.secret import Secret
from isthmus.dialects.table import CODECS
from isthmus.engine.exchange import Call, Exchange
from isthmus.engine.live import Live
from isthmus.engine.past import Past, PastRing
from isthmus.engine.ports import Ports
from isthmus.engine.serve import serve
from isthmus.engine.snapshot import Snapshot
from isthmus.engine.verdict import note_end
from isthmus.providers.provider import Origin, Provider
from isthmus.providers.quirks import Quirks
from isthmus.routing.plan import Route, Target, first_of
from isthmus.state.memory import BoundedMemory
from isthmus.telemetry.recent import RecentExchanges, RecentLosses
from isthmus.wire.headers import Headers

KEY = "sk-provider-0123456789abcdef"


def provider(
    name: str, dialect: str = "openai_chat", *, quirks: Quirks | None = None, profile: ModelProfile = UNKNOWN
) -> Provider:
    """A provider at `name`.example.com that serves every model."""
    return Provider(
        name=name,
        dialects={Operation.CHAT: (dialect,)},
        origin=Origin("https", f"{name}.example.com", 443),
        address=lambda aim: ("POST", "/v1/answer"),
        sign=lambda headers, secret: (*headers, (b"authorization", b"Bearer " + KEY.encode())),
        secret=Secret(KEY),
        quirks=quirks,
        profile=lambda model: profile,
        models=("*",),
    )


class Recorded:
    """Implements the engine's Recorder."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def take(self, exchanges: Sequence[Exchange]) -> None:
        self.exchanges += exchanges


class Told:
    """Implements the engine's Recorder: everything takes what is over at once."""

    def __init__(self, *takers: Callable[[Sequence[Exchange]], None]) -> None:
        self._takers = takers

    def record(self, exchange: Exchange) -> None:
        for take in self._takers:
            take((exchange,))


def nothing_waits() -> None:
    """All that is over was handed over already."""


def past_of(exchange: Exchange) -> Past:
    """What is kept of an exchange that is over."""
    ring = PastRing(1)
    ring.keep(exchange)
    past = ring.of(exchange.id)
    assert past is not None
    return past


class Line:
    """A gateway's engine with scripted upstreams. `ask` sends one request and reads the answer to its end."""

    def __init__(
        self,
        providers: Sequence[Provider],
        scripts: Mapping[str, Sequence[Scripted | GatewayError]],
        routes: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        named = {
            name: Route(tiers=first_of(*(Target(*target.split("/", 1)) for target in to)))
            for name, to in (routes or {}).items()
        }
        snapshot = Snapshot(providers={one.name: one for one in providers}, routes=named)
        self.transport = ScriptedTransport({f"{name}.example.com": list(script) for name, script in scripts.items()})
        self.live = Live(snapshot)
        self.recorded = Recorded()
        self.losses, self.exchanges = RecentLosses(nothing_waits), RecentExchanges(nothing_waits)
        self.clock = FakeClock()
        recorder = Told(self.losses.take, self.exchanges.take, self.recorded.take)
        self.ports = Ports(self.transport, self.clock, recorder, memory=BoundedMemory(self.clock.now))
        self.exchange: Exchange | None = None

    def open(self, dialect: str = "openai_chat", headers: Headers = ()) -> Exchange:
        call = Call(CODECS[dialect, Operation.CHAT], "/v1/asked", headers)
        self.exchange = Exchange("ex_test", call, self.ports.clock, 1)
        return self.exchange

    async def ask(self, body: bytes, dialect: str = "openai_chat", headers: Headers = ()) -> tuple[int, Headers, bytes]:
        """Status, headers and the whole body; `self.exchange` is what the engine noted."""

        async def receive(limit: int) -> bytes:
            return body

        answer = await serve(self.open(dialect, headers), receive, self.live.take(), self.ports)
        whole = answer.body if answer.stream is None else b"".join([piece async for piece in answer.stream])
        assert self.exchange is not None
        self.exchange.close()
        note_end(self.exchange, self.live.take(), self.clock.now())
        return answer.status, answer.headers, whole
