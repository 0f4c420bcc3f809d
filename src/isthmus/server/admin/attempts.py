"""How often each peer was wrong in a row, and how long it must wait for it. Times are monotonic seconds."""

import ipaddress
from collections import OrderedDict

FREE = 5
"""Wrong secrets in a row that cost nothing yet."""
FIRST = 1.0
"""Seconds to wait after the last of these; doubled by each that follows."""
LONGEST = 300.0
FORGOTTEN = 3600.0
"""Seconds without another one, after which all is forgotten."""
MOST_PEERS = 4096
"""Peers that are remembered; beyond that, the one that was wrong the longest time ago is forgotten."""
_NETWORK = 64
"""Bits of an IPv6 address that one peer cannot choose."""


class Attempts:
    """Bounded. Each process counts by itself."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._wrong)

    def wait(self, peer: str, now: float) -> float:
        """Seconds until the peer may try again; 0 for one that may."""
        _, until = self._wrong.get(_network(peer), (0, now))
        return max(0.0, until - now)

    def wrong(self, peer: str, now: float) -> None:
        network = _network(peer)
        count, until = self._wrong.pop(network, (0, now))
        count = 1 if now - until > FORGOTTEN else count + 1
        pause = 0.0 if count < FREE else min(LONGEST, FIRST * 2.0 ** min(count - FREE, 16))
        self._wrong[network] = count, now + pause
        if len(self._wrong) > MOST_PEERS:
            self._wrong.popitem(last=False)

    def right(self, peer: str) -> None:
        self._wrong.pop(_network(peer), None)


def _network(peer: str) -> str:
    """The addresses that whoever is there may have: of IPv6, all of one network."""
    if ":" not in peer:
        return peer
    try:
        address = ipaddress.IPv6Address(peer.partition("%")[0])
    except ValueError:
        return peer
    mapped = address.ipv4_mapped
    return str(mapped) if mapped is not None else str(ipaddress.IPv6Network((int(address), _NETWORK), strict=False))
