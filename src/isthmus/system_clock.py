"""The clock of this machine, which all parts are handed."""

import time


class SystemClock:
    """Implements the engine's Clock."""

    now = staticmethod(time.monotonic)
    time = staticmethod(time.time)  # noqa: TID251  the one clock, which others are handed
