"""A whole answer: read from a provider, written for a client. It names neither itself nor its model.

Fields that the core has no word for (`metrics`, `trace`, `additionalModelResponseFields`...) are kept in the
candidate's extra, because a stream tells them at its end.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (response).
"""

from collections.abc import Iterable
from typing import assert_never

from msgspec import Raw

from isthmus.core.content import (
    Citation,
    Inline,
    Media,
    MediaKind,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Foreign
from isthmus.dialects.bedrock.converse.blocks import read_blocks, write_citation, write_cited
from isthmus.dialects.bedrock.converse.marks import Block, add_extra, labelled, own_labels, write_foreign
from isthmus.dialects.bedrock.converse.media import format_of
from isthmus.dialects.bedrock.converse.pen import write_call, write_thought
from isthmus.dialects.bedrock.converse.usage import read_usage, write_usage
from isthmus.dialects.bedrock.words import CLAUDE, DIALECT, STOP_REASONS, STOP_WORDS
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_MODEL_FIELDS = "additionalModelResponseFields"
_SEQUENCE = "stop_sequence"


def read_reply(body: bytes) -> ChatReply:
    """Raises GARBLED for what is no answer."""
    try:
        fields = json.document(body)
        output = fields.need("output", fields.fields("output"))
        message = output.need("message", output.fields("message"))
        parts = read_blocks(message.raw("content"), message.at("content"))
    except Malformed as error:
        raise _garbled(error) from error
    try:
        usage, word = read_usage(fields.raw("usage")), fields.text("stopReason")
        finish = read_finish(word, claim_sequence(fields), calls=has_calls(parts))
    except Malformed as error:
        raise _garbled(error) from error
    return ChatReply("", "", (Candidate(parts, finish, extra=beside(fields)),), usage)


def beside(fields: Fields) -> Extra | None:
    """What stands beside an answer. How long it took is of no use to another dialect."""
    metrics = fields.raw("metrics")
    return labelled(fields.rest(DIALECT), {} if metrics is None else {"metrics": metrics})


def _garbled(error: Malformed) -> GatewayError:
    return GatewayError(Kind.GARBLED, f"the provider's answer: {error.message}")


def tap_reply(body: bytes) -> Usage | None:
    """The usage in an answer that is passed through. Raises as read_reply does."""
    return read_reply(body).usage


def has_calls(parts: Iterable[Part]) -> bool:
    return any(isinstance(part, ToolCall) for part in parts)


def claim_sequence(fields: Fields) -> str | None:
    """The stop sequence that was met, which Claude names where it was asked to. Other model fields stay unclaimed."""
    value = fields.look(_MODEL_FIELDS)
    if value is None or memoryview(value)[0] != ord("{"):
        return None
    told = json.read_fields(value)
    if list(told) != [_SEQUENCE] or not json.is_text(told[_SEQUENCE]):
        return None
    fields.raw(_MODEL_FIELDS)
    return str(json.decode(told[_SEQUENCE]))


def read_finish(word: str | None, sequence: str | None, *, calls: bool) -> Finish | None:
    """The native word is kept where the core's says less, or says otherwise than clients expect beside calls."""
    if word is None:
        return None
    reason = STOP_REASONS.get(word, Reason.OTHER)
    kept = STOP_WORDS[reason] != word or (calls and reason is Reason.STOP)
    return Finish(reason, sequence, Foreign(DIALECT, json.raw(word)) if kept else None)


def write_finish(finish: Finish | None, losses: Losses, *, calls: bool) -> object:
    """A provider that stops with calls open, or without saying why, is told as clients expect it."""
    if finish is not None and finish.native is not None and finish.native.dialect == DIALECT:
        return finish.native.body
    reason = Reason.STOP if finish is None else finish.reason
    if calls and reason in (Reason.STOP, Reason.OTHER):
        return STOP_WORDS[Reason.TOOL_CALLS]
    word = STOP_WORDS[reason]
    if STOP_REASONS[word] is not reason:
        losses.rewrite("candidates[0].finish", f"the nearest reason of this dialect is {word}")
    return word


def write_model_fields(finish: Finish | None) -> Block:
    if finish is None or finish.stop_sequence is None:
        return {}
    return {_MODEL_FIELDS: {_SEQUENCE: finish.stop_sequence}}


def write_reply(reply: ChatReply, losses: Losses) -> bytes:
    """One message. This dialect gives one candidate: others are losses."""
    if len(reply.candidates) > 1:
        losses.drop("candidates", "this dialect gives one answer")
    candidate = reply.candidates[0] if reply.candidates else Candidate(())
    content = [
        block
        for place, part in enumerate(candidate.parts)
        if (block := _write_part(part, f"candidates[0].parts[{place}]", losses)) is not None
    ]
    body: Block = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": write_finish(candidate.finish, losses, calls=has_calls(candidate.parts)),
        **write_model_fields(candidate.finish),
    }
    if reply.usage is not None:
        body["usage"] = write_usage(reply.usage, losses)
    if candidate.logprobs is not None:
        losses.drop("candidates[0].logprobs", "this dialect tells no probabilities")
    add_extra(body, reply.extra, "", losses)
    body.update(own_labels(candidate.extra))
    add_extra(body, candidate.extra, "candidates[0]", losses)
    return json.encode(body)


