"""A mock provider of both dialects that costs next to nothing: only the framing of a request is read.

Any path that ends in `/messages` is answered in the Anthropic dialect, any other in the OpenAI
dialect, as a stream when the body holds `"stream":true`. How it behaves is fixed by its flags;
run one process for each behaviour. It prints its port when it listens.
"""

import argparse
import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import httptools
import uvloop

from bench.answers import Answers, answers
from bench.bodies import Dialect

_STREAM = b'"stream":true'


@dataclass(frozen=True)
class Behaviour:
    """Times in seconds: before an answer, and between the pieces of a streamed one."""

    delay: float = 0.0
    pieces: int = 200
    pause: float = 0.0


class Upstream(asyncio.Protocol):
    """One connection. Each piece of a stream is a write of its own, as providers send them."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        self._behaviour = behaviour
        self._answers = answers(behaviour.pieces)
        self._parser = httptools.HttpRequestParser(self)
        self._timer: asyncio.Handle | None = None
        self.said = self._answers[Dialect.OPENAI]
        self.streamed = False
        self._seam = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment] # uvloop's class is not a subclass

    def connection_lost(self, _: Exception | None) -> None:
        self.transport = None
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.abort()

    def on_url(self, url: bytes) -> None:
        dialect = Dialect.ANTHROPIC if url.partition(b"?")[0].endswith(b"/messages") else Dialect.OPENAI
        self.said = self._answers[dialect]
        self.streamed = False
        self._seam = b""

    def on_body(self, body: bytes) -> None:
        """Look for the flag in each piece and across the seams between them."""
        if not self.streamed:
            self.streamed = _STREAM in body or (bool(self._seam) and _STREAM in self._seam + body[:16])
            self._seam = body[-16:]

    def on_message_complete(self) -> None:
        if self._behaviour.delay:
            self._timer = self.loop.call_later(self._behaviour.delay, self.reply)
        else:
            self.reply()

    def reply(self) -> None:
        """Answer the request that has just come."""
        if self.transport is None:
            return
        if self.streamed:
            self.transport.write(self.said.opening)
            self.stream(self.said, self._behaviour.pieces)
        else:
            self.transport.write(self.said.whole)

    def stream(self, said: Answers, left: int) -> None:
        """Send the next piece, and see to the one after it."""
        if self.transport is None:
            return
        if not left:
            self.finish(said)
            return
        self.transport.write(said.piece)
        pause = self._behaviour.pause
        if pause:
            self._timer = self.loop.call_later(pause, self.stream, said, left - 1)
        else:
            self._timer = self.loop.call_soon(self.stream, said, left - 1)

    def finish(self, said: Answers) -> None:
        assert self.transport is not None
        self.transport.write(said.closing + said.end)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


async def listen(make: Callable[[], asyncio.Protocol], port: int) -> None:
    """Serve until cancelled."""
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", port, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before an answer")
    parser.add_argument("--pieces", type=int, default=200, help="pieces of a streamed answer")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between pieces")
    options = parser.parse_args()
    behaviour = Behaviour(options.delay, options.pieces, options.pause)
    uvloop.run(listen(lambda: Upstream(behaviour), options.port))


if __name__ == "__main__":
    main()
