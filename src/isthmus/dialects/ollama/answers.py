"""Answers, whole or line by line: what chat and generate tell alike, and the form in which each tells it.

Chat puts what the model says into `message`, generate into the answer itself, its words under `response`. Whatever
else stands there is kept with the candidate, so that the lines of a stream and a whole answer are the same.

Source: https://docs.ollama.com/api/chat, https://docs.ollama.com/api/generate.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Raw

from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.ollama import OLLAMA
from isthmus.dialects.ollama.calls import read_calls, write_call
from isthmus.dialects.ollama.errors import told_error
from isthmus.dialects.ollama.extras import hollow, keep, kept, restore
from isthmus.dialects.ollama.metrics import (
    read_finish,
    read_time,
    read_usage,
    spelled_time,
    write_finish,
    write_usage,
)
from isthmus.dialects.ollama.pictures import read_images, write_image
from isthmus.dialects.ollama.words import write_thoughts
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

PATH = "candidates[0]"
"""Where losses of an answer are told: there is never more than one."""
PARTS = f"{PATH}.parts"
_HOLLOW = ("thinking", "images", "tool_calls")


class Form(NamedTuple):
    """Where an answer holds what is said: in the object `inner`, or in itself; the words under the name `words`.

    `plain` gives the words of a line that holds nothing else and is not the last; None for every other line.
    """

    inner: str | None
    words: str
    plain: Callable[[bytes], str | None]


class Line(NamedTuple):
    """What a whole answer or one line of a stream tells. `word` is why it ended, `left` what nobody knows."""

    model: str
    created_at: str | None
    parts: tuple[Part, ...]
    logprobs: Foreign | None
    done: bool
    word: str | None
    usage: Usage | None
    left: Mapping[str, Raw]


def read_line(fields: Fields, form: Form, *, calls: int = 0) -> Line:
    """`calls` is how many calls were told in lines before. Raises Malformed."""
    model, created_at = fields.text("model") or "", fields.text("created_at")
    inner = fields if form.inner is None else fields.fields(form.inner)
    parts = () if inner is None else _read_parts(inner, form, created_at, calls)
    logprobs, done, word = fields.raw("logprobs"), fields.flag("done"), fields.text("done_reason")
    usage = read_usage(fields, created_at)
    left = keep(fields) if inner is fields else keep(fields, inner, form.inner or "")
    return Line(
        model=model,
        created_at=created_at,
        parts=parts,
        logprobs=None if logprobs is None else Foreign(OLLAMA, logprobs),
        done=bool(done),
        word=word,
        usage=usage,
        left=left,
    )


def _read_parts(said: Fields, form: Form, created_at: str | None, calls: int) -> tuple[Part, ...]:
    """Thoughts, words, images, calls, in this order."""
    if form.inner is not None and (role := said.look("role")) is not None and bytes(role) == b'"assistant"':
        said.raw("role")
    hollow(said, _HOLLOW)
    thinking, words = said.text("thinking"), said.text(form.words)
    thoughts = (Reasoning(thinking),) if thinking else ()
    texts = (Text(words),) if words else ()
    return (*thoughts, *texts, *read_images(said), *read_calls(said, created_at, first=calls))


def read_reply(body: bytes, form: Form) -> ChatReply:
    """The answer in `body`. Raises GARBLED for what is none, and the told error for an error in a good status."""
    try:
        fields = json.document(body)
        _check(fields, body, form)
        line = read_line(fields, form)
    except Malformed as error:
        raise _garbled(error.message) from error
    called = any(isinstance(part, ToolCall) for part in line.parts)
    candidate = Candidate(line.parts, read_finish(line.word, called=called), line.logprobs, kept(line.left))
    return ChatReply(
        id="",
        model=line.model,
        candidates=(candidate,),
        usage=line.usage,
        created=read_time(line.created_at),
    )


def tap_reply(body: bytes, form: Form) -> Usage | None:
    """The usage in an answer that is passed through. Raises as `read_reply` does."""
    return read_reply(body, form).usage


def _check(fields: Fields, body: bytes, form: Form) -> None:
    if fields.look("error") is not None:
        raise told_error(body)
    name = form.inner or form.words
    if fields.look(name) is None:
        raise Malformed(f"{name} is missing", name)


def _garbled(reason: str) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"the provider's answer is not one of Ollama's: {reason}")


def write_reply(reply: ChatReply, losses: Losses, form: Form) -> bytes:
    """The body of the answer for an Ollama client."""
    if len(reply.candidates) > 1:
        losses.drop("candidates", "this dialect gives one answer")
    losses.drop_extra(reply.extra, "")
    candidate = reply.candidates[0] if reply.candidates else Candidate(())
    counts = write_usage(reply.usage, losses)
    head = {"model": reply.model, "created_at": spelled_time(reply.created, counts)}
    called = any(isinstance(part, ToolCall) for part in candidate.parts)
    word = write_finish(candidate.finish, called=called, path=PATH, losses=losses)
    document = write_line(head, _write_said(candidate.parts, form, losses), form)
    document.update(write_end(word, counts))
    if (told := write_logprobs(candidate.logprobs, losses)) is not None:
        document["logprobs"] = told
    restore(document, candidate.extra, PATH, losses)
    return json.encode(document)


def write_line(head: Mapping[str, Any], said: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """The answer, or a line of it, without its end. `said` has the words under the form's own name."""
    if form.inner is None:
        return {**head, **said}
    return {**head, form.inner: {"role": "assistant", **said}}


def write_end(word: str | None, counts: Mapping[str, Any]) -> dict[str, Any]:
    """What the last line tells, and a whole answer too."""
    reason = {} if word is None else {"done_reason": word}
    return {"done": True, **reason, **{name: value for name, value in counts.items() if name != "created_at"}}


def write_logprobs(logprobs: Foreign | None, losses: Losses) -> Raw | None:
    if logprobs is None or logprobs.dialect == OLLAMA:
        return None if logprobs is None else logprobs.body
    losses.drop(f"{PATH}.logprobs", f"log probabilities in the form of {logprobs.dialect}")
    return None


def _write_said(parts: Sequence[Part], form: Form, losses: Losses) -> dict[str, Any]:
    texts: list[str] = []
    images: list[str] = []
    calls: list[dict[str, Any]] = []
    for number, part in enumerate(parts):
        match part:
            case Text() | Refusal():
                texts.append(write_words(part, number, losses))
            case ToolCall():
                calls.append(write_call(part, PARTS, losses, index=len(calls)))
            case Reasoning():
                pass
            case _:
                images.extend(write_whole(part, losses))
    said: dict[str, Any] = {form.words: "".join(texts)}
    thinking = write_thoughts([(PARTS, part) for part in parts], PATH, losses)
    told: dict[str, Any] = {"thinking": thinking, "images": images, "tool_calls": calls}
    said.update({name: value for name, value in told.items() if value})
    return said


def write_words(part: Text | Refusal, number: int, losses: Losses) -> str:
    if isinstance(part, Refusal):
        losses.rewrite(f"{PATH}.parts[{number}]", "this dialect has no refusals: it is told as text")
        return part.text
    if part.citations:
        losses.drop(f"{PATH}.citations", "this dialect has no citations")
    losses.drop_extra(part.extra, PARTS)
    return part.text


def write_whole(part: Part, losses: Losses) -> Sequence[str]:
    """The images of an answer, for a part that comes whole."""
    if isinstance(part, Media):
        image = write_image(part, PARTS, losses)
        return () if image is None else (image,)
    losses.drop(PARTS, f"only {part.dialect} knows this item" if isinstance(part, Foreign) else "no part of an answer")
    return ()
