"""A row of use, for tests that need one and change what they mean."""

from isthmus.engine.records import Used

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
