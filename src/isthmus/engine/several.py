"""One client request that is several of its provider's: a list of prompts, asked one by one and answered together."""

from collections.abc import AsyncGenerator, Sequence
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.fold import fold, unfold
from isthmus.core.operations import Operation
from isthmus.core.reply import ChatReply
from isthmus.dialects.codec import Codec, ReplyHead
from isthmus.engine.exchange import Exchange
from isthmus.engine.fan_out import each
from isthmus.engine.lane import outgoing, translate
from isthmus.engine.ports import Ports
from isthmus.engine.send import ERROR_BODY, send
from isthmus.providers.provider import Aim, Emulator, Provider

MOST = 64
"""Prompts in one request, where each is a request of its own."""


class Written(NamedTuple):
    """One request's body in the provider's dialect, and who helps its model."""

    body: bytes
    emulator: Emulator | None


class Several:
    """Prompts that `theirs` takes one at a time. `model` is the provider's name for it."""

    def __init__(
        self, exchange: Exchange, ours: Codec, theirs: Codec, *, provider: Provider, model: str, limit: int
    ) -> None:
        assert exchange.peek is not None  # noqa: S101  the line has peeked before it attempts
        self._exchange = exchange
        self._ours = ours
        self._theirs = theirs
        self._provider = provider
        self._model = model
        self._limit = limit
        self.shown = exchange.peek.model

    def write(self, pieces: Sequence[bytes]) -> list["Written"]:
        """What to send for each. Raises INVALID for too many."""
        if len(pieces) > MOST:
            raise GatewayError(Kind.INVALID, f"this provider takes one prompt at a time; send at most {MOST} in a list")
        return [self._write(replace(self._ours.read_request(piece), stream=False)) for piece in pieces]

    async def ask(self, written: Sequence["Written"], ports: Ports) -> ChatReply:
        """All of them, as one answer. Raises what the first to fail raises."""
        assert self._ours.join is not None  # noqa: S101  it is there wherever `split` is
        replies = await each([partial(self._ask, one, ports) for one in written])
        created = int(self._exchange.clock.time())
        joined = self._ours.join(replies)
        self._exchange.usage = joined.usage
        return replace(joined, id=joined.id or self._exchange.id, model=self.shown, created=joined.created or created)

    async def chunks(self, reply: ChatReply) -> AsyncGenerator[bytes, None]:
        """The answer as a stream, for a caller who asked for one."""
        head = ReplyHead(model=self.shown, created=reply.created or 0, echo=reply.echo)
        writer = self._ours.stream_writer(head, self._exchange.losses)
        self._exchange.first_byte_at = self._exchange.clock.now()
        yield b"".join([writer.write(event) for event in unfold(reply)]) + writer.end()

    def _write(self, request: ChatRequest) -> "Written":
        provider, losses = self._provider, self._exchange.losses
        emulator = provider.emulator() if provider.emulator is not None else None
        body = translate(request, self._theirs, provider=provider, model=self._model, emulator=emulator, losses=losses)
        return Written(body, emulator)

    async def _ask(self, written: "Written", ports: Ports) -> ChatReply:
        aim, emulator = Aim(Operation.CHAT, self._theirs.dialect, self._model), written.emulator
        signed = outgoing(self._provider, aim, written.body, call=self._exchange.call, ours=self._ours)
        incoming = await send(signed, aim, self._provider, ports)
        self._exchange.hear(incoming.headers)
        try:
            if not 200 <= incoming.status < 300:
                raise self._theirs.read_error(incoming.status, incoming.headers, await incoming.body(ERROR_BODY))
            reply = self._theirs.read_reply(await incoming.body(self._limit))
        finally:
            incoming.close()
        return reply if emulator is None else fold([done for event in unfold(reply) for done in emulator.read(event)])
