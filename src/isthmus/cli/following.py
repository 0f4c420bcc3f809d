"""An answer of the running gateway that goes on: its events, as they come."""

import asyncio
from collections.abc import Callable

from isthmus.cli.output import fail
from isthmus.cli.running import Answered, Running, good
from isthmus.core.errors import GatewayError
from isthmus.providers.provider import Deadlines, Outgoing
from isthmus.transport.client import open_transport
from isthmus.wire.frames import Framing
from isthmus.wire.framings import SPLITTERS

PATIENCE = Deadlines(connect=2.0, first_byte=30.0, between_bytes=60.0)
"""The gateway sends a sign of life more often than that."""
LONGEST = 1024 * 1024
"""Bytes of a refusal that are read."""


def follow(gateway: Running, target: str, take: Callable[[str], None]) -> None:
    """Hand over the data of each event until the gateway stops, or the user has seen enough."""
    try:
        asyncio.run(_follow(gateway, target, take))
    except GatewayError as error:
        fail(f"{gateway.url} says no more: {error.message}")
    except KeyboardInterrupt:
        return


async def _follow(gateway: Running, target: str, take: Callable[[str], None]) -> None:
    async with open_transport() as transport:
        incoming = await transport.send(Outgoing(gateway.origin, "GET", target, gateway.headers), PATIENCE)
        try:
            if incoming.status != 200:
                good(Answered(incoming.status, await incoming.body(LONGEST)))
            split = SPLITTERS[Framing.SSE]()
            while data := await incoming.read():
                for frame in split.feed(data):
                    take(frame.data.decode(errors="replace"))
        finally:
            incoming.close()
