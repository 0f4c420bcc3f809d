"""Specimens: small conversations, each told in every dialect and once in core values.

A folder of tests/specimens holds:

    about.md                      what it shows, in two sentences
    core.py                       REQUEST and REPLY, the one truth; where a dialect cannot say all of it, REQUEST_IN
                                  and REPLY_IN tell, by dialect, what is left in its files; PROFILES, by dialect,
                                  the model to write for where ABLE is not meant
    DIALECT.request.json          the request as a client of the dialect spells it
    DIALECT.reply.json            the answer as a provider of the dialect spells it
    DIALECT.stream.ENDING         the same answer streamed, as the framing of the dialect is kept in a file
    DIALECT.core.py               where it is there: REQUEST and REPLY, what the dialect's files hold, and PROFILE, the
                                  model to write for; a later dialect says here what older ones say in core.py
    DIALECT.losses.toml           where it is there: what is lost on the way to the dialect, as in losses.toml; and a
                                  table `spared`, with `to` and `path`, for each loss that another file tells of every
                                  source and that does not happen on the way from this dialect
    DIALECT.WHAT.from_SOURCE.*    what the writer makes of SOURCE ("core" or a dialect), where that is spelled
                                  otherwise than DIALECT.WHAT; only tests/golden.py writes these
    losses.toml                   what is lost on the way, and why: a table `lost` for each loss, with `to`, `path`,
                                  `deed`, `why`, the list `what` ("request" where it is missing), and the list `from`
                                  (the core and every other dialect where it is missing)

A dialect that cannot say a specimen at all has no file in its folder.
"""

import runpy
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from msgspec import Raw, Struct
from msgspec.structs import fields, replace

from isthmus.core.chat import ChatRequest
from isthmus.core.content import Citation, Text
from isthmus.core.events import MessageStart
from isthmus.core.fold import unfold
from isthmus.core.ids import without_prefix
from isthmus.core.losses import EMPTY, Losses
from isthmus.core.operations import Operation
from isthmus.core.profile import ModelProfile
from isthmus.core.reply import ChatReply, Finish
from isthmus.core.usage import Usage
from isthmus.core.value import Extra
from isthmus.dialects.codec import Codec, ReplyHead
from isthmus.dialects.table import CODECS
from isthmus.wire import json
from support.streams import events_of, stream_of
from support.tongues import TONGUES

FOLDER = Path(__file__).parents[1] / "specimens"
DIALECTS = tuple(TONGUES)
CORE = "core"
CREATED = 1_700_000_000
"""When every specimen's answer was made, for dialects that tell it."""
ABLE: Mapping[str, ModelProfile] = {dialect: tongue.able for dialect, tongue in TONGUES.items()}
WHATS = ("request", "reply", "stream")
_Named = TypeVar("_Named", ChatReply, MessageStart)


class Way(NamedTuple):
    """One translation of a specimen: `source` is "core" or the dialect whose file is read."""

    what: str
    source: str
    target: str

    @property
    def golden(self) -> bool:
        """Is it known what comes out? A stream's spelling is laid down where one dialect becomes another."""
        return self.what != "stream" or self.source not in (CORE, self.target)

    def __str__(self) -> str:
        return f"{self.what}-{self.source}-{self.target}"


class Written(NamedTuple):
    body: bytes
    losses: frozenset[tuple[str, str]]
    """Path and deed of each."""


