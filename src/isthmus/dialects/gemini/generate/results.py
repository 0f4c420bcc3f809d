"""What tools answered: `functionResponse`, whose `response` is an object of the client's own making.

Clients put plain words under a name (`output`, `result`, `error`...); those are read as the words, and the name
is remembered. Any other object is read as the JSON text it is.

Source: https://ai.google.dev/api/caching (FunctionResponse): `output` and `error` are the customary names.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Raw

from isthmus.core.content import Media, Text, ToolResult
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.gemini.generate.ids import is_invented
from isthmus.dialects.gemini.generate.media import Block, read_file, read_inline, write_media
from isthmus.dialects.gemini.generate.pen import drop_foreign, own_fields, own_labels
from isthmus.dialects.gemini.spelling import Camel
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire import json

OUTPUT, ERROR = "output", "error"
_WRAPPERS = (OUTPUT, ERROR, "result", "content", "return_value")
"""Names under which clients put plain words."""
_UNDER = "response"
"""The label that tells which of the wrappers it was."""
NO_RESULT = "the tool gave no result"

NameResult = Callable[[str | None, str], str]
"""The id of the call that a result answers, from the id it was given if any, and the name of the tool."""


def read_result(fields: Camel, name_result: NameResult) -> ToolResult:
    """A part with a `functionResponse`."""
    answer = fields.need("functionResponse", fields.inner("functionResponse"))
    name, told = answer.text("name") or "", answer.raw("response")
    parts, failed, labels = _read_response(told, name)
    kept: dict[str, Raw] = {}
    media = [_read_media(item, answer.at("parts")) for item in answer.each("parts") or ()]
    identity = name_result(answer.text("id"), name)
    for left, prefix in ((answer.rest(DIALECT), "functionResponse."), (fields.rest(DIALECT), "")):
        kept.update({f"{prefix}{field}": value for field, value in (left.fields if left else {}).items()})
    extra = Extra(DIALECT, kept, labels) if kept or labels else None
    return ToolResult(identity, (*parts, *media), failed, extra=extra)


def _read_response(told: Raw | None, name: str) -> tuple[Sequence[Text], bool | None, dict[str, Raw]]:
    """The words, whether the tool failed, and what is to be remembered of how it was told."""
    if told is None:
        return (), None, {}
    fields = json.read_fields(told, "response")
    if not fields:
        return (), None, {}
    wrapper = _wrapper(fields, name)
    words = None if wrapper is None else _words(fields[wrapper])
    if wrapper is None or words is None:
        return (Text(bytes(told).decode()),), None, {}
    labels = {} if wrapper in (OUTPUT, ERROR) and len(fields) == 1 else {_UNDER: json.raw([wrapper, len(fields) > 1])}
    return tuple(map(Text, words)), True if wrapper == ERROR else None, labels


def _wrapper(fields: Mapping[str, Raw], name: str) -> str | None:
    """The one name that holds the words. Some clients tell the tool's name beside it."""
    names = [field for field in fields if field != "name"] if "name" in fields else list(fields)
    if len(names) != 1 or names[0] not in _WRAPPERS:
        return None
    if "name" in fields and fields["name"] != json.raw(name):
        return None
    return names[0]


def _words(value: Raw) -> list[str] | None:
    """A string, or a list of two strings and more."""
    told: Any = json.decode(value)
    if isinstance(told, str):
        return [told]
    if isinstance(told, list) and len(told) > 1 and all(isinstance(one, str) for one in told):
        return told
    return None


def _read_media(item: Raw, path: str) -> Media | Foreign:
    fields = Camel(item, path)
    if (blob := fields.inner("inlineData")) is not None:
        return read_inline(blob, fields.rest(DIALECT))
    if (file := fields.inner("fileData")) is not None:
        return read_file(file, fields.rest(DIALECT))
    return Foreign(DIALECT, item)


def write_result(
    result: ToolResult, name: str, path: str, profile: ModelProfile, losses: Losses
) -> tuple[Block, list[Block]]:
    """The part, and what a result of this model cannot hold, to be told by the user's turn behind it."""
    own, labels = own_fields(result.extra), own_labels(result.extra)
    drop_foreign(result.extra, path, losses)
    answer: Block = {} if is_invented(result.call_id) else {"id": result.call_id}
    answer["name"] = name
    answer["response"] = _write_response(result, name, labels, path, losses)
    held, moved = _write_media(result, path, profile, losses)
    if held:
        answer["parts"] = held
    part: Block = {"functionResponse": answer}
    for field, value in own.items():
        if field.startswith("functionResponse."):
            answer[field.removeprefix("functionResponse.")] = value
        else:
            part[field] = value
    return part, moved


def _write_response(
    result: ToolResult, name: str, labels: Mapping[str, Raw], path: str, losses: Losses
) -> Mapping[str, object] | Raw:
    words = [part.text for part in result.parts if isinstance(part, Text)]
    for place, part in enumerate(result.parts):
        if isinstance(part, Text):
            _note(part, f"{path}.parts[{place}]", losses)
    if not words:
        return {ERROR: ""} if result.failed else {}
    wrapper, named = json.decode(labels[_UNDER]) if _UNDER in labels else (OUTPUT, False)
    if len(words) == 1 and not result.failed and not labels and (said := _as_object(words[0], name)) is not None:
        return said
    told: dict[str, object] = {"name": name} if named else {}
    return {**told, ERROR if result.failed else wrapper: words[0] if len(words) == 1 else words}


def _as_object(text: str, name: str) -> Raw | None:
    """Words that are an object are told as it, unless that would be read as something else."""
    if not text.startswith("{"):
        return None
    body = Raw(text.encode(errors="replace"))
    try:
        parts, failed, labels = _read_response(body, name)
    except json.Malformed:
        return None
    return body if tuple(parts) == (Text(text),) and failed is None and not labels else None


def _note(text: Text, path: str, losses: Losses) -> None:
    if text.citations:
        losses.drop(f"{path}.citations", "a result of this dialect cites nothing")
    losses.drop_extra(text.extra, path)


def _write_media(
    result: ToolResult, path: str, profile: ModelProfile, losses: Losses
) -> tuple[list[Block | Raw], list[Block]]:
    held: list[Block | Raw] = []
    moved: list[Block] = []
    for place, part in enumerate(result.parts):
        at = f"{path}.parts[{place}]"
        if isinstance(part, Foreign):
            if part.dialect == DIALECT:
                held.append(part.body)
            else:
                losses.drop(at, f"only {part.dialect} knows this item")
        elif isinstance(part, Media) and (block := write_media(part, at, profile, losses)) is not None:
            if profile.media_in_results:
                held.append(block)
            else:
                moved.append(block)
    if moved:
        losses.rewrite(f"{path}.parts", "this model takes results in words, so the rest follows as the user's")
    return held, moved
