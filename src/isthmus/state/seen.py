"""What all who share limits had used of them, as it was told when somebody here last asked."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from isthmus.core.periods import Period
from isthmus.routing.limits import Claim, Grant, Limit, Measure, Refusal

FRESH = 5.0
"""Seconds for which it is believed."""
MOST = 50_000
"""Limits of which it is remembered; beyond that, the one that was told of the longest time ago is forgotten."""


class Seen:
    """Times in monotonic seconds."""

    def __init__(self) -> None:
        self._used: OrderedDict[tuple[str, Measure, int | Period], tuple[float, float]] = OrderedDict()

    def note(self, claims: Sequence[Claim], used: Sequence[float], now: float) -> None:
        """So much is used of the limit of each claim."""
        for (limit, _), one in zip(claims, used, strict=True):
            self._used[limit.window] = one, now
            self._used.move_to_end(limit.window)
        while len(self._used) > MOST:
            self._used.popitem(last=False)

    def refusal(self, claims: Sequence[Claim], now: float) -> Refusal | None:
        """The first limit that had no room for its claim when it was last told, with the seconds for which that is
        believed; None where each had, or nothing was told of late. More than a whole limit is not its business."""
        for limit, amount in claims:
            used, at = self._used.get(limit.window, (0.0, -FRESH))
            fresh = at + FRESH - now
            if fresh > 0 and 0 < amount <= limit.most < used + amount:
                return Refusal(limit, 0.0 if limit.measure is Measure.RUNNING else fresh)
        return None

    def claimed(self, claims: Sequence[Claim]) -> None:
        """These were granted, and nothing is told of them yet."""
        for limit, amount in claims:
            if (told := self._used.get(limit.window)) is not None:
                self._used[limit.window] = told[0] + amount, told[1]

    def settled(self, grant: Grant, spent: Mapping[Measure, int]) -> None:
        """What was granted came to `spent`, and no longer runs."""
        for limit, amount in grant.claims:
            came_to = 0 if limit.measure is Measure.RUNNING else spent.get(limit.measure, amount)
            if (told := self._used.get(limit.window)) is not None:
                self._used[limit.window] = max(0.0, told[0] + came_to - amount), told[1]

    def share(self, limit: Limit, now: float) -> float:
        """How much of the limit that is: 1 when it is used up, 0 where nothing was told of late."""
        used, at = self._used.get(limit.window, (0.0, -FRESH))
        return used / limit.most if limit.most > 0 and now - at < FRESH else 0.0
