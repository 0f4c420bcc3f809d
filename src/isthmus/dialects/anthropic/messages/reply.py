"""A whole answer: read from a provider, written for a client.

Fields that the core has no word for (`container`, `context_management`...) are kept in the reply's extra.

Source: https://docs.anthropic.com/en/api/messages.
"""

from collections.abc import Iterable, Sequence
from typing import assert_never

from msgspec import Raw, Struct

from isthmus.core.content import Citation, Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.anthropic.errors import read_told
from isthmus.dialects.anthropic.messages import plain
from isthmus.dialects.anthropic.messages.content import read_content, write_call, write_citation, write_signature
from isthmus.dialects.anthropic.messages.ids import message_id
from isthmus.dialects.anthropic.messages.marks import Block, add_extra
from isthmus.dialects.anthropic.messages.usage import read_usage, usage_fields, write_usage
from isthmus.dialects.anthropic.words import DIALECT, STOP_REASONS, STOP_WORDS
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS, NULL, Fields, Malformed

_STOP, _OTHER, _FILTERED = Reason.STOP, Reason.OTHER, Reason.FILTERED


def read_reply(body: bytes) -> ChatReply:
    """Raises GARBLED for what is no answer, and the told error for an error in a 200."""
    if (known := plain.decode_reply(body)) is not None:
        return _read_plain(known)
    try:
        fields = json.document(body)
        if fields.text("type") == "error":
            raise read_told(fields)
        return _read(fields)
    except Malformed as error:
        raise GatewayError(Kind.GARBLED, f"the provider's answer: {error.message}") from error


def _read_plain(said: plain.PlainReply) -> ChatReply:
    parts = plain.parts_of(said.content)
    finish = read_finish(said.stop_reason, said.stop_sequence, calls=_has_calls(parts))
    usage = read_usage(said.usage) if said.usage else None
    return ChatReply(said.id or "", said.model or "", (Candidate(parts, finish),), usage)


def _read(fields: Fields) -> ChatReply:
    parts = read_content(fields.need("content", fields.raw("content")), "content")
    fields.raw("role")
    finish = read_finish(fields.text("stop_reason"), fields.text("stop_sequence"), calls=_has_calls(parts))
    counts = usage_fields(fields.raw("usage"))
    return ChatReply(
        id=fields.text("id") or "",
        model=fields.text("model") or "",
        candidates=(Candidate(parts, finish),),
        usage=read_usage(counts) if counts else None,
        extra=fields.rest(DIALECT),
    )


def _has_calls(parts: Iterable[Part]) -> bool:
    return any(isinstance(part, ToolCall) for part in parts)


def read_finish(word: str | None, sequence: str | None, *, calls: bool) -> Finish | None:
    """The native word is kept where the core's says less, or says otherwise than clients expect beside calls."""
    if word is None:
        return None
    reason = STOP_REASONS.get(word, _OTHER)
    kept = reason is _OTHER or (calls and reason is _STOP)
    return Finish(reason, sequence, Foreign(DIALECT, json.raw(word)) if kept else None)


def write_finish(finish: Finish | None, losses: Losses, *, calls: bool, refused: bool) -> object:
    """A provider that stops with calls open, or without saying why, is told as clients expect it."""
    if finish is not None and finish.native is not None and finish.native.dialect == DIALECT:
        return finish.native.body
    reason = _STOP if finish is None else finish.reason
    if reason is _STOP or reason is _OTHER:
        if refused:
            return "refusal"
        if calls:
            return "tool_use"
    if reason is _FILTERED or reason is _OTHER:
        losses.rewrite("candidates[0].finish", f"the nearest reason of this dialect is {STOP_WORDS[reason]}")
    return STOP_WORDS[reason]


class _Bill(Struct):
    """Just enough of an answer to know what it is and what it cost."""

    type: str = "message"
    content: Raw = NULL
    usage: Raw = NULL


_bill = json.decoder(_Bill)


def tap_reply(body: bytes) -> Usage | None:
    """The usage in an answer that is passed through. Raises as read_reply does."""
    try:
        bill = _bill(body)
        if bill.type == "error":
            raise read_told(json.document(body))
    except (*DECODE_ERRORS, Malformed) as error:
        raise GatewayError(Kind.GARBLED, "the provider's answer is no JSON object of this dialect") from error
    if bill.content == NULL:
        raise GatewayError(Kind.GARBLED, "the provider's answer: content is required")
    counts = usage_fields(bill.usage)
    return read_usage(counts) if counts else None


def write_reply(reply: ChatReply, losses: Losses) -> bytes:
    """One message. This dialect gives one candidate: others are losses."""
    if len(reply.candidates) > 1:
        losses.drop("candidates", "this dialect gives one answer")
    candidate = reply.candidates[0] if reply.candidates else Candidate(())
    finish = candidate.finish
    refused = any(isinstance(part, Refusal) for part in candidate.parts)
    body: Block = {
        "id": message_id(reply.id),
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": _write_parts(candidate.parts, losses),
        "stop_reason": write_finish(finish, losses, calls=_has_calls(candidate.parts), refused=refused),
        "stop_sequence": finish.stop_sequence if finish is not None else None,
        "usage": write_usage(reply.usage),
    }
    if candidate.logprobs is not None:
        losses.drop("candidates[0].logprobs", "this dialect tells no probabilities")
    add_extra(body, reply.extra, "", losses)
    add_extra(body, candidate.extra, "candidates[0]", losses)
    return json.encode(body)


def _write_parts(parts: Sequence[Part], losses: Losses) -> list[object]:
    blocks: list[object] = []
    for place, part in enumerate(parts):
        block = write_part(part, f"candidates[0].parts[{place}]", losses)
        if block is not None:
            blocks.append(block)
    return blocks


def write_part(part: Part, path: str, losses: Losses) -> object:
    """One block for a client, complete; None, and a loss, for a part that this dialect cannot say."""
    match part:
        case Text():
            return _write_text(part, path, losses)
        case Reasoning():
            return write_thought(part, path, losses)
        case ToolCall():
            return write_call(part, part.id, path, losses)
        case Refusal():
            note_refusal(path, losses)
            return {"type": "text", "text": part.text}
        case Foreign():
            return write_foreign(part, path, losses)
        case Media() | ToolResult():
            losses.drop(path, "an answer of this dialect holds no such part")
            return None
        case _:
            assert_never(part)


def note_refusal(path: str, losses: Losses) -> None:
    losses.rewrite(path, "a refusal of this dialect is text, and a reason to stop")


def _write_text(text: Text, path: str, losses: Losses) -> Block:
    block: Block = {"type": "text", "text": text.text}
    written = [told for citation in text.citations if (told := tell_citation(citation, path, losses)) is not None]
    if written:
        block["citations"] = written
    add_extra(block, text.extra, path, losses)
    return block


def tell_citation(citation: Citation, path: str, losses: Losses) -> object:
    written = write_citation(citation)
    if written is None:
        losses.drop(f"{path}.citations", "a citation of this dialect names its source")
    return written


def write_thought(thought: Reasoning, path: str, losses: Losses) -> Block:
    """Clients insist on a signature: one of ours stands in where the provider gave none."""
    proof = write_signature(thought.signature)
    if thought.redacted:
        block: Block = {"type": "redacted_thinking", "data": proof}
    else:
        block = {"type": "thinking", "thinking": thought.text, "signature": proof}
    add_extra(block, thought.extra, path, losses)
    return block


def write_foreign(item: Foreign, path: str, losses: Losses) -> Raw | None:
    if item.dialect == DIALECT:
        return item.body
    losses.drop(path, f"only {item.dialect} knows this item")
    return None
