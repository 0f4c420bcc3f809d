"""What is fuzzed: whatever reads bytes that a client or a provider chose, each with what it may be started from.

A run returns, or raises what its caller is told to expect (which is caught here); whatever else it raises is a
failure. What was read is handed to a writer too: readers must not make values that no writer can take. Knows nothing
of the fuzzer; see judge.py for time and memory.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from isthmus.core.chat import ChatRequest
from isthmus.core.embedding import EmbedReply, EmbedRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import Event, StreamError
from isthmus.core.fold import fold, unfold
from isthmus.core.grammar import Checker
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.core.profile import UNKNOWN
from isthmus.core.usage import Usage
from isthmus.dialects.codec import Codec, CountCodec, EmbedCodec, ReplyHead
from isthmus.dialects.listings import LISTINGS, Listing
from isthmus.dialects.table import CODECS, COUNT_CODECS, EMBED_CODECS
from isthmus.wire import json
from isthmus.wire.frames import FrameTooLarge, Framing
from isthmus.wire.framings import GATES, SPLITTERS
from isthmus.wire.respell import respell
from support.specimens import CREATED, FOLDER, dated, specimens
from support.streams import events_of, frames_of, pieces_of, stream_of, tapped

HEAD = ReplyHead("m", CREATED)
CHAT = tuple(codec for (_, operation), codec in CODECS.items() if operation is Operation.CHAT)
ASKED = (EmbedRequest(model="m-1", inputs=("the sea",), single=True), EmbedRequest(model="m-1", inputs=("a", "b")))
TOLD = EmbedReply(model="m-1", vectors=((0.5, -0.25),), usage=Usage(fresh_input=3))


class Target(NamedTuple):
    """`framing` is that of the input, None where it is one document."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    framing: Framing | None = None


def targets() -> Mapping[str, Target]:
    """All of them, by the name of the dialect or framing and what of it is read."""
    found: dict[str, Target] = {}
    for (name, _), codec in CODECS.items():
        found[f"{name}.request"] = Target(partial(read_request, codec), partial(_files, name, "request"))
        found[f"{name}.reply"] = Target(partial(read_reply, codec), partial(_replies, name, codec))
        found[f"{name}.stream"] = Target(partial(read_stream, codec), partial(_streams, codec), codec.framing)
    for name, embed in EMBED_CODECS.items():
        found[f"{name}.embed"] = Target(partial(read_embedding, embed), partial(_embeddings, embed))
    for name, count in COUNT_CODECS.items():
        found[f"{name}.count"] = Target(partial(read_count, count), partial(_counts, name, count))
    for name, listing in LISTINGS.items():
        found[f"{name}.list"] = Target(partial(read_list, listing), lambda: LISTS)
    for framing in SPLITTERS:
        found[f"{framing}.framing"] = Target(partial(cut, framing), partial(_framed, framing), framing)
    found["json.fields"] = Target(read_fields, partial(_files, "*", "request"))
    found["json.respell"] = Target(change_model, partial(_files, "*", "request"))
    return found


def read_request(codec: Codec, body: bytes) -> None:
    """As a client's request is: looked at, read whole, split where it is several, and written for some provider."""
    with expected_refusals():
        if codec.split is not None:
            codec.split(body)
    with expected_refusals():
        codec.peek(body)
        if codec.aside is not None:
            codec.aside(body, CREATED)
    with expected_refusals():
        request = codec.read_request(body)
        echo = None if codec.echo is None else codec.echo(request)
        assert echo is None or json.encode(echo.fields)
        target = _one_of(CHAT, body)
        json.read_fields(target.write_request(request, UNKNOWN, Losses()))


def read_reply(codec: Codec, body: bytes) -> None:
    """As a provider's answer is: for its usage, whole, and as a refusal."""
    assert codec.read_error(500, (), body).message
    with suppress(GatewayError):
        codec.tap_reply(body)
    with suppress(GatewayError):
        reply = codec.read_reply(body)
        writer = _one_of(CHAT, body)
        assert json.decode(writer.write_reply(dated(reply), Losses())) is not None
        assert stream_of(writer, HEAD, unfold(reply), Losses())


