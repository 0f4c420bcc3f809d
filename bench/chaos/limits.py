"""Whether a limit was held by all instances together: what providers were asked, against what was granted alone.

A request is granted before it is sent, and one takes longer on its way than another. So what a provider counts in
WITHIN seconds was granted within a minute. What an instance granted alone it tells to the store as soon as it can, and
from then on it counts for all: it excuses what is asked too often at the same time, but nothing later.
"""

import asyncio
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from bench.chaos.stage import Process, page

MINUTE = 60.0
PASSAGE = 1.0
"""Seconds by which the ways of two requests from their grants to the provider may differ on a busy machine."""
WITHIN = MINUTE - PASSAGE
EVERY = 0.5
"""Seconds between two looks at what was granted alone."""
UNTOLD = 5.0
"""Seconds until what was granted alone is known to all, unless its instance was killed before that."""
_ALONE = re.compile(rb"^isthmus_limits_alone_total (\d+)", re.MULTILINE)


class Held(NamedTuple):
    """The greatest numbers of requests under one key within WITHIN seconds: where the store decided all, and anywhere.

    `excess` is by how many the limit was ever exceeded that nobody granted alone.
    """

    calm: int
    most: int
    excess: int


class Alone:
    """When how many requests were granted alone, by all instances. `lost` are those that the store never heard of."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.lost: list[float] = []
        self._of: defaultdict[str, list[float]] = defaultdict(list)

    async def watch(self, instances: Iterable[Process]) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.gather(*(self.look(one) for one in tuple(instances)))
            await asyncio.sleep(EVERY)

    async def look(self, one: Process) -> None:
        """What the instance has granted alone since the last look at it, if it answers."""
        found = _ALONE.search(await page(one.port, "/metrics"))
        if found is not None:
            mine = self._of[one.name]
            fresh = [asyncio.get_running_loop().time()] * (int(found[1]) - len(mine))
            mine += fresh
            self.times += fresh

    def ended(self, one: Process, *, killed: bool) -> None:
        """It will begin anew, and count from 0. If it was killed, it could not tell what it had granted last."""
        now = asyncio.get_running_loop().time()
        self.lost += [at for at in self._of.pop(one.name, ()) if killed and at > now - UNTOLD]


def held(asked: Sequence[float], alone: Alone, limit: int) -> Held:
    """How a limit was held under one key, that was asked at these times, in order."""
    calm = most = 0
    excess = -limit
    for place, now in enumerate(asked):
        count = place + 1 - bisect_right(asked, now - WITHIN)
        excused = _among(alone.times, now - UNTOLD, now) + _among(alone.lost, now - MINUTE, now)
        most, excess = max(most, count), max(excess, count - limit - excused)
        calm = calm if excused else max(calm, count)
    return Held(calm, most, excess)


def _among(times: Sequence[float], begin: float, end: float) -> int:
    """How many are between the two, as far as looks tell."""
    return bisect_right(times, end + 2 * EVERY) - bisect_left(times, begin - EVERY)


def worst(found: Iterable[Held]) -> Held:
    """Of several keys."""
    return list(accumulate(found, lambda one, other: Held(*map(max, one, other)), initial=Held(0, 0, 0)))[-1]
