"""One whole answer of POST /v1/completions.

Source: the OpenAI API reference, "The completion object".
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from msgspec import Raw, Struct
from msgspec.structs import replace

from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.ids import without_prefix
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.openai import COMPLETIONS
from isthmus.dialects.openai.completions.logprobs import from_chat, to_chat
from isthmus.dialects.openai.completions.prompt import Echo, echoed, restore
from isthmus.dialects.openai.completions.usage import read_finish, read_usage, write_finish, write_usage
from isthmus.dialects.openai.errors import told_error
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed

PREFIX = "cmpl-"
OBJECT = "text_completion"
ECHOED = "the prompt is put in front here, not by the model"


class _Outline(Struct, frozen=True, gc=False):
    choices: list[Raw] | None = None
    usage: dict[str, Raw] | None = None
    error: dict[str, Raw] | str | None = None


_read_outline = json.decoder(_Outline)


def read_reply(body: bytes) -> ChatReply:
    """The answer in `body`. Raises GARBLED for what is none, and the told error for an error in a good status."""
    try:
        fields = json.document(body)
        if fields.look("error") is not None:
            raise told_error(body)
        return _read(fields, fields.need("choices", fields.raw("choices")))
    except Malformed as error:
        raise _garbled(error.message) from error


def tap_reply(body: bytes) -> Usage | None:
    """The usage in an answer that is passed through. Raises as `read_reply` does."""
    try:
        outline = _read_outline(body)
    except DECODE_ERRORS as error:
        raise _garbled(str(error)) from error
    if outline.error is not None:
        raise told_error(body)
    if outline.choices is None:
        raise _garbled("choices is required")
    return None if outline.usage is None else read_usage(outline.usage)


def _garbled(reason: str) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"the provider's answer is not a completion: {reason}")


def _read(fields: Fields, choices: Raw) -> ChatReply:
    id_, model, created, usage = fields.text("id"), fields.text("model"), fields.number("created"), fields.raw("usage")
    fields.text("object")
    return ChatReply(
        id=id_ or "",
        model=model or "",
        candidates=tuple(_read_choice(item, number) for number, item in enumerate(json.read_items(choices, "choices"))),
        usage=None if usage is None else read_usage(json.read_fields(usage, "usage")),
        created=None if created is None else int(created),
        extra=fields.rest(COMPLETIONS) or Extra(COMPLETIONS, {}),
    )


def _read_choice(item: Raw, number: int) -> Candidate:
    """The candidate. Its log probabilities are also kept as they came: their offsets are known to nobody else."""
    fields = Fields(item, f"choices[{number}]")
    fields.integer("index")
    text, word, told = fields.text("text"), fields.text("finish_reason"), fields.raw("logprobs")
    rest = fields.rest(COMPLETIONS)
    kept = {} if rest is None else rest.fields
    return Candidate(
        parts=(Text(text),) if text else (),
        finish=read_finish(word),
        logprobs=None if told is None else to_chat(told),
        extra=Extra(COMPLETIONS, kept, {} if told is None else {"logprobs": told}) if kept or told else None,
    )


def is_ours(extra: Extra | None) -> bool:
    return extra is not None and extra.dialect == COMPLETIONS


def shown_id(id_: str, extra: Extra | None) -> str:
    """The id with this dialect's prefix in place of another's; one that came from this dialect is left as it is."""
    return id_ if is_ours(extra) or id_.startswith(PREFIX) else PREFIX + without_prefix(id_)


def write_reply(reply: ChatReply, losses: Losses) -> bytes:
    """The body of the answer. A prompt that is to be repeated is, unless the provider has done it."""
    told = echoed(reply.echo)
    if told.wanted and is_ours(reply.extra):
        told = replace(told, wanted=False)
    if told.wanted:
        losses.emulate("echo", ECHOED)
    document: dict[str, Any] = {
        "id": shown_id(reply.id, reply.extra),
        "object": OBJECT,
        "created": reply.created or 0,
        "model": reply.model,
        "choices": [
            _write_choice(candidate, number, told, losses) for number, candidate in enumerate(reply.candidates)
        ],
    }
    if reply.usage is not None:
        document["usage"] = write_usage(reply.usage)
    restore(document, reply.extra, losses)
    return json.encode(document)


def _write_choice(candidate: Candidate, number: int, told: Echo, losses: Losses) -> dict[str, Any]:
    path, prompt = f"candidates[{number}]", told.prompt(number)
    texts = [_write_part(part, f"{path}.parts[{place}]", losses) for place, part in enumerate(candidate.parts)]
    kept = candidate.extra.labels.get("logprobs") if is_ours(candidate.extra) and candidate.extra else None
    document: dict[str, Any] = {
        "text": (prompt if told.wanted else "") + "".join(texts),
        "index": number,
        "logprobs": from_chat(candidate.logprobs, len(prompt), path, losses) if kept is None else kept,
        "finish_reason": write_finish(candidate.finish, path, losses),
    }
    if is_ours(candidate.extra):
        restore(document, candidate.extra, losses)
    else:
        losses.drop_extra(candidate.extra, path)
    return document


def _write_part(part: Part, path: str, losses: Losses) -> str:
    match part:
        case Text():
            tell_text(part, path, losses)
            return part.text
        case Refusal():
            losses.rewrite(path, "a refusal is told as text")
            return part.text
        case Reasoning():
            losses.drop(path, "a text holds no thoughts")
        case ToolCall():
            losses.drop(path, "a text holds no calls")
        case Media():
            losses.drop(path, f"a text holds no {part.kind}")
        case Foreign():
            losses.drop(path, f"only {part.dialect} knows this item")
    return ""


def tell_text(part: Text, path: str, losses: Losses) -> None:
    """What is lost of a text whose words are kept."""
    if part.citations:
        losses.drop(f"{path}.citations", "a text cites nothing")
    losses.drop_extra(part.extra, path)


def join(replies: Sequence[ChatReply]) -> ChatReply:
    """One answer to several prompts: all choices, in the order of the prompts, and the sum of what they cost."""
    if len(replies) == 1:
        return replies[0]
    counted = [reply.usage for reply in replies if reply.usage is not None]
    return replace(
        replies[0],
        candidates=tuple(candidate for reply in replies for candidate in reply.candidates),
        usage=reduce(_add, counted, Usage()) if counted else None,
        extra=replies[0].extra,
    )


def _add(first: Usage, second: Usage) -> Usage:
    return Usage(
        first.fresh_input + second.fresh_input,
        first.cache_read + second.cache_read,
        first.cache_write + second.cache_write,
        first.output + second.output,
        first.reasoning + second.reasoning,
    )
