"""Requests at a time: who waits for a place, who is answered elsewhere, and who is turned away."""

import asyncio
from collections.abc import Mapping

from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.engine.admission import settle
from isthmus.engine.answer import Answer
from isthmus.engine.clients import Client
from isthmus.engine.exchange import Exchange
from isthmus.engine.queue import Queue, QueueRule
from isthmus.engine.serve import serve
from isthmus.engine.snapshot import Snapshot
from isthmus.routing.adaptive import AdaptiveRule
from isthmus.routing.limits import Limit, Measure
from isthmus.state.limits import LocalLimiter
from support.line import Line, provider

ASKED = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)


def at_a_time(scope: str, most: int) -> Mapping[str, tuple[Limit, ...]]:
    return {scope: (Limit(scope, Measure.RUNNING, most),)}


class Rush:
    """Requests at the same time, each of which runs until it is ended."""

    def __init__(
        self,
        allowances: Mapping[str, tuple[Limit, ...]],
        *,
        rule: QueueRule = QueueRule(),  # noqa: B008  a frozen value
        adaptive: Mapping[str, AdaptiveRule] | None = None,
    ) -> None:
        answers = {name: [Scripted(ANSWER) for _ in range(20)] for name in ("one", "two")}
        self.line = Line(
            [provider("one"), provider("two")], answers, {"fast": ["one/m1", "two/m2"], "lone": ["one/m1"]}
        )
        snapshot: Snapshot = replace(
            self.line.live.take().snapshot, allowances=allowances, queue=rule, adaptive=adaptive or {}
        )
        self.line.live.swap(snapshot)
        self.line.ports.limiter = LocalLimiter(self.line.clock.time)
        self.line.ports.queue = Queue(self.line.clock)
        self.running: list[Exchange] = []
        self.tasks: list[asyncio.Task[Answer]] = []

    async def ask(self, model: str = "fast", client: str = "anyone") -> "asyncio.Task[Answer]":
        async def receive(limit: int) -> bytes:
            return ASKED.replace(b"fast", model.encode())

        async def run() -> Answer:
            exchange = self.line.open()
            exchange.client = Client(client)
            self.running.append(exchange)
            return await serve(exchange, receive, self.line.live.take(), self.line.ports)

        task = asyncio.create_task(run())
        self.tasks.append(task)
        await self.settled()
        return task

    async def settled(self) -> None:
        """Everybody has come as far as it can."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def end(self, index: int) -> None:
        """The exchange's last byte has left."""
        settle(self.running[index], self.line.live.take(), self.line.ports)
        await self.settled()

    def providers(self) -> list[str]:
        return [exchange.attempts[-1].target.provider if exchange.attempts else "" for exchange in self.running]


async def test_who_finds_a_provider_busy_is_answered_by_the_next() -> None:
    rush = Rush(at_a_time("provider:one", 1))
    for _ in range(3):
        await rush.ask()
    assert rush.providers() == ["one", "two", "two"]


async def test_where_all_are_busy_a_request_waits_for_the_first_that_is_free() -> None:
    rush = Rush({**at_a_time("provider:one", 1), **at_a_time("provider:two", 1)})
    for _ in range(3):
        task = await rush.ask()
    assert rush.providers() == ["one", "two", ""]
    assert not task.done()
    await rush.end(1)
    assert rush.providers() == ["one", "two", "two"]
    assert (await task).status == 200


async def test_a_client_that_asks_for_more_than_it_may_at_a_time_waits_for_itself_alone() -> None:
    rush = Rush(at_a_time("client:anyone", 1))
    first, second = await rush.ask(), await rush.ask()
    assert (first.done(), second.done()) == (True, False)
    await rush.end(0)
    assert (await second).status == 200


async def test_who_waited_in_vain_for_its_own_limit_is_told_of_that_limit() -> None:
    rush = Rush(at_a_time("client:anyone", 1), rule=QueueRule(wait=0.01))
    await rush.ask()
    refused = await (await rush.ask())
    assert (refused.status, b"1 requests at a time for client anyone" in refused.body) == (429, True)


async def test_a_route_has_its_own_limit() -> None:
    rush = Rush(at_a_time("route:lone", 1))
    first, second, other = await rush.ask("lone"), await rush.ask("lone"), await rush.ask("fast")
    assert [task.done() for task in (first, second, other)] == [True, False, True]
    await rush.end(0)
    assert (await second).status == 200


async def test_a_full_queue_turns_away_with_503_and_when_to_come_again() -> None:
    rush = Rush(at_a_time("provider:one", 1), rule=QueueRule(length=1))
    await rush.ask("lone")
    waiting, refused = await rush.ask("lone"), await (await rush.ask("lone"))
    assert (refused.status, dict(refused.headers)[b"retry-after"]) == (503, b"1")
    assert b"busy" in refused.body
    await rush.end(0)
    assert (await waiting).status == 200


async def test_who_waited_too_long_is_turned_away_and_leaves_the_queue() -> None:
    rush = Rush(at_a_time("provider:one", 1), rule=QueueRule(wait=0.01))
    await rush.ask("lone")
    refused = await (await rush.ask("lone"))
    assert refused.status == 503
    assert rush.line.ports.queue is not None
    assert rush.line.ports.queue.length == 0


async def test_nobody_comes_before_those_that_wait() -> None:
    rush = Rush(at_a_time("provider:one", 2))
    await rush.ask("lone")
    await rush.ask("lone")
    waiting = await rush.ask("lone")
    settle(rush.running[0], rush.line.live.take(), rush.line.ports)
    late = await rush.ask("lone")
    assert (waiting.done(), late.done()) == (True, False)
    await rush.end(1)
    assert (await late).status == 200


async def test_a_provider_whose_bound_is_found_out_begins_in_the_middle() -> None:
    rush = Rush(at_a_time("provider:one", 4), adaptive={"one": AdaptiveRule(most=4)})
    for _ in range(3):
        await rush.ask()
    assert rush.providers() == ["one", "one", "two"]


async def test_nothing_leaks_when_requests_are_given_up_while_they_wait() -> None:
    rush = Rush(at_a_time("provider:one", 1))
    await rush.ask("lone")
    gone = [await rush.ask("lone") for _ in range(5)]
    for task in gone:
        task.cancel()
    await rush.settled()
    assert rush.line.ports.queue is not None
    assert rush.line.ports.queue.length == 0
    await rush.end(0)
    assert (await (await rush.ask("lone"))).status == 200
