"""What is kept for a while is bounded in size and in time."""

from fakes.clock import FakeClock
from isthmus.state.memory import BoundedMemory


async def test_a_value_is_found_under_each_of_its_keys() -> None:
    memory = BoundedMemory(FakeClock().now)
    await memory.put(("a", "b"), b"value")
    assert await memory.get(("a", "b", "c")) == {"a": b"value", "b": b"value"}


async def test_a_later_value_takes_the_key_over() -> None:
    memory = BoundedMemory(FakeClock().now)
    await memory.put(("a", "b"), b"old")
    await memory.put(("a",), b"new")
    assert await memory.get(("a", "b")) == {"a": b"new", "b": b"old"}


async def test_what_nobody_asked_for_is_forgotten_in_time() -> None:
    clock = FakeClock()
    memory = BoundedMemory(clock.now, kept_for=10)
    await memory.put(("a",), b"one")
    await memory.put(("b",), b"two")
    clock.move(8)
    assert await memory.get(("a",)) == {"a": b"one"}
    clock.move(8)
    assert await memory.get(("a", "b")) == {"a": b"one"}


async def test_the_oldest_makes_room_and_nothing_is_left_of_it() -> None:
    memory = BoundedMemory(FakeClock().now, most_bytes=100)
    for name in "abcdefgh":
        await memory.put((name,), b"x" * 24)
    assert memory.size == 100
    assert sorted(await memory.get("abcdefgh")) == ["e", "f", "g", "h"]


async def test_what_would_push_everything_else_out_is_not_kept() -> None:
    memory = BoundedMemory(FakeClock().now, most_bytes=100)
    await memory.put(("big",), b"x" * 50)
    assert await memory.get(("big",)) == {}
    assert memory.size == 0


async def test_what_it_may_hold_is_known_by_what_was_ever_put() -> None:
    memory = BoundedMemory(FakeClock().now)
    assert not memory.may_hold("said")
    await memory.put(("call:1", "said:2"), b"value")
    assert memory.may_hold("said")
    assert not memory.may_hold("media")
