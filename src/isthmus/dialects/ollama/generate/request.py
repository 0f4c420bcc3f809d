"""One request to POST /api/generate: a prompt, the images it is about, and the system's words.

It holds one turn of the user's. A longer conversation is written into the prompt as one that is read aloud.

Source: https://docs.ollama.com/api/generate.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Part, Text, ToolCall, ToolResult
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Extra
from isthmus.dialects.ollama import OLLAMA
from isthmus.dialects.ollama.asked import invalid
from isthmus.dialects.ollama.extras import SAID, fields_of, hollow, keep, kept, restore
from isthmus.dialects.ollama.pictures import read_images
from isthmus.dialects.ollama.settings import read_settings, write_settings
from isthmus.dialects.ollama.words import Placed, Spoken, write_spoken
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_HOLLOW = ("system", "template", "context", "suffix", "images")
_SPEAKERS: Mapping[Role, str] = {
    Role.SYSTEM: "System",
    Role.DEVELOPER: "System",
    Role.USER: "User",
    Role.ASSISTANT: "Assistant",
}
_SYSTEM = (Role.SYSTEM, Role.DEVELOPER)


def read_request(body: bytes) -> ChatRequest:
    """The request in `body`. One without a prompt only asks for the model to be loaded. Raises INVALID."""
    try:
        return _read(json.document(body))
    except Malformed as error:
        raise invalid(error) from error


def _read(fields: Fields) -> ChatRequest:
    model = fields.need("model", fields.text("model"))
    left = {**hollow(fields, _HOLLOW), **_read_raw(fields)}
    system, prompt = fields.text("system"), fields.text("prompt")
    said: tuple[Part, ...] = (*read_images(fields), *((Text(prompt),) if prompt else ()))
    settings = read_settings(fields)
    turns = (Message(Role.SYSTEM, (Text(system),)),) if system else ()
    return ChatRequest(
        model=model,
        messages=(*turns, Message(Role.USER, said)) if said else turns,
        sampling=settings.sampling,
        max_output=settings.max_output,
        reasoning=settings.reasoning,
        output=settings.output,
        stream=settings.stream,
        extra=kept({**left, **settings.left, **keep(fields, settings.options, "options")}),
    )


def _read_raw(fields: Fields) -> dict[str, Raw]:
    """`raw`, which says nothing when it is false."""
    raw = fields.flag("raw")
    return {} if raw is None else {"raw": json.raw(True) if raw else SAID}


def write_request(request: ChatRequest, profile: ModelProfile, losses: Losses) -> bytes:
    """The body for a model that is as `profile` says. What it cannot be told is noted in `losses`."""
    _drop_tools(request, losses)
    turns = [(f"messages[{number}]", turn) for number, turn in enumerate(request.messages)]
    lead = next((n for n, (_, turn) in enumerate(turns) if turn.role not in _SYSTEM), len(turns))
    system = [_spoken(path, turn, profile, losses).text for path, turn in turns[:lead]]
    prompt = _write_turns(turns[lead:], profile, losses)
    document: dict[str, Any] = {"model": request.model, "prompt": prompt.text}
    if len(system) > 1:
        losses.rewrite("messages", "the system's texts are one text in this dialect")
    if system:
        document["system"] = "\n".join(system)
    if prompt.images:
        document["images"] = prompt.images
    document.update(write_settings(request, profile, losses))
    restore(document, _spelled(request.extra), "", losses)
    return json.encode(document)


def _spelled(extra: Extra | None) -> Extra | None:
    left = fields_of(extra)
    return Extra(OLLAMA, {**left, "raw": json.raw(False)}) if left.get("raw") == SAID else extra


def _write_turns(turns: Sequence[tuple[str, Message]], profile: ModelProfile, losses: Losses) -> Spoken:
    """The prompt: the words of one user's turn as they are, or every turn behind the name of who speaks."""
    spoken = [_spoken(path, turn, profile, losses) for path, turn in turns]
    if len(turns) == 1 and turns[0][1].role is Role.USER:
        return spoken[0]
    if not turns:
        return Spoken("", [])
    losses.emulate("messages", "this dialect takes one prompt: it holds the conversation, turn by turn")
    told = [f"{_SPEAKERS[turn.role]}: {said.text}" for (_, turn), said in zip(turns, spoken, strict=True)]
    if turns[-1][1].role is not Role.ASSISTANT:
        told.append("Assistant:")
    return Spoken("\n\n".join(told), [image for said in spoken for image in said.images])


def _spoken(path: str, turn: Message, profile: ModelProfile, losses: Losses) -> Spoken:
    if turn.name is not None:
        losses.drop(f"{path}.name", "a prompt of this dialect has no name")
    if turn.role is Role.DEVELOPER:
        losses.rewrite(f"{path}.role", "this dialect knows no developer: it is system text")
    losses.drop_extra(turn.extra, path)
    return write_spoken(_placed(path, turn), path, profile, losses)


def _placed(path: str, turn: Message) -> list[Placed]:
    """The parts, with what a tool answered as plain parts of the turn: a prompt knows no tools."""
    placed: list[Placed] = []
    for number, part in enumerate(turn.parts):
        at = f"{path}.parts[{number}]"
        if isinstance(part, ToolResult):
            placed.extend((f"{at}.parts[{n}]", inner) for n, inner in enumerate(part.parts))
        else:
            placed.append((at, part))
    return placed


def _drop_tools(request: ChatRequest, losses: Losses) -> None:
    for number, _ in enumerate(request.tools or ()):
        losses.drop(f"tools[{number}]", "a prompt of this dialect knows no tools")
    for number, turn in enumerate(request.messages):
        if any(isinstance(part, ToolCall | ToolResult) for part in turn.parts):
            losses.rewrite(f"messages[{number}].parts", "a prompt of this dialect knows no tools: it holds words alone")
