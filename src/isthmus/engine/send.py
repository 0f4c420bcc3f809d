"""One signed request on its way out, and its answer taken out of the host's envelope."""

from collections.abc import Awaitable

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.ports import Incoming, Ports
from isthmus.providers.provider import Aim, Outgoing, Provider, Unwrap
from isthmus.wire.frames import FrameTooLarge, Framing
from isthmus.wire.framings import CONTENT_TYPES
from isthmus.wire.headers import find

ERROR_BODY = 1024 * 1024
"""Bytes of an upstream's refusal that are read."""


def send(request: Outgoing, aim: Aim, provider: Provider, ports: Ports) -> Awaitable[Incoming]:
    """Send what `outgoing` made. Raises as the transport and the authority do."""
    if provider.cloud is None and provider.envelope is None:
        return ports.transport.send(request, provider.deadlines)
    return _send_through(request, aim, provider, ports)


async def _send_through(request: Outgoing, aim: Aim, provider: Provider, ports: Ports) -> Incoming:
    """Signed by a cloud's credential, or taken out of a host's envelope, or both."""
    if provider.cloud is not None:
        if ports.authority is None:
            raise GatewayError(Kind.CREDENTIAL_REJECTED, f"nothing here can sign for {provider.cloud.kind}")
        request = await ports.authority.sign(request, provider.cloud)
    incoming = await ports.transport.send(request, provider.deadlines)
    if incoming.status == 401 and provider.cloud is not None and ports.authority is not None:
        incoming = await _once_more(request, incoming, provider, ports)
    if provider.envelope is None or incoming.status != 200:
        return incoming
    if CONTENT_TYPES[provider.envelope.framing] not in (find(incoming.headers, b"content-type") or b""):
        return incoming
    unwrap = provider.envelope.unwrap(aim)
    return incoming if unwrap is None else Unwrapped(incoming, unwrap)


async def _once_more(request: Outgoing, incoming: Incoming, provider: Provider, ports: Ports) -> Incoming:
    """What is answered to a request whose signature was refused: asked again, once, where there is a newer one."""
    assert provider.cloud is not None  # noqa: S101  somebody signed it
    assert ports.authority is not None  # noqa: S101  it did
    try:
        again = await ports.authority.refused(request, provider.cloud)
    except BaseException:
        incoming.close()
        raise
    if again is None:
        return incoming
    incoming.close()
    return await ports.transport.send(again, provider.deadlines)


class Unwrapped:
    """An Incoming whose stream is in the dialect's own framing. Its content type says so."""

    def __init__(self, incoming: Incoming, unwrap: Unwrap) -> None:
        self.status = incoming.status
        own = (b"content-type", CONTENT_TYPES[Framing.SSE])
        self.headers = (*(pair for pair in incoming.headers if pair[0] != b"content-type"), own)
        self._incoming = incoming
        self._unwrap = unwrap
        self._over = False

    async def read(self) -> bytes:
        while not self._over:
            data = await self._incoming.read()
            self._over = not data
            if out := self._open(data):
                return out
        return b""

    async def body(self, limit: int) -> bytes:
        """All that is left, at most `limit` bytes of it."""
        pieces, size = [], 0
        while piece := await self.read():
            size += len(piece)
            if size > limit:
                raise GatewayError(Kind.GARBLED, f"the provider sent more than {limit} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        self._incoming.close()

    def _open(self, data: bytes) -> bytes:
        try:
            return self._unwrap.feed(data) if data else self._unwrap.end()
        except FrameTooLarge as error:
            raise GatewayError(Kind.GARBLED, f"the provider sent {error}") from error
