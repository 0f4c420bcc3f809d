"""The way to the bundled model: its process is started when the first request for it comes."""

from collections.abc import Coroutine
from typing import Any, Protocol

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.ports import Incoming, Transport
from isthmus.providers.provider import Deadlines, Outgoing
from isthmus.providers.table import LOCAL_ORIGIN
from isthmus.wire.headers import Headers


class Model(Protocol):
    """The model's process, in use between `enter` and `leave`; here or in another process of the gateway."""

    def enter(self) -> None: ...

    def leave(self) -> None: ...

    async def port(self) -> int:
        """Where it listens, once it does. Raises UNREACHABLE."""
        ...

    async def lost(self, port: int, within: float = 1.0) -> bool:
        """Has the process behind `port` ended?"""
        ...


class OnDemand:
    """A Transport. What is addressed to LOCAL_ORIGIN goes to wherever the model listens, all else straight on."""

    def __init__(self, inner: Transport, model: Model) -> None:
        self._inner = inner
        self._model = model

    def send(self, outgoing: Outgoing, deadlines: Deadlines) -> Coroutine[Any, Any, Incoming]:
        """As the inner transport. UNREACHABLE also when the model's process cannot be started."""
        if outgoing.origin.port != LOCAL_ORIGIN.port:
            return self._inner.send(outgoing, deadlines)
        return self._send(outgoing, deadlines)

    async def _send(self, outgoing: Outgoing, deadlines: Deadlines) -> Incoming:
        self._model.enter()
        try:
            return _Held(await self._to_model(outgoing, deadlines), self._model)
        except BaseException:
            self._model.leave()
            raise

    async def _to_model(self, outgoing: Outgoing, deadlines: Deadlines) -> Incoming:
        port = await self._model.port()
        try:
            return await self._inner.send(_at(outgoing, port), deadlines)
        except GatewayError as error:
            if error.kind is not Kind.UNREACHABLE or not await self._model.lost(port):
                raise
        return await self._inner.send(_at(outgoing, await self._model.port()), deadlines)


class _Held:
    """An answer of the model, which is in use until this is closed."""

    __slots__ = ("_incoming", "_model", "headers", "status")

    def __init__(self, incoming: Incoming, model: Model) -> None:
        self.status: int = incoming.status
        self.headers: Headers = incoming.headers
        self._incoming = incoming
        self._model: Model | None = model

    async def read(self) -> bytes:
        return await self._incoming.read()

    async def body(self, limit: int) -> bytes:
        return await self._incoming.body(limit)

    def close(self) -> None:
        self._incoming.close()
        if self._model is not None:
            self._model.leave()
            self._model = None


def _at(outgoing: Outgoing, port: int) -> Outgoing:
    return replace(outgoing, origin=replace(LOCAL_ORIGIN, port=port))
