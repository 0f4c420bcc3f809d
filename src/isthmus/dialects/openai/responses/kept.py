"""Answers that can be asked for again: what is kept of one, and what is answered to whoever asks.

Pure values and functions. Who keeps the records, how many and for how long, is not decided here. Source: the
OpenAI API reference, "Get a model response", "Delete a model response", "Cancel a response" and "List input items".
"""

from collections.abc import Mapping, Sequence

from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.dialects.openai.responses.items import kind_of
from isthmus.dialects.openai.responses.names import item_id
from isthmus.dialects.openai.responses.peek import invalid
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

LIMIT, MOST = 20, 100
"""Items in a list where nobody says how many, and at most."""
_PREVIOUS = "previous_response_id"
_PREFIXES: Mapping[str, str] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
}
"""How the ids of items begin, by their type."""


class Kept(Value, frozen=True):
    """One answer. `body` is the response object; `input` are the items of its own request, each with an id.

    `previous` is the id of the response that this one continues, whose items stand before its own.
    """

    id: str
    body: bytes
    input: tuple[Raw, ...]
    output: tuple[Raw, ...]
    previous: str | None = None
    background: bool = False

    @property
    def size(self) -> int:
        """Bytes that it takes to keep, about."""
        return len(self.body) + sum(map(len, self.input)) + sum(map(len, self.output))


def wants_keeping(request: bytes) -> bool:
    """May an answer to this request be asked for again? It may unless the caller says `"store": false`."""
    return json.read_fields(request).get("store") != Raw(b"false")


def previous_of(request: bytes) -> str | None:
    """The response that the request continues. Raises INVALID for an id that is no string."""
    try:
        return Fields(request).text(_PREVIOUS)
    except Malformed as error:
        raise invalid(error) from error


def make_record(request: bytes, answer: bytes) -> Kept:
    """What is kept of an answer, as its caller was told it. `request` is the caller's own, before `expand`."""
    asked, told = Fields(request), Fields(answer)
    id_ = told.text("id") or ""
    output = told.look("output")
    return Kept(
        id=id_,
        body=answer,
        input=_own_items(asked.raw("input"), id_),
        output=() if output is None else tuple(json.read_items(output)),
        previous=asked.text(_PREVIOUS),
        background=bool(asked.flag("background")),
    )


def _own_items(value: Raw | None, seed: str) -> tuple[Raw, ...]:
    """The items of an input as the API lists them: messages whole, and an id for each."""
    if value is None:
        return ()
    if json.is_text(value):
        said = json.raw({"role": "user", "content": value})
        return (_listed(said, seed, 0),)
    return tuple(_listed(item, seed, place) for place, item in enumerate(json.read_items(value)))


def _listed(item: Raw, seed: str, place: int) -> Raw:
    fields = json.read_fields(item)
    kind = kind_of(Fields(item))
    told: dict[str, Raw] = {"type": json.raw(kind), "id": json.raw(item_id(_PREFIXES.get(kind, "item"), seed, place))}
    if kind in _PREFIXES:
        told["status"] = json.raw("completed")
    for name in ("content", "output"):
        if (value := fields.get(name)) is not None and kind in _PREFIXES:
            fields[name] = _whole(value, spoken=fields.get("role") == _ASSISTANT, listed=kind == "message")
    return json.raw({**told, **{name: value for name, value in fields.items() if value != json.NULL}})


_ASSISTANT = Raw(b'"assistant"')
_DETAIL = json.raw("auto")


def _whole(value: Raw, *, spoken: bool, listed: bool) -> Raw:
    """A content with what its parts may leave out when they are sent; a text is a list of itself where `listed`."""
    if json.is_text(value):
        part: dict[str, object] = {"type": "output_text" if spoken else "input_text", "text": value}
        return json.raw([{**part, "annotations": []} if spoken else part]) if listed else value
    if memoryview(value)[0] != ord("["):
        return value
    parts = [json.read_fields(part) for part in json.read_items(value)]
    images = [part for part in parts if part.get("type") == Raw(b'"input_image"')]
    for image in images:
        image.setdefault("detail", _DETAIL)
    return json.raw(parts) if images else value


def expand(request: bytes, chain: Sequence[Kept]) -> bytes:
    """The request with all that was said before in its input, and without the id that stood for it.

    `chain` are the responses that it continues, the first one in front. Instructions of theirs are not carried on.
    """
    fields = json.read_fields(request)
    value = fields.get("input", json.NULL)
    own = _said(value)
    before = [item for kept in chain for item in (*kept.input, *kept.output)]
    return json.splice(request, {_PREVIOUS: None, "input": json.raw([*before, *own])})


def _said(value: Raw) -> list[Raw]:
    if value == json.NULL:
        return []
    if json.is_text(value):
        return [json.raw({"role": "user", "content": value})]
    return json.read_items(value, "input")


def list_input(
    chain: Sequence[Kept], *, after: str | None = None, limit: int = LIMIT, descending: bool = True
) -> bytes:
    """The items that the last of `chain` was made from, the newest first unless told otherwise.

    `after` is the id of the item that the list goes on behind. Raises INVALID for a limit or an id that cannot be.
    """
    if not 1 <= limit <= MOST:
        raise GatewayError(Kind.INVALID, f"limit must be between 1 and {MOST}", param="limit")
    before = [item for kept in chain[:-1] for item in (*kept.input, *kept.output)]
    items = [*before, *(chain[-1].input if chain else ())]
    if descending:
        items.reverse()
    start = 0 if after is None else _behind(items, after)
    shown = items[start : start + limit]
    ids = [_id(item) for item in shown]
    return json.encode(
        {
            "object": "list",
            "data": shown,
            "first_id": ids[0] if ids else None,
            "last_id": ids[-1] if ids else None,
            "has_more": start + limit < len(items),
        }
    )


def _behind(items: Sequence[Raw], after: str) -> int:
    place = next((number for number, item in enumerate(items) if _id(item) == after), None)
    if place is None:
        raise GatewayError(Kind.INVALID, f"no item of this response has the id {after!r}", param="after")
    return place + 1


def _id(item: Raw) -> str | None:
    value = json.read_fields(item).get("id")
    return None if value is None or not json.is_text(value) else str(json.decode(value))


def write_deleted(id_: str) -> bytes:
    """The answer to a deletion."""
    return json.encode({"id": id_, "object": "response", "deleted": True})


def write_cancelled(kept: Kept) -> bytes:
    """The answer to a cancellation: an answer that is over stays as it is. Raises INVALID for one not in background."""
    if not kept.background:
        raise GatewayError(Kind.INVALID, "only a response that was asked for with background: true can be cancelled")
    status = json.read_fields(kept.body).get("status")
    is_over = status not in (Raw(b'"queued"'), Raw(b'"in_progress"'))
    return kept.body if is_over else json.splice(kept.body, {"status": json.raw("cancelled")})


def unknown_previous(id_: str) -> GatewayError:
    """A request continues a response that is not kept, or no longer."""
    return GatewayError(
        Kind.INVALID,
        f"the previous response {id_!r} is not kept here: send the whole conversation, or store it first",
        param=_PREVIOUS,
        code="previous_response_not_found",
    )


def unknown_response(id_: str) -> GatewayError:
    """Somebody asks for a response that is not kept, or no longer."""
    return GatewayError(Kind.UNKNOWN_PATH, f"no response with the id {id_!r} is kept here", param="response_id")