def read_stream(codec: Codec, stream: bytes) -> None:
    """As a provider's stream is: its events obey the grammar and can be written; a tap changes nothing."""
    pieces = pieces_of(stream, 1 + len(stream) // 3)
    with suppress(FrameTooLarge):
        events = events_of(codec, pieces)
        check(events)
        if not isinstance(events[-1], StreamError):
            assert fold(events)
        assert stream_of(_one_of(CHAT, stream), HEAD, _without_error(events), Losses()) is not None
    with suppress(FrameTooLarge):
        assert tapped(codec.tap(False), pieces).passed == stream
        tapped(codec.tap(True), pieces)


def read_embedding(codec: EmbedCodec, body: bytes) -> None:
    assert codec.read_error(400, (), body).message
    with expected_refusals():
        codec.peek(body)
    with expected_refusals():
        asked = codec.read_request(body)
        codec.write_request(asked, UNKNOWN, Losses())
    if codec.tap_reply is not None:
        with suppress(GatewayError):
            codec.tap_reply(body)
    with suppress(GatewayError):
        codec.write_reply(codec.read_reply(body), ASKED[0], Losses())


def read_count(codec: CountCodec, body: bytes) -> None:
    assert codec.read_error(400, (), body).message
    with expected_refusals():
        codec.peek(body)
    with expected_refusals():
        asked: ChatRequest = codec.read_request(body)
        codec.write_request(asked, UNKNOWN, Losses())
    with suppress(GatewayError):
        assert codec.read_reply(body) >= 0


def read_list(listing: Listing, body: bytes) -> None:
    with suppress(GatewayError):
        assert all(isinstance(name, str) for name in listing.read_models(body))
    listing.read_facts(body)


def cut(framing: Framing, stream: bytes) -> None:
    """However it comes in pieces, the frames are the same, and a gate changes no byte."""
    sizes = (max(1, len(stream)), 1 + len(stream) // 7)
    with suppress(FrameTooLarge):
        whole, in_pieces = (frames_of(pieces_of(stream, size), framing) for size in sizes)
        assert whole == in_pieces
    for size in sizes:
        gate = GATES[framing]()
        with suppress(FrameTooLarge):
            assert b"".join([*map(gate.feed, pieces_of(stream, size)), gate.end()]) == stream


def read_fields(body: bytes) -> None:
    """Every field in each of the ways it could be taken."""
    json.canonical(body.decode(errors="replace"))
    try:
        names = list(json.read_fields(body))
        json.document(body)
    except json.Malformed:
        return
    for take in TAKES:
        for name in names:
            with suppress(json.Malformed):
                take(json.document(body), name)
    assert json.read_fields(json.splice(body, {"x": json.NULL})).keys() == {*names, "x"}


TAKES: Sequence[Callable[[json.Fields, str], object]] = (
    json.Fields.raw,
    json.Fields.text,
    json.Fields.integer,
    json.Fields.number,
    json.Fields.flag,
    json.Fields.texts,
    json.Fields.fields,
    json.Fields.items,
)


def change_model(body: bytes) -> None:
    """The model is changed as if the whole were read and written again, or not at all."""
    with suppress(json.Malformed):
        json.check_text(body)
        fields = json.read_fields(body)
        old = json.decode(fields.get("model", json.NULL))
        if isinstance(old, str) and (changed := respell(body, "model", old, "new")) is not None:
            assert json.read_fields(changed) == {**fields, "model": json.raw("new")}


class expected_refusals(suppress):  # noqa: N801  reads as what it is
    """Lets a request be refused, as the client's fault and not as ours."""

    def __init__(self) -> None:
        super().__init__(GatewayError)

    def __exit__(self, kind: object, error: object, trace: object) -> bool:  # type: ignore[override]
        assert not isinstance(error, GatewayError) or error.status < 500, error
        return super().__exit__(kind, error, trace)  # type: ignore[arg-type]


def check(events: Sequence[Event]) -> None:
    checker = Checker()
    for event in events:
        checker.check(event)
    checker.end()


def _without_error(events: Sequence[Event]) -> Sequence[Event]:
    return events[:-1] if isinstance(events[-1], StreamError) else events


def _one_of(codecs: Sequence[Codec], body: bytes) -> Codec:
    """Another one for another input, the same for the same."""
    return codecs[sum(body[-64:]) % len(codecs)]


LISTS = (
    b'{"object":"list","data":[{"id":"m-1","object":"model","context_length":8192,"created":1,"owned_by":"x"}]}',
    b'{"data":[{"type":"model","id":"m-1","display_name":"M 1","created_at":"2026-01-01T00:00:00Z"}],"has_more":false}',
    b'{"models":[{"name":"models/m-1","inputTokenLimit":8192,"supportedGenerationMethods":["generateContent"]}]}',
    b'{"models":[{"name":"m-1:latest","model":"m-1:latest","size":1,"details":{"family":"x"}}]}',
    b'[{"id":"m-1","type":"chat","pricing":{"input":0.5}}]',
)


def _files(name: str, what: str) -> Iterator[bytes]:
    """The dialect's files in every specimen, and what its writers made of others'."""
    told = name.removesuffix("_array")
    for path in sorted(FOLDER.glob(f"*/{told}.{what}*.json")):
        yield path.read_bytes()


def _replies(name: str, codec: Codec) -> Iterator[bytes]:
    yield from _files(name, "reply")
    for error in _refusals():
        yield codec.write_error(error)


def _refusals() -> Iterator[GatewayError]:
    return (GatewayError(kind, "it cannot be done", param="model") for kind in Kind)


def _streams(codec: Codec) -> Iterator[bytes]:
    for specimen in specimens():
        if codec.dialect in specimen.dialects and CODECS[codec.dialect, Operation.CHAT] is codec:
            yield specimen.file(codec.dialect, "stream")
        yield stream_of(codec, HEAD, unfold(dated(specimen.reply)), Losses())
    for error in _refusals():
        yield codec.write_error_event(error)


def _framed(framing: Framing) -> Iterator[bytes]:
    return (stream for codec in CHAT if codec.framing is framing for stream in _streams(codec))


def _embeddings(codec: EmbedCodec) -> Iterator[bytes]:
    for asked in ASKED:
        with suppress(GatewayError):
            yield codec.write_request(asked, UNKNOWN, Losses())
            yield codec.write_reply(TOLD, asked, Losses())


def _counts(name: str, codec: CountCodec) -> Iterator[bytes]:
    yield codec.write_reply(7)
    for specimen in specimens():
        with suppress(GatewayError):
            yield codec.write_request(specimen.request, UNKNOWN, Losses())
    yield from _files(name, "request")
