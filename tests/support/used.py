"""Rows of use for tests: one that is like most, and many that differ in all that they are summed up by."""

from collections.abc import Iterator
from random import Random

from isthmus.engine.records import Used

TIME = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC, a Tuesday; where the fake clock begins."""
LIKE_MOST = Used(
    id="ex_0",
    at=TIME,
    client="alice",
    team="red",
    provider="openai",
    key="key-1",
    model="gpt-5.5",
    asked="best",
    dialect="openai_chat",
    operation="chat",
    lane="patch",
    stream=True,
    outcome="answered",
    status=200,
    error="",
    attempts=1,
    fresh_input=100,
    cache_read=20,
    cache_write=3,
    output=50,
    reasoning=7,
    microdollars=1500,
    ms=812.5,
    first_ms=120.25,
)
NOON = 1_700_049_600.0
"""2023-11-15, a Wednesday."""
ROW = Used(
    id="ex_0",
    at=NOON,
    client="alice",
    team="sales",
    provider="one",
    key="key",
    model="m",
    asked="fast",
    dialect="openai_chat",
    operation="chat",
    lane="passthrough",
    stream=False,
    outcome="answered",
    status=200,
    error="",
    attempts=1,
    fresh_input=10,
    cache_read=0,
    cache_write=0,
    output=5,
    reasoning=0,
    microdollars=100,
    ms=1.0,
    first_ms=None,
)
"""Another, with small numbers."""


def many_rows(dice: Random, many: int, *, since: float = TIME, seconds: float = 3 * 86_400) -> Iterator[Used]:
    """Exchanges at random moments of this time."""
    for number in range(many):
        outcome = dice.choice(("answered", "answered", "answered", "failed", "cancelled"))
        yield Used(
            id=f"ex_{since}_{number}",
            at=since + dice.random() * seconds,
            client=dice.choice(("alice", "bob", "carol")),
            team=dice.choice(("red", "")),
            provider=dice.choice(("openai", "anthropic")),
            key=dice.choice(("key-1", "key-2")),
            model=dice.choice(("gpt-5.5", "claude-opus-5")),
            asked="best",
            dialect="openai_chat",
            operation=dice.choice(("chat", "embed")),
            lane="patch",
            stream=dice.random() < 0.5,
            outcome=outcome,
            status=200 if outcome == "answered" else 502,
            error="" if outcome == "answered" else "upstream_fault",
            attempts=dice.randint(1, 3),
            fresh_input=dice.randint(0, 10_000),
            cache_read=dice.randint(0, 100),
            cache_write=dice.randint(0, 100),
            output=dice.randint(0, 1000),
            reasoning=dice.randint(0, 1000),
            microdollars=dice.choice((None, dice.randint(0, 100_000))),
            ms=float(dice.randint(0, 60_000)),
            first_ms=dice.choice((None, float(dice.randint(0, 1000)))),
            losses=dice.randint(0, 2),
            cached=dice.random() < 0.1,
        )
