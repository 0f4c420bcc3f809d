"""What workers count, added up where each of them can ask for it: a worker's way there."""

from isthmus.telemetry.metrics import Known
from isthmus.telemetry.sums import Series, pack
from isthmus.workers.link import Link

PATIENCE = 2.0
"""Seconds that a page waits for the sums."""


class HubSums:
    """Implements the metrics' Others: a worker's way to the sums of all."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def tell(self, counted: Series, current: Series) -> None:
        """What was counted here since the last time, and what is so at present."""
        self._link.tell("count", pack(counted), pack(current))

    async def ask(self, counted: Series, current: Series) -> Known | None:
        """The same, and what all have counted then; None where the hub does not answer in time."""
        found = await self._link.ask("counted", pack(counted), pack(current), budget=PATIENCE)
        if found is None:
            return None
        sums, others = found
        return Known(sums, others)
