"""Answers that were kept: told again, their input listed, cancelled, deleted; for the client they were made for."""

from urllib.parse import parse_qs

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.dialects.openai.responses import CODEC
from isthmus.dialects.openai.responses import kept as responses
from isthmus.engine.admit import identify
from isthmus.engine.exchange import Call
from isthmus.engine.kept import Record, Shelf
from isthmus.engine.lane import outgoing
from isthmus.engine.live import Now
from isthmus.engine.ports import Ports
from isthmus.engine.send import ERROR_BODY, send
from isthmus.providers.provider import Aim, Outgoing
from isthmus.server.pages import Page


async def kept_page(call: Call, rest: str, method: str, query: bytes, *, now: Now, ports: Ports) -> Page:
    """The answer to a request below /v1/responses/. Raises UNKNOWN_PATH for what is not kept, or no longer."""
    client = identify(call.presented, now.snapshot, ports.clock.time())
    id_, _, what = rest.partition("/")
    shelf = Shelf(ports.memory, client.owner) if ports.memory is not None else None
    record = None if shelf is None else await shelf.find(id_)
    if shelf is None or record is None:
        raise responses.unknown_response(id_)
    match method, what:
        case "GET", "":
            return Page(200, record.kept.body)
        case "GET", "input_items":
            return Page(200, await _input_items(id_, query, shelf))
        case "POST", "cancel":
            return Page(200, responses.write_cancelled(record.kept))
        case "DELETE", "":
            await _delete_there(record, call, now, ports)
            await shelf.forget(id_)
            return Page(200, responses.write_deleted(id_))
        case _:
            words = "a response is told (GET), deleted (DELETE), cancelled (POST .../cancel), or lists its input_items"
            raise GatewayError(Kind.UNKNOWN_PATH, words)


async def _input_items(id_: str, query: bytes, shelf: Shelf) -> bytes:
    fields = parse_qs(query.decode("latin-1"))
    chain = await shelf.chain(id_)
    if chain is None:
        raise responses.unknown_previous(id_)
    limit = fields.get("limit", [str(responses.LIMIT)])[0]
    return responses.list_input(
        [record.kept for record in chain],
        after=fields.get("after", [None])[0],
        limit=int(limit) if limit.isdecimal() else 0,
        descending=fields.get("order", ["desc"])[0] != "asc",
    )


async def _delete_there(record: Record, call: Call, now: Now, ports: Ports) -> None:
    """Delete it at the provider too, where that keeps it. Raises what the provider refuses with, but for a 404."""
    provider = now.snapshot.providers.get(record.provider)
    if provider is None:
        return
    aim = Aim(Operation.CHAT, CODEC.dialect, record.model)
    asked = outgoing(provider, aim, b"", call=call, ours=CODEC)
    path, mark, query = asked.target.partition("?")
    deletion = Outgoing(asked.origin, "DELETE", f"{path}/{record.kept.id}{mark}{query}", asked.headers)
    incoming = await send(deletion, aim, provider, ports)
    try:
        if incoming.status not in (200, 204, 404):
            raise CODEC.read_error(incoming.status, incoming.headers, await incoming.body(ERROR_BODY))
    finally:
        incoming.close()
