"""How a body is read, whoever carries it: codings undone, and never more than was agreed."""

from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any

from isthmus.core.errors import GatewayError, Kind
from isthmus.transport.decode import Decoder
from isthmus.wire.headers import Headers


class Reading(ABC):
    """What every Incoming shares. `_read_wire` gives the bytes as they were sent."""

    __slots__ = ("_decoder", "headers", "status")

    status: int
    headers: Headers
    _decoder: Decoder | None

    @abstractmethod
    async def _read_wire(self) -> bytes: ...

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def want(self, size: int) -> None:
        """So many bytes are going to be read at one go: no need to hold the sender back before."""

    def read(self) -> Coroutine[Any, Any, bytes]:
        return self._read_wire() if self._decoder is None else self._read_decoded(self._decoder)

    async def body(self, limit: int) -> bytes:
        self.want(limit)
        pieces, size = [], 0
        while piece := await self.read():
            size += len(piece)
            if size > limit:
                self.close()
                raise GatewayError(Kind.GARBLED, f"the answer is longer than the limit of {limit} bytes")
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _read_decoded(self, decoder: Decoder) -> bytes:
        try:
            while not (piece := decoder.take()):
                data = await self._read_wire()
                if not data:
                    decoder.end()
                    break
                decoder.feed(data)
        except GatewayError:
            self.close()
            raise
        return piece