class Specimen:
    """One folder."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.folder = folder
        core = runpy.run_path(str(folder / "core.py"))
        self.request: ChatRequest = core["REQUEST"]
        self.reply: ChatReply = core["REPLY"]
        self.dialects = [dialect for dialect in DIALECTS if self._path(f"{dialect}.request.json").exists()]
        self._request_in: dict[str, ChatRequest] = dict(core.get("REQUEST_IN", {}))
        self._reply_in: dict[str, ChatReply] = dict(core.get("REPLY_IN", {}))
        self._profiles: dict[str, ModelProfile] = dict(core.get("PROFILES", {}))
        self._lost: list[Mapping[str, Any]] = []
        self._spared: set[tuple[str, str, str]] = set()
        self._read_losses("losses.toml")
        for dialect in self.dialects:
            self._read_column(dialect)

    def __repr__(self) -> str:
        return self.name

    def file(self, dialect: str, what: str) -> bytes:
        """What is on the wire."""
        stored = self._path(f"{dialect}.{what}.{ending(dialect, what)}").read_bytes()
        return TONGUES[dialect].to_wire(stored) if what == "stream" else stored

    def golden_path(self, way: Way) -> Path:
        return self._path(f"{way.target}.{way.what}.from_{way.source}.{ending(way.target, way.what)}")

    def golden(self, way: Way) -> bytes:
        """What the writer should make of it."""
        special = self.golden_path(way)
        if not special.exists():
            return self.file(way.target, way.what)
        stored = special.read_bytes()
        return TONGUES[way.target].to_wire(stored) if way.what == "stream" else stored

    def request_in(self, dialect: str) -> ChatRequest:
        """What a reader of the dialect should make of its request."""
        return in_body(dialect, self._request_in.get(dialect, self.request))

    def reply_in(self, dialect: str) -> ChatReply:
        told, tongue = self._reply_in.get(dialect, self.reply), TONGUES[dialect]
        if tongue.nameless:
            return replace(told, id="", model="")
        return replace(told, id="") if tongue.numberless else told

    def losses(self, way: Way) -> frozenset[tuple[str, str]]:
        return frozenset((one["path"], one["deed"]) for one in self._lost if self._tells(one, way))

    def expected(self) -> frozenset[tuple[str, str]]:
        """Every loss that losses.toml tells, on whatever way."""
        return frozenset((one["path"], one["deed"]) for one in self._lost)

    def write(self, way: Way) -> Written:
        """Translate: read the source's file, or take the core values, and write."""
        losses = Losses()
        codec = codec_of(way.target)
        if way.what == "request":
            profile = self._profiles.get(way.target, TONGUES[way.target].able)
            body = codec.write_request(self._source_request(way.source), profile, losses)
        elif way.what == "reply":
            body = codec.write_reply(dated(self._source_reply(way.source)), losses)
        else:
            head = ReplyHead(model=self.reply.model, created=CREATED)
            body = stream_of(codec, head, self._source_events(way.source), losses)
        return Written(body, frozenset((loss.path, loss.deed.value) for loss in losses.found))

    def _source_request(self, source: str) -> ChatRequest:
        """As the engine reads it: with what stands in the path."""
        if source == CORE:
            return self.request
        read = codec_of(source).read_request(self.file(source, "request"))
        if codec_of(source).model_in_path:
            return replace(read, model=self.request.model, stream=self.request.stream)
        return read

    def _source_reply(self, source: str) -> ChatReply:
        if source == CORE:
            return self.reply
        read = codec_of(source).read_reply(self.file(source, "reply"))
        return self._named(read)

    def _source_events(self, source: str) -> Sequence[Any]:
        if source == CORE:
            return list(unfold(self.reply))
        events = events_of(codec_of(source), [self.file(source, "stream")])
        return [self._named(event) if isinstance(event, MessageStart) else event for event in events]

    def _named(self, told: _Named) -> _Named:
        """As the engine does: an answer of a dialect that gives it no id or no model is given one."""
        return replace(told, id=told.id or self.reply.id, model=told.model or self.reply.model)

    def _path(self, name: str) -> Path:
        return self.folder / name

    def _read_column(self, dialect: str) -> None:
        told = self._read_losses(f"{dialect}.losses.toml")
        self._spared.update((dialect, one["to"], one["path"]) for one in told.get("spared", ()))
        if (path := self._path(f"{dialect}.core.py")).exists():
            own = runpy.run_path(str(path))
            for name, kept in (("REQUEST", self._request_in), ("REPLY", self._reply_in), ("PROFILE", self._profiles)):
                if name in own:
                    kept[dialect] = own[name]

    def _read_losses(self, name: str) -> Mapping[str, Any]:
        path = self._path(name)
        told = tomllib.loads(path.read_text()) if path.exists() else {}
        self._lost.extend(told.get("lost", ()))
        return told

    def _tells(self, lost: Mapping[str, Any], way: Way) -> bool:
        sources = lost.get("from", [CORE, *(dialect for dialect in self.dialects if dialect != lost["to"])])
        if (way.source, way.target, lost["path"]) in self._spared:
            return False
        return lost["to"] == way.target and way.source in sources and way.what in lost.get("what", ["request"])


@cache
def specimens() -> Sequence[Specimen]:
    """All of them, by name."""
    return [Specimen(path) for path in sorted(FOLDER.iterdir()) if (path / "core.py").exists()]


def told() -> Sequence[tuple[Specimen, str]]:
    """Every specimen with each dialect that can say it."""
    return [(specimen, dialect) for specimen in specimens() for dialect in specimen.dialects]


def told_in(dialect: str) -> Sequence[Specimen]:
    """The specimens that the dialect can say."""
    return [specimen for specimen in specimens() if dialect in specimen.dialects]


def ways_of(specimen: Specimen) -> Sequence[Way]:
    """Every translation of it, a dialect into itself too."""
    return [
        Way(what, source, target)
        for what in WHATS
        for source in (CORE, *specimen.dialects)
        for target in specimen.dialects
    ]


def ways() -> Sequence[tuple[Specimen, Way]]:
    """Every translation of every specimen."""
    return [(specimen, way) for specimen in specimens() for way in ways_of(specimen)]


def ending(dialect: str, what: str) -> str:
    """That of the file which holds it."""
    return TONGUES[dialect].ending if what == "stream" else "json"


def codec_of(dialect: str) -> Codec:
    return CODECS[dialect, Operation.CHAT]


def in_body(dialect: str, request: ChatRequest) -> ChatRequest:
    """Without what stands in the path of the dialect's requests."""
    return replace(request, model="", stream=False) if codec_of(dialect).model_in_path else request


def dated(reply: ChatReply) -> ChatReply:
    """As the engine does: an answer of a dialect that tells no time was made now."""
    return replace(reply, created=CREATED) if reply.created is None else reply


def bare(value: Any) -> Any:
    """What is said, without how it was spelled: no `native`, no leftovers that say nothing, no prefix on a reply's id.

    JSON that is only carried loses its white space.
    """
    if isinstance(value, Raw):
        return json.raw(json.decode(value))
    if isinstance(value, tuple):
        return tuple(map(bare, value))
    if isinstance(value, Extra):
        told = {name: bare(field) for name, field in value.fields.items() if bytes(field) not in EMPTY}
        return Extra(value.dialect, told) if told else None
    if not isinstance(value, Struct):
        return value
    changes = {field.name: bare(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Usage | Citation | Finish):
        changes["native"] = None
    if isinstance(value, ChatReply):
        changes["id"] = without_prefix(value.id)
    return replace(value, **changes)


def undated(reply: ChatReply) -> ChatReply:
    return replace(reply, created=None)


def spoken(reply: ChatReply) -> ChatReply:
    """Without texts that say nothing."""
    candidates = [replace(one, parts=tuple(part for part in one.parts if part != Text(""))) for one in reply.candidates]
    return replace(reply, candidates=tuple(candidates))
