"""Requests that wait for a free place: who comes first, who is refused, and that no place is lost."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.clock import FakeClock
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.queue import Queue, QueueRule, Waiter

RULE = QueueRule(length=100, wait=30.0)


def waiter(client: str = "alice", *scopes: str, size: int = 0) -> Waiter:
    return Waiter(frozenset(scopes or ("s",)), client, size)


class Room:
    """A queue whose waiters note when they are woken."""

    def __init__(self, rule: QueueRule = RULE) -> None:
        self.clock = FakeClock(now=0.0)
        self.queue = Queue(self.clock)
        self.rule = rule
        self.woken: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def enter(self, name: str, one: Waiter, until: float = 30.0) -> asyncio.Task[None]:
        task = asyncio.create_task(self._wait(name, one, until))
        self.tasks.append(task)
        await asyncio.sleep(0)
        return task

    async def _wait(self, name: str, one: Waiter, until: float) -> None:
        await self.queue.wait(one, self.rule, until)
        self.woken.append(name)

    async def release(self, scope: str = "s", times: int = 1) -> None:
        for _ in range(times):
            self.queue.released(scope)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_clients_take_turns_however_many_requests_one_of_them_sends() -> None:
    room = Room()
    for number in range(4):
        await room.enter(f"a{number}", waiter("alice"))
    await room.enter("b0", waiter("bob"))
    await room.enter("c0", waiter("carol"))
    await room.release(times=6)
    assert room.woken == ["a0", "b0", "c0", "a1", "a2", "a3"]


async def test_a_release_wakes_one_and_only_one_of_its_scope() -> None:
    room = Room()
    await room.enter("first", waiter("alice", "x"))
    await room.enter("second", waiter("bob", "y"))
    await room.release("y")
    assert room.woken == ["second"]
    await room.close()


async def test_who_waits_for_several_scopes_is_woken_by_the_first_of_them_and_leaves_the_other_lines() -> None:
    room = Room()
    await room.enter("both", waiter("alice", "x", "y"))
    await room.release("y")
    assert room.woken == ["both"]
    assert not room.queue.busy("x")
    assert room.queue.length == 0


async def test_who_lost_its_place_comes_first_again() -> None:
    room = Room()
    mine = waiter("alice")
    await room.enter("later", waiter("bob"))
    again = asyncio.create_task(room.queue.wait(mine, RULE, 30.0, again=True))
    await asyncio.sleep(0)
    await room.release()
    assert again.done()
    assert room.woken == []
    await room.close()


async def refusal(room: Room, one: Waiter, until: float = 30.0) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await room.queue.wait(one, room.rule, until)
    return caught.value


async def test_a_full_queue_refuses_with_503_and_when_to_come_again() -> None:
    room = Room(QueueRule(length=1))
    await room.enter("first", waiter())
    error = await refusal(room, waiter())
    assert (error.kind, error.status) == (Kind.OVERLOADED, 503)
    assert error.retry_after is not None
    assert error.retry_after >= 1
    await room.close()


async def test_bodies_that_would_take_too_much_memory_are_not_held() -> None:
    room = Room(QueueRule(size=100))
    await room.enter("first", waiter(size=60))
    assert (await refusal(room, waiter(size=41))).kind is Kind.OVERLOADED
    await room.enter("second", waiter(size=40))
    assert room.queue.size == 100
    await room.close()
    assert room.queue.size == 0


async def test_who_could_not_be_served_before_its_deadline_is_refused_at_once() -> None:
    room = Room()
    tasks = [await room.enter(str(number), waiter()) for number in range(6)]
    for _ in range(3):  # a place becomes free every two seconds
        room.clock.move(2.0)
        await room.release()
    error = await refusal(room, waiter(), until=room.clock.now() + 5.0)
    assert error.retry_after == pytest.approx(8.0)  # three wait before it
    assert sum(task.done() for task in tasks) == 3
    await room.close()


async def test_waiting_ends_with_the_request_s_deadline() -> None:
    room = Room(QueueRule(wait=0.01))
    assert (await refusal(room, waiter(), until=30.0)).kind is Kind.OVERLOADED
    assert (room.queue.length, room.queue.busy("s")) == (0, False)


async def test_a_client_that_leaves_when_it_was_just_woken_passes_its_place_on() -> None:
    room = Room()
    gone = await room.enter("gone", waiter("alice"))
    await room.enter("next", waiter("bob"))
    room.queue.released("s")
    gone.cancel()
    for _ in range(4):
        await asyncio.sleep(0)
    assert room.woken == ["next"]


async def test_places_that_others_release_are_looked_for() -> None:
    queue = Queue(FakeClock(now=0.0), poll=0.005)
    await queue.wait(waiter(), RULE, 30.0)
    assert queue.length == 0


@given(
    st.lists(st.tuples(st.sampled_from(["enter", "release", "leave"]), st.sampled_from("abc"), st.sampled_from("xy")))
)
@settings(deadline=None)
def test_a_release_is_never_lost_while_anybody_waits(steps: Sequence[tuple[str, str, str]]) -> None:
    async def play() -> None:
        room = Room()
        releases = 0
        for number, (deed, client, scope) in enumerate(steps):
            waiting = [task for task in room.tasks if not task.done()]
            if deed == "enter":
                await room.enter(str(number), waiter(client, scope))
            elif deed == "release" and room.queue.busy(scope):
                releases += 1
                await room.release(scope)
            elif deed == "leave" and waiting:
                waiting[0].cancel()
                await asyncio.gather(waiting[0], return_exceptions=True)
            assert room.queue.length == sum(not task.done() for task in room.tasks)
        assert len(room.woken) == releases
        await room.close()
        assert room.queue.length == 0

    asyncio.run(play())
