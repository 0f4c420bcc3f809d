"""Specimens: small conversations, each told in every dialect and once in core values.

A folder of tests/specimens holds:

    about.md                      what it shows, in two sentences
    core.py                       REQUEST and REPLY, the one truth; where a dialect cannot say all of it, REQUEST_IN
                                  and REPLY_IN tell, by dialect, what is left in its files; PROFILES, by dialect,
                                  the model to write for where ABLE is not meant
    DIALECT.request.json          the request as a client of the dialect spells it
    DIALECT.reply.json            the answer as a provider of the dialect spells it
    DIALECT.stream.sse            the same answer streamed
    DIALECT.WHAT.from_SOURCE.*    what the writer makes of SOURCE ("core" or a dialect), where that is spelled
                                  otherwise than DIALECT.WHAT; only tests/golden.py writes these
    losses.toml                   what is lost on the way, and why: a table `lost` for each loss, with `to`, `path`,
                                  `deed`, `why`, the list `what` ("request" where it is missing), and the list `from`
                                  (the core and every other dialect where it is missing)
"""

import runpy
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Raw, Struct
from msgspec.structs import fields, replace

from isthmus.core.chat import ChatRequest
from isthmus.core.content import Citation, Text
from isthmus.core.fold import unfold
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

FOLDER = Path(__file__).parents[1] / "specimens"
DIALECTS = ("openai_chat", "anthropic")
CORE = "core"
CREATED = 1_700_000_000
"""When every specimen's answer was made, for dialects that tell it."""
ABLE: Mapping[str, ModelProfile] = {
    "openai_chat": ModelProfile(max_output_field="max_completion_tokens", reasoning_field="reasoning_details"),
    "anthropic": ModelProfile(requires_max_output=True),
}
"""A model of each dialect that can do whatever the dialect can say."""
ENDINGS = {"request": "json", "reply": "json", "stream": "sse"}


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
        self._request_in: Mapping[str, ChatRequest] = core.get("REQUEST_IN", {})
        self._reply_in: Mapping[str, ChatReply] = core.get("REPLY_IN", {})
        self._profiles: Mapping[str, ModelProfile] = core.get("PROFILES", {})
        self._lost: Sequence[Mapping[str, Any]] = tomllib.loads((folder / "losses.toml").read_text()).get("lost", ())

    def __repr__(self) -> str:
        return self.name

    def file(self, dialect: str, what: str) -> bytes:
        return self._path(f"{dialect}.{what}.{ENDINGS[what]}").read_bytes()

    def golden_path(self, way: Way) -> Path:
        return self._path(f"{way.target}.{way.what}.from_{way.source}.{ENDINGS[way.what]}")

    def golden(self, way: Way) -> bytes:
        """What the writer should make of it."""
        special = self.golden_path(way)
        return special.read_bytes() if special.exists() else self.file(way.target, way.what)

    def request_in(self, dialect: str) -> ChatRequest:
        """What a reader of the dialect should make of its request."""
        return self._request_in.get(dialect, self.request)

    def reply_in(self, dialect: str) -> ChatReply:
        return self._reply_in.get(dialect, self.reply)

    def losses(self, way: Way) -> frozenset[tuple[str, str]]:
        return frozenset((one["path"], one["deed"]) for one in self._lost if _tells(one, way))

    def expected(self) -> frozenset[tuple[str, str]]:
        """Every loss that losses.toml tells, on whatever way."""
        return frozenset((one["path"], one["deed"]) for one in self._lost)

    def write(self, way: Way) -> Written:
        """Translate: read the source's file, or take the core values, and write."""
        losses = Losses()
        codec = codec_of(way.target)
        if way.what == "request":
            profile = self._profiles.get(way.target, ABLE[way.target])
            body = codec.write_request(self._source_request(way.source), profile, losses)
        elif way.what == "reply":
            body = codec.write_reply(dated(self._source_reply(way.source)), losses)
        else:
            head = ReplyHead(model=self.reply.model, created=CREATED)
            body = stream_of(codec, head, self._source_events(way.source), losses)
        return Written(body, frozenset((loss.path, loss.deed.value) for loss in losses.found))

    def _source_request(self, source: str) -> ChatRequest:
        return self.request if source == CORE else codec_of(source).read_request(self.file(source, "request"))

    def _source_reply(self, source: str) -> ChatReply:
        return self.reply if source == CORE else codec_of(source).read_reply(self.file(source, "reply"))

    def _source_events(self, source: str) -> Sequence[Any]:
        if source == CORE:
            return list(unfold(self.reply))
        return events_of(codec_of(source), [self.file(source, "stream")])

    def _path(self, name: str) -> Path:
        return self.folder / name


@cache
def specimens() -> Sequence[Specimen]:
    """All of them, by name."""
    return [Specimen(path) for path in sorted(FOLDER.iterdir()) if (path / "core.py").exists()]


def ways() -> Sequence[tuple[Specimen, Way]]:
    """Every translation of every specimen, a dialect into itself too."""
    return [
        (specimen, Way(what, source, target))
        for specimen in specimens()
        for what in ENDINGS
        for source in (CORE, *DIALECTS)
        for target in DIALECTS
    ]


def codec_of(dialect: str) -> Codec:
    return CODECS[dialect, Operation.CHAT]


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
        changes["id"] = value.id.removeprefix("chatcmpl-").removeprefix("msg_")
    return replace(value, **changes)


def undated(reply: ChatReply) -> ChatReply:
    return replace(reply, created=None)


def spoken(reply: ChatReply) -> ChatReply:
    """Without texts that say nothing."""
    candidates = [replace(one, parts=tuple(part for part in one.parts if part != Text(""))) for one in reply.candidates]
    return replace(reply, candidates=tuple(candidates))


def _tells(lost: Mapping[str, Any], way: Way) -> bool:
    sources = lost.get("from", [CORE, *(dialect for dialect in DIALECTS if dialect != lost["to"])])
    return lost["to"] == way.target and way.source in sources and way.what in lost.get("what", ["request"])
