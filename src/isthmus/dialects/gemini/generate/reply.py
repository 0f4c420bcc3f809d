"""A whole answer: read from a provider, written for a client.

Fields of a candidate that the core has no word for (`avgLogprobs`, `safetyRatings`, `groundingMetadata`...) are kept in
its extra; those of the answer (`promptFeedback`...) in the reply's.

Source: https://ai.google.dev/api/generate-content (GenerateContentResponse).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Raw, Struct
from msgspec.structs import replace

from isthmus.core.content import Part, Refusal, Text, ToolCall
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.gemini.errors import read_told
from isthmus.dialects.gemini.generate.content import NameCall, read_part
from isthmus.dialects.gemini.generate.finish import BLOCKED, is_blocked, read_finish, write_finish
from isthmus.dialects.gemini.generate.grounding import (
    GROUNDING,
    Cited,
    Told,
    is_own,
    is_told_by_citations,
    read_citations,
    write_grounding,
)
from isthmus.dialects.gemini.generate.ids import invent, reply_id
from isthmus.dialects.gemini.generate.media import Block
from isthmus.dialects.gemini.generate.pen import add_extra, drop_foreign, own_fields, own_labels
from isthmus.dialects.gemini.generate.tell import tell_parts
from isthmus.dialects.gemini.generate.usage import read_usage, write_usage
from isthmus.dialects.gemini.spelling import Camel, whole_object
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS, Malformed

_BLANK = Text("")
_IN_CONTENT = "content."
FEEDBACK, TIME = "promptFeedback", "createTime"


def read_reply(body: bytes) -> ChatReply:
    """Raises GARBLED for what is no answer, and the told error for an error in a 200."""
    try:
        return _read(_answer(body))
    except Malformed as error:
        raise GatewayError(Kind.GARBLED, f"the provider's answer: {error.message}") from error


def _answer(body: bytes) -> Camel:
    if body.lstrip()[:1] == b"[" and (items := json.read_items(body)):
        body = bytes(items[0])
    fields = whole_object(body)
    if fields.look("error") is not None:
        raise read_told(fields)
    return fields


def _read(fields: Camel) -> ChatReply:
    items = fields.each("candidates")
    if items is None and not is_blocked(fields.look(FEEDBACK)):
        fields.need("candidates", items)
    identity = fields.text("responseId") or ""
    created, labels = read_time(fields)
    candidates = [_read_candidate(item, number, identity) for number, item in enumerate(items or ())]
    return ChatReply(
        id=identity,
        model=fields.text("modelVersion") or "",
        candidates=tuple(candidates) or (Candidate((), BLOCKED),),
        usage=read_usage(fields.raw("usageMetadata")),
        created=created,
        extra=labelled(fields_of(fields.rest(DIALECT)), labels),
    )


def labelled(fields: Mapping[str, Raw], labels: Mapping[str, Raw]) -> Extra | None:
    return Extra(DIALECT, fields, labels) if fields or labels else None


def read_time(fields: Camel) -> tuple[int | None, Mapping[str, Raw]]:
    """When the answer was made, which Vertex AI tells to a fraction of a second: how it did is kept as a label."""
    told = fields.raw(TIME)
    if told is None:
        return None, {}
    try:
        return int(datetime.fromisoformat(json.decode(told)).timestamp()), {TIME: told}
    except (ValueError, TypeError, OverflowError):
        return None, {TIME: told}


def write_time(created: int) -> str | None:
    try:
        return datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return None


def namer(reply: str, candidate: int) -> NameCall:
    """Gives ids to the calls of one candidate that have none."""
    count = 0

    def name_call(identity: str | None, name: str, arguments: str) -> str:
        nonlocal count
        count += 1
        return identity or invent(reply, candidate, count, name, arguments)

    return name_call


def _read_candidate(item: Raw, number: int, reply: str) -> Candidate:
    fields = Camel(item, f"candidates[{number}]")
    fields.integer("index")
    said = _Said()
    if (content := fields.inner("content")) is not None:
        said.read(content, namer(reply, number))
    calls = any(type(part) is ToolCall for part in said.parts)
    finish = read_finish(fields.raw("finishReason"), calls=calls)
    logprobs = fields.raw("logprobsResult")
    kept = {**fields_of(fields.rest(DIALECT)), **said.left}
    for told in read_citations(kept, said.texts):
        said.cite(told)
    return Candidate(
        tuple(said.parts),
        finish,
        None if logprobs is None else Foreign(DIALECT, logprobs),
        candidate_extra(kept),
    )


def candidate_extra(kept: Mapping[str, Raw]) -> Extra | None:
    """Sources that the citations tell whole are labels."""
    labels = {name: value for name, value in kept.items() if is_told_by_citations(name, value)}
    return labelled({name: value for name, value in kept.items() if name not in labels}, labels)


def fields_of(extra: Extra | None) -> Mapping[str, Raw]:
    return extra.fields if extra is not None else {}


class _Said:
    """The content of a candidate: its parts, and by the provider's count of them their texts and places."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.texts: list[str] = []
        self.left: dict[str, Raw] = {}
        self._places: list[int] = []

    def read(self, content: Camel, name_call: NameCall) -> None:
        content.raw("role")
        path = content.at("parts")
        for number, body in enumerate(content.each("parts") or ()):
            found = [part for part in read_part(body, f"{path}[{number}]", name_call) if part != _BLANK]
            self._places.append(len(self.parts))
            self.texts.append(found[0].text if found and isinstance(found[0], Text) else "")
            self.parts.extend(found)
        self.left = {f"{_IN_CONTENT}{name}": value for name, value in fields_of(content.rest(DIALECT)).items()}

    def cite(self, told: Told) -> None:
        """Beside the text that it belongs to, if it is one."""
        place = self._places[told.part] if 0 <= told.part < len(self._places) else len(self.parts)
        part = self.parts[place] if place < len(self.parts) else None
        if isinstance(part, Text):
            self.parts[place] = replace(part, citations=(*part.citations, told.citation))


