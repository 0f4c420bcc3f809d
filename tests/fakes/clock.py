"""A clock that stands still until it is told to move."""


class FakeClock:
    """Implements the engine's Clock."""

    def __init__(self, now: float = 1000.0, time: float = 1_700_000_000.0) -> None:
        self._now = now
        self._time = time

    def now(self) -> float:
        return self._now

    def time(self) -> float:
        return self._time

    def move(self, seconds: float) -> None:
        self._now += seconds
        self._time += seconds

    def set_by(self, seconds: float) -> None:
        """Somebody sets the clock on the wall; what measures spans of time goes on as before."""
        self._time += seconds