def _write_part(part: Part, path: str, losses: Losses) -> Block | Raw | None:
    """One block for a client; None, and a loss, for a part that this dialect cannot say."""
    match part:
        case Text():
            return _write_text(part, path, losses)
        case Reasoning():
            return _write_reasoning(part, path, losses)
        case ToolCall():
            return write_call(part, path, losses)
        case Refusal():
            note_refusal(path, losses)
            return {"text": part.text}
        case Media():
            return write_picture(part, path, losses)
        case Foreign():
            return write_foreign(part, path, losses)
        case ToolResult():
            losses.drop(path, "an answer of this dialect holds no such part")
            return None
        case _:
            assert_never(part)


def note_refusal(path: str, losses: Losses) -> None:
    losses.rewrite(path, "a refusal of this dialect is text")


def _write_text(text: Text, path: str, losses: Losses) -> Block:
    cited = [told for citation in text.citations if (told := tell_citation(citation, path, losses)) is not None]
    if cited:
        return write_cited(text.text, cited, pieces_of(text.extra))
    block: Block = {"text": text.text, **own_labels(text.extra)}
    add_extra(block, text.extra, path, losses)
    return block


def pieces_of(extra: Extra | None) -> Raw | None:
    return extra.fields.get("content") if extra is not None and extra.dialect == DIALECT else None


def tell_citation(citation: Citation, path: str, losses: Losses) -> object:
    written = write_citation(citation)
    if written is None:
        losses.drop(f"{path}.citations", "a citation of this dialect names its source")
    return written


def _write_reasoning(thought: Reasoning, path: str, losses: Losses) -> Block | None:
    signature = thought.signature
    if signature is not None and signature.vendor not in (CLAUDE, DIALECT):
        tell_strange_proof(path, losses)
        signature = None
    if thought.redacted and signature is None:
        losses.drop(path, "nothing of this thought can be shown")
        return None
    return write_thought(thought, signature, path, losses)


def tell_strange_proof(path: str, losses: Losses) -> None:
    losses.drop(f"{path}.signature", "this dialect carries only proofs of its own models")


def write_picture(media: Media, path: str, losses: Losses) -> Block | None:
    source, form = media.source, format_of(media.kind, media.source)
    if media.kind is not MediaKind.IMAGE or not isinstance(source, Inline) or form is None:
        losses.drop(path, "an answer of this dialect holds no such part")
        return None
    return {"image": {"format": form, "source": {"bytes": source.data}}}