class _Bill(Struct):
    """Just enough of an answer to know what it is and what it cost."""

    error: Raw = json.NULL
    candidates: Raw = json.NULL
    usageMetadata: Raw = json.NULL  # noqa: N815  the name on the wire


_bill = json.decoder(_Bill)


def tap_reply(body: bytes) -> Usage | None:
    """The usage in an answer that is passed through. Raises as read_reply does."""
    try:
        bill = _bill(body)
        if bill.candidates != json.NULL and bill.error == json.NULL:
            return read_usage(bill.usageMetadata)
    except DECODE_ERRORS:
        pass
    return read_reply(body).usage


def write_reply(reply: ChatReply, losses: Losses) -> bytes:
    """An answer of which the prompt was refused has no candidates."""
    own = own_fields(reply.extra)
    drop_foreign(reply.extra, "", losses)
    body: Block = {}
    if not (is_blocked(own.get(FEEDBACK)) and not any(candidate.parts for candidate in reply.candidates)):
        body["candidates"] = [_write_candidate(one, number, losses) for number, one in enumerate(reply.candidates)]
    body.update(own)
    if reply.usage is not None:
        body["usageMetadata"] = write_usage(reply.usage, losses)
    body.update(about(reply.model, reply.created, reply.id, own_labels(reply.extra)))
    return json.encode(body)


def about(model: str, created: int | None, identity: str, labels: Mapping[str, Raw]) -> Block:
    """What every chunk of an answer tells of the whole."""
    told: Block = {"modelVersion": model}
    if TIME in labels:
        told[TIME] = labels[TIME]
    elif created is not None and (time := write_time(created)) is not None:
        told[TIME] = time
    told["responseId"] = reply_id(identity)
    return told


def _write_candidate(candidate: Candidate, number: int, losses: Losses) -> Block:
    path = f"candidates[{number}]"
    content: Block = {"role": "model"}
    if parts := tell_parts(candidate.parts, path, losses):
        content = {"parts": parts, **content}
    refused = any(isinstance(part, Refusal) for part in candidate.parts)
    calls = any(isinstance(part, ToolCall) for part in candidate.parts)
    body: Block = {
        "content": content,
        "finishReason": write_finish(candidate.finish, number, losses, calls=calls, refused=refused),
        "index": number,
    }
    add_logprobs(body, candidate.logprobs, path, losses)
    add_candidate_extra(body, candidate.extra, path, losses)
    add_citations(body, _cited(candidate.parts))
    return body


def _cited(parts: Sequence[Part]) -> list[Cited]:
    texts = [(number, part) for number, part in enumerate(parts) if isinstance(part, Text)]
    return [Cited(part.text, one, part=number) for number, part in texts for one in part.citations]


def add_logprobs(body: Block, logprobs: Foreign | None, path: str, losses: Losses) -> None:
    if logprobs is None:
        return
    if logprobs.dialect == DIALECT:
        body["logprobsResult"] = logprobs.body
    else:
        losses.drop(f"{path}.logprobs", f"only {logprobs.dialect} knows these")


def add_candidate_extra(body: Block, extra: Extra | None, path: str, losses: Losses) -> None:
    add_extra(body, extra, path, losses)
    body.update(own_labels(extra))
    content = body["content"]
    for name in [name for name in body if name.startswith(_IN_CONTENT)]:
        if isinstance(content, dict):
            content[name.removeprefix(_IN_CONTENT)] = body.pop(name)


def add_citations(body: Block, cited: Sequence[Cited]) -> None:
    """Those of other dialects: Google's own stand in the candidate's own field."""
    if GROUNDING not in body and (grounding := write_grounding([one for one in cited if not is_own(one.citation)])):
        body[GROUNDING] = grounding
