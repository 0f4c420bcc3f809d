"""What is kept and for how long, and how long the store takes for what."""

from isthmus.core.value import Value


class Keep(Value, frozen=True, kw_only=True):
    """For how many days what is kept, 0 for ever; and how many rows of use may wait to be written."""

    rows: int = 30
    sums: int = 400
    deeds: int = 400
    bodies: int = 7
    queue: int = 100_000


class Pace(Value, frozen=True, kw_only=True):
    """In seconds. What fails is tried again after `retry`, then after twice as long, and so on up to `retry_most`."""

    patience: float = 3.0
    """For one question, also while the database is opened or gone."""
    every: float = 0.5
    """A row waits for others to be written with, and as much of them is lost when the process is killed."""
    retry: float = 0.25
    retry_most: float = 5.0
    close: float = 5.0
    """For rows that still wait when the gateway stops."""
    house: float = 600.0
    """Between two looks for what is older than it is kept for."""
    step: float = 0.05
    """Between two steps of forgetting, for all others who write."""


KEEP, PACE = Keep(), Pace()
