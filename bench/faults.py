"""A mock provider that fails as it is asked to: the text of a request may hold `fate:NAME`."""

import argparse
import re
from enum import StrEnum

import uvloop

from bench.answers import Answers, whole
from bench.upstream import Behaviour, Upstream, listen

PIECES, PAUSE = 20, 0.005
"""Of every streamed answer: how many pieces, and the seconds between them."""
_FATE = re.compile(rb"fate:(\w+)")


class Fate(StrEnum):
    """What becomes of a request."""

    FINE = "fine"
    FAULT = "fault"
    LIMIT = "limit"
    RESET = "reset"
    HANG = "hang"
    TRUNCATE = "truncate"


class FatefulUpstream(Upstream):
    """One connection. Requests are small enough to be looked at whole."""

    _fate = Fate.FINE
    _body = b""

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._body = b""

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._body += body

    def on_message_complete(self) -> None:
        found = _FATE.search(self._body)
        self._fate = Fate(found[1].decode()) if found is not None else Fate.FINE
        super().on_message_complete()

    def reply(self) -> None:
        if self.transport is None:
            return
        match self._fate:
            case Fate.FAULT:
                self.transport.write(_refusal("internal", status=b"500 Internal Server Error"))
            case Fate.LIMIT:
                self.transport.write(_refusal("slow down", status=b"429 Too Many Requests"))
            case Fate.RESET:
                self.abort()
            case Fate.HANG:
                pass
            case Fate.TRUNCATE if not self.streamed:
                self.transport.write(self.said.whole[:-200])
                self.loop.call_soon(self.transport.close)
            case _:
                super().reply()

    def stream(self, said: Answers, left: int) -> None:
        if self._fate is Fate.TRUNCATE and left == PIECES // 2:
            self.abort()
        else:
            super().stream(said, left)


def with_fate(body: bytes, fate: Fate) -> bytes:
    """A request of bodies.py that asks for `fate`, in words that every dialect keeps."""
    told = body.replace(b"Please look up", b"Please (fate:%b) look up" % fate.encode())
    assert told != body
    return told


def _refusal(message: str, *, status: bytes) -> bytes:
    """Of a shape that both dialects have."""
    error = {"type": "error", "error": {"type": "api_error", "message": message, "code": None, "param": None}}
    return whole(error, status=status)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0 takes any free one")
    options = parser.parse_args()
    behaviour = Behaviour(pieces=PIECES, pause=PAUSE)
    uvloop.run(listen(lambda: FatefulUpstream(behaviour), options.port))


if __name__ == "__main__":
    main()
