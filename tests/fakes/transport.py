"""A transport that plays a script: what each upstream host answers, in order, and what it was sent."""

import asyncio
from collections.abc import Sequence
from typing import TypeAlias

from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import Deadlines, Outgoing
from isthmus.wire.headers import Headers

Step: TypeAlias = bytes | GatewayError | asyncio.Event
"""A piece of a body, a failure in its place, or something to wait for first."""

JSON: Headers = ((b"content-type", b"application/json"),)
SSE: Headers = ((b"content-type", b"text/event-stream"),)


class Scripted:
    """One upstream answer. Also the Incoming that the engine reads."""

    def __init__(self, *steps: Step, status: int = 200, headers: Headers = JSON) -> None:
        self.status = status
        self.headers = headers
        self.steps = list(steps)
        self.closed = asyncio.Event()

    async def read(self) -> bytes:
        while self.steps:
            step = self.steps.pop(0)
            if isinstance(step, GatewayError):
                try:
                    raise step
                finally:
                    del step  # its trace holds this frame
            if isinstance(step, asyncio.Event):
                await step.wait()
                continue
            return step
        return b""

    async def body(self, limit: int) -> bytes:
        pieces = []
        while piece := await self.read():
            pieces.append(piece)
        whole = b"".join(pieces)
        if len(whole) > limit:
            raise GatewayError(Kind.GARBLED, f"more than {limit} bytes")
        return whole

    def close(self) -> None:
        self.closed.set()


class ScriptedTransport:
    """Implements the engine's Transport. A host whose script is used up is a test's mistake."""

    def __init__(self, scripts: dict[str, Sequence[Scripted | GatewayError]]) -> None:
        self.scripts = {host: list(script) for host, script in scripts.items()}
        self.sent: list[Outgoing] = []
        self.played: list[Scripted] = []

    async def send(self, outgoing: Outgoing, deadlines: Deadlines) -> Scripted:
        self.sent.append(outgoing)
        answer = self.scripts[outgoing.origin.host].pop(0)
        if isinstance(answer, GatewayError):
            try:
                raise answer
            finally:
                del answer  # its trace holds this frame
        self.played.append(answer)
        return answer
