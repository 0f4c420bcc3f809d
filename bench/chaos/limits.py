"""Whether a limit was held by all instances together: what providers were asked, against what was granted alone.

A request is granted before it is sent, and one takes longer on its way than another. So what a provider counts in
WITHIN seconds was granted within a minute.
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
_ALONE = re.compile(rb"^isthmus_limits_alone_total (\d+)", re.MULTILINE)


class Held(NamedTuple):
    """The greatest numbers of requests under one key within WITHIN seconds: where the store decided all, and anywhere.

    `excess` is by how many the limit was ever exceeded that were not granted alone.
    """

    calm: int
    most: int
    excess: int


class Alone:
    """When how many requests were granted alone, by all instances."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._totals: defaultdict[str, int] = defaultdict(int)

    async def watch(self, instances: Iterable[Process]) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.gather(*(self.look(one) for one in tuple(instances)))
            await asyncio.sleep(EVERY)

    async def look(self, one: Process) -> None:
        """What the instance has granted alone since the last look at it, if it answers."""
        found = _ALONE.search(await page(one.port, "/metrics"))
        if found is not None:
            total, before = int(found[1]), self._totals[one.name]
            self._totals[one.name] = total
            self.times += [asyncio.get_running_loop().time()] * (total - before)

    def forget(self, one: Process) -> None:
        """It begins anew, and counts from 0."""
        self._totals.pop(one.name, None)


def held(asked: Sequence[float], alone: Sequence[float], limit: int) -> Held:
    """How a limit was held under one key, that was asked at these times. Both are in order."""
    calm = most = 0
    excess = -limit
    for place, now in enumerate(asked):
        count = place + 1 - bisect_right(asked, now - WITHIN)
        by_itself = bisect_right(alone, now + 2 * EVERY) - bisect_left(alone, now - MINUTE - EVERY)
        most, excess = max(most, count), max(excess, count - limit - by_itself)
        calm = calm if by_itself else max(calm, count)
    return Held(calm, most, excess)


def worst(found: Iterable[Held]) -> Held:
    """Of several keys."""
    return list(accumulate(found, lambda one, other: Held(*map(max, one, other)), initial=Held(0, 0, 0)))[-1]
