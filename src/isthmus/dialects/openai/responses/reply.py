"""One whole answer of POST /v1/responses, read and written.

Source: the OpenAI API reference, "The response object".
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Raw, Struct

from isthmus.core.content import Part, Refusal, ToolCall
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply
from isthmus.core.usage import Usage
from isthmus.dialects.openai.errors import told_error
from isthmus.dialects.openai.responses.extras import Written, keep, restore, take
from isthmus.dialects.openai.responses.frame import REPEATED, Frame, make_frame
from isthmus.dialects.openai.responses.items import read_item
from isthmus.dialects.openai.responses.logprobs import as_chat, read_logprobs, unweighed, write_logprobs
from isthmus.dialects.openai.responses.said import Output, first_text
from isthmus.dialects.openai.responses.usage import (
    COMPLETED,
    FAILED,
    OPEN,
    read_finish,
    read_usage,
    write_finish,
    write_usage,
)
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed


def read_reply(body: bytes) -> ChatReply:
    """The answer in `body`. Raises GARBLED for what is none, and the told error for an error in a good status."""
    try:
        fields = json.document(body)
        if fields.look("error") is not None or is_failed(fields.look("status")):
            raise told_error(body)
        output = json.read_items(fields.need("output", fields.raw("output")), "output")
        return _read(fields, output)
    except Malformed as error:
        raise garbled(error.message) from error


def is_failed(status: Raw | None) -> bool:
    return status is not None and bytes(status) == b'"failed"'


def garbled(reason: str) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"the provider's answer is not a response: {reason}")


def _read(fields: Fields, output: Sequence[Raw]) -> ChatReply:
    head = read_head(fields)
    usage = fields.raw("usage")
    status, details = fields.text("status"), fields.raw("incomplete_details")
    parts = tuple(unweighed(part) for place, item in enumerate(output) for part in read_item(item, f"output[{place}]"))
    logprobs = as_chat(one for item in output if b'"logprobs"' in bytes(item) for one in read_logprobs(item))
    return ChatReply(
        id=head.id,
        model=head.model,
        candidates=(Candidate(parts, read_finish(status, details, parts), logprobs),),
        usage=None if usage is None else read_usage(usage),
        created=head.created,
        extra=keep(fields, head.labels),
    )


class Head(Struct, frozen=True):
    """What is said of an answer apart from its output."""

    id: str
    model: str
    created: int | None
    labels: dict[str, Raw]


def read_head(fields: Fields) -> Head:
    """Claims what an answer says of itself. A time of no whole seconds, and a state that is not final, are labels."""
    id_, model, created = fields.text("id") or "", fields.text("model") or "", fields.look("created_at")
    seconds = fields.number("created_at")
    fields.raw("object")
    labels = take(fields, REPEATED)
    if created is not None and seconds is not None and bytes(created) != b"%d" % int(seconds):
        labels["created_at"] = created
    status = fields.look("status")
    if status is not None and json.is_text(status) and json.decode(status) in OPEN:
        labels["status"] = status
    return Head(id_, model, None if seconds is None else int(seconds), labels)


class _Outline(Struct, frozen=True, gc=False):
    """What a tap needs of a whole answer."""

    output: list[Raw] | None = None
    usage: Raw = json.NULL
    error: Raw = json.NULL
    status: Raw = json.NULL


_read_outline = json.decoder(_Outline)


def tap_reply(body: bytes) -> Usage | None:
    """The usage in an answer that is passed through. Raises as `read_reply` does."""
    try:
        outline = _read_outline(body)
    except DECODE_ERRORS as error:
        raise garbled(str(error)) from error
    if outline.error != json.NULL or is_failed(outline.status):
        raise told_error(body)
    if outline.output is None:
        raise garbled("output is required")
    return None if outline.usage == json.NULL else read_usage(outline.usage)


def write_reply(reply: ChatReply, losses: Losses) -> bytes:
    """The body of the answer for a client of this dialect, which is told the first candidate only."""
    frame = make_frame(reply.id, reply.model, reply.created or 0, extra=reply.extra, echo=reply.echo, losses=losses)
    for number in range(1, len(reply.candidates)):
        losses.drop(f"candidates[{number}]", "an answer of this dialect has one candidate")
    first = reply.candidates[0] if reply.candidates else Candidate(())
    output = write_candidate(first, frame, losses)
    ending = write_finish(first.finish, **ends(first.parts), path="candidates[0]", losses=losses)
    more: dict[str, Any] = {"incomplete_details": ending.why}
    if reply.usage is not None:
        more["usage"] = write_usage(reply.usage)
    restore(more, first.extra, "candidates[0]", losses)
    status = frame.fixed.get("status", ending.status)
    return json.encode(frame.response(status, settled(output, ending.status), **more))


def ends(parts: Sequence[Part]) -> dict[str, bool]:
    """What the parts say of how an answer ended."""
    return {
        "called": any(isinstance(part, ToolCall) for part in parts),
        "refused": any(isinstance(part, Refusal) for part in parts),
    }


def write_candidate(candidate: Candidate, frame: Frame, losses: Losses) -> list[Written]:
    output = Output(frame.id, frame.names, losses)
    for number, part in enumerate(candidate.parts):
        output.add(part, f"candidates[0].parts[{number}]")
    if logprobs := write_logprobs(candidate.logprobs, "candidates[0]", losses):
        text = first_text(output.items)
        if text is None:
            losses.drop("candidates[0].logprobs", "an answer without text has no log probabilities")
        else:
            text["logprobs"] = logprobs
    return output.items


def settled(output: list[Written], status: str) -> list[Written]:
    """The items, of which the last one is as incomplete as the answer."""
    last = output[-1] if output else None
    if status not in (COMPLETED, FAILED) and isinstance(last, dict) and last.get("status") == COMPLETED:
        last["status"] = status
    return output
