"""What a provider tells of its own limits: how much of each is left, and for how long."""

from typing import NamedTuple, TypeAlias

NEAR = 0.1
"""Share of a limit below which it is nearly used up."""


class Window(NamedTuple):
    """What is left of one limit. `limit` is None where only that was told; `reset`: seconds until it is whole again."""

    measure: str
    remaining: float
    limit: float | None = None
    reset: float | None = None

    @property
    def near(self) -> bool:
        """Is it nearly used up, or quite?"""
        return self.remaining <= 0 or (self.limit is not None and self.remaining < NEAR * self.limit)


Quota: TypeAlias = tuple[Window, ...]
Told: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""An answer's headers, which somebody else can read."""
