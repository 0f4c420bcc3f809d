"""A gateway whose requests are paid for: priced places, clients with budgets, a store in memory, exchanges ended as the
server ends them."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from decimal import Decimal

from msgspec.structs import replace

from fakes.records import FakeRecords
from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError
from isthmus.core.facts import ModelFacts, Price, Rates
from isthmus.core.operations import Operation
from isthmus.core.periods import Period, began
from isthmus.dialects.table import CODECS
from isthmus.engine.answer import Answer
from isthmus.engine.budgets import Budgets
from isthmus.engine.clients import Client
from isthmus.engine.ending import end
from isthmus.engine.exchange import Call, Exchange
from isthmus.engine.ports import Limiter
from isthmus.engine.records import Records
from isthmus.engine.serve import serve
from isthmus.routing.limits import Limit, Measure
from isthmus.state.limits import LocalLimiter
from isthmus.telemetry.used import UsedRows
from support.line import Line, provider

PRICES: Mapping[str, Price] = {
    "one": Price(rates=Rates(input=Decimal("2.5"), output=Decimal(10))),
    "two": Price(rates=Rates(input=Decimal("0.075"), output=Decimal("0.3"))),
}
"""By provider."""
CLIENTS = (Client("alice", team="sales"), Client("bob", team="sales"), Client("carol"))
ASKED = b'{"model":"fast","stream":true,"messages":[{"role":"user","content":"How deep is the sea?"}]}'
HELLO = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    b'"delta":{"content":"hello"},"finish_reason":null}]}\n\n'
)
OVERLOADED = b'{"error":{"message":"try later","type":"server_error","code":null}}'


def ending(prompt: int, completion: int) -> bytes:
    """The end of a stream, with what was counted."""
    counted = f'"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":{prompt + completion}'
    return (
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
        b'"delta":{},"finish_reason":"stop"}],"usage":{' + counted.encode() + b"}}\n\ndata: [DONE]\n\n"
    )


def streamed(prompt: int, completion: int) -> Scripted:
    return Scripted(HELLO, ending(prompt, completion), headers=SSE)


def budget(scope: str, microdollars: int, period: Period = Period.MONTH) -> Limit:
    return Limit(scope, Measure.MICRODOLLARS, microdollars, period=period)


class Accounts:
    """`ask` sends one request to the end; `begin` and `finish` are its halves, for many at a time."""

    def __init__(
        self,
        *budgets: Limit,
        one: Sequence[Scripted | GatewayError] = (),
        two: Sequence[Scripted | GatewayError] = (),
        records: Records | None = None,
        limiter: Limiter | None = None,
        name: str = "ex",
    ) -> None:
        self.line = line = Line(
            [provider("one"), provider("two")], {"one": one, "two": two}, {"fast": ["one/m", "two/m"]}
        )
        allowances: dict[str, tuple[Limit, ...]] = {}
        for limit in budgets:
            allowances[limit.scope] = (*allowances.get(limit.scope, ()), limit)
        line.live.swap(
            replace(
                line.live.take().snapshot,
                allowances=allowances,
                clients={hashlib.sha256(client.name.encode()).digest(): client for client in CLIENTS},
                facts=lambda name, model, told: ModelFacts(price=PRICES[name]),
            )
        )
        self.fake = FakeRecords()
        self.records: Records = self.fake if records is None else records
        self.limiter = line.ports.limiter = LocalLimiter(line.clock.time) if limiter is None else limiter
        self.budgets = line.ports.budgets = Budgets(line.live, self.records, self.limiter, line.clock)
        self.budgets.heard = True
        self._used = UsedRows(line.live, self.records, self.budgets.handed)
        self._ids = iter(f"{name}_{number}" for number in range(1_000_000))

    async def begin(self, client: str = "alice", body: bytes = ASKED) -> tuple[Exchange, Answer]:
        """A request, until its answer begins."""

        async def receive(_: int) -> bytes:
            return body

        call = Call(CODECS["openai_chat", Operation.CHAT], "/v1/chat/completions", (), presented=client)
        exchange = Exchange(next(self._ids), call, self.line.clock, 1)
        try:
            answer = await serve(exchange, receive, self.line.live.take(), self.line.ports)
        except asyncio.CancelledError:
            self.give_up(exchange)
            raise
        exchange.status = answer.status
        return exchange, answer

    async def finish(self, exchange: Exchange, answer: Answer, *, pieces: int | None = None) -> bytes:
        """Read the answer to its end, or so many pieces of it and leave; it is over then, and stored."""
        got = [answer.body]
        if answer.stream is not None:
            async with aclosing(answer.stream) as stream:
                while pieces is None or len(got) <= pieces:
                    piece = await anext(stream, None)
                    if piece is None:
                        break
                    exchange.bytes_out += len(piece)
                    got.append(piece)
                else:
                    exchange.cancelled = True
        end(exchange, self.line.live.take(), self.line.ports)
        return b"".join(got)

    def give_up(self, exchange: Exchange) -> None:
        """Its client left before there was an answer."""
        exchange.cancelled = True
        end(exchange, self.line.live.take(), self.line.ports)

    async def ask(self, client: str = "alice", body: bytes = ASKED, *, pieces: int | None = None) -> tuple[int, bytes]:
        """The status, and the whole answer."""
        exchange, answer = await self.begin(client, body)
        return answer.status, await self.finish(exchange, answer, pieces=pieces)

    def store(self) -> None:
        """Have all that is over stored."""
        over, self.line.recorded.exchanges = self.line.recorded.exchanges, []
        self._used.keep(over)

    def used(self, limit: Limit) -> int:
        """What counts of a budget at present."""
        return round(self.limiter.share(limit) * limit.most)

    async def kept(self, limit: Limit) -> int:
        """The same as the store has it."""
        now = self.line.clock.time()
        assert limit.period is not None
        since = began(limit.period, now)
        found = await self.records.spent(now)
        mine = [one for one in found if (one.scope, one.period, one.since) == (limit.scope, limit.period, since)]
        return sum(one.microdollars for one in mine)
