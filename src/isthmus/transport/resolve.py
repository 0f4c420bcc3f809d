"""Names to addresses: looked up off the loop, shared by all who ask at once, kept for a short while."""

import asyncio
import socket
from collections.abc import Iterable
from itertools import chain, zip_longest
from time import monotonic
from typing import Any, NamedTuple

KEEP = 30.0
"""Seconds that an answer is trusted. The system's resolver does not tell how long the DNS says."""
MOST = 256
"""Names kept."""


class Address(NamedTuple):
    """`sockaddr` is as the socket module has it: two items for IPv4, four for IPv6."""

    family: int
    sockaddr: tuple[Any, ...]


class Resolver:
    """`addresses` of a host, those of both families in alternation (RFC 8305, section 4)."""

    def __init__(self, keep: float = KEEP) -> None:
        self._keep = keep
        self._known: dict[tuple[str, int], tuple[float, tuple[Address, ...]]] = {}
        self._asking: dict[tuple[str, int], asyncio.Task[tuple[Address, ...]]] = {}

    async def addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """At least one. Raises OSError or UnicodeError where there is none."""
        key = (host, port)
        known = self._known.get(key)
        if known is not None and known[0] > monotonic():
            return known[1]
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(host, port))
            task.add_done_callback(lambda done: self._asked(key, done))
        return await asyncio.shield(task)  # one who gives up does not end the look-up of the others

    async def aclose(self) -> None:
        tasks = tuple(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, host: str, port: int) -> tuple[Address, ...]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        return interleave(Address(family, sockaddr) for family, _, _, _, sockaddr in found)

    def _asked(self, key: tuple[str, int], done: asyncio.Task[tuple[Address, ...]]) -> None:
        self._asking.pop(key, None)
        if done.cancelled() or done.exception() is not None:
            return
        if len(self._known) >= MOST:
            self._known.pop(next(iter(self._known)))
        self._known[key] = (monotonic() + self._keep, done.result())


def interleave(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """First one of the family that the system prefers, then one of the other, and so on."""
    unique = list(dict.fromkeys(addresses))
    first = [address for address in unique if address.family == unique[0].family]
    other = [address for address in unique if address.family != unique[0].family]
    pairs = chain.from_iterable(zip_longest(first, other))
    return tuple(address for address in pairs if address is not None)
