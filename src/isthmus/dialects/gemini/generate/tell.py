"""Parts of an answer, written for a client of this dialect."""

from collections.abc import Sequence
from typing import assert_never

from msgspec import Raw

from isthmus.core.content import Media, Part, Reasoning, Refusal, Signature, Text, ToolCall, ToolResult
from isthmus.core.losses import Losses
from isthmus.core.profile import UNKNOWN
from isthmus.core.value import Foreign
from isthmus.dialects.gemini.generate.content import arguments_of, is_seal, stands_alone
from isthmus.dialects.gemini.generate.media import Block, write_media
from isthmus.dialects.gemini.generate.pen import add_extra, drop_foreign, own_fields
from isthmus.dialects.gemini.generate.signatures import write_proof
from isthmus.dialects.gemini.words import DIALECT

_INNER = "functionCall."


def tell_parts(parts: Sequence[Part], path: str, losses: Losses) -> list[Block | Raw]:
    """One block for each part that this dialect can tell. The proof that came with a text goes with it again."""
    blocks: list[Block | Raw] = []
    for place, part in enumerate(parts):
        if type(part) is Reasoning and is_seal(part) and not stands_alone(part) and is_bare_text(blocks):
            blocks[-1] = {**blocks[-1], **tell_proof(part.signature)}  # type: ignore[dict-item]  # an object
        elif (block := tell_part(part, f"{path}.parts[{place}]", losses)) is not None:
            blocks.append(block)
    return blocks


def is_bare_text(blocks: Sequence[Block | Raw]) -> bool:
    last = blocks[-1] if blocks else None
    return type(last) is dict and "text" in last and "thought" not in last and "thoughtSignature" not in last


def tell_proof(signature: Signature | None, *, sealed: bool = False) -> Block:
    return {} if signature is None else {"thoughtSignature": write_proof(signature, sealed=sealed)}


def tell_part(part: Part, path: str, losses: Losses) -> Block | Raw | None:
    """One block; None, and a loss, for a part that this dialect cannot say."""
    match part:
        case Text():
            block: Block = {"text": part.text}
            add_extra(block, part.extra, path, losses)
            return block
        case Reasoning():
            return tell_thought(part, path, losses)
        case ToolCall():
            return tell_call(part, path, losses)
        case Refusal():
            note_refusal(path, losses)
            return {"text": part.text}
        case Media():
            return write_media(part, path, UNKNOWN, losses)
        case Foreign():
            return tell_foreign(part, path, losses)
        case ToolResult():
            losses.drop(path, "an answer of this dialect holds no such part")
            return None
        case _:
            assert_never(part)


def note_refusal(path: str, losses: Losses) -> None:
    losses.rewrite(path, "a refusal of this dialect is text, and a reason to stop")


def tell_thought(thought: Reasoning, path: str, losses: Losses) -> Block:
    if is_seal(thought):
        return {"text": "", **tell_proof(thought.signature)}
    block: Block = {"text": thought.text, "thought": True}
    block |= tell_proof(thought.signature, sealed=thought.redacted)
    add_extra(block, thought.extra, path, losses)
    return block


def tell_call(call: ToolCall, path: str, losses: Losses) -> Block:
    """With an id always: clients give it back with the result."""
    arguments = arguments_of(call.arguments)
    if arguments is None:
        losses.rewrite(f"{path}.arguments", "arguments of this dialect are an object: the text is wrapped in one")
    args: object = {"_raw": call.arguments} if arguments is None else arguments
    inner: Block = {"id": call.id, "name": call.name, "args": args}
    block: Block = {"functionCall": inner, **tell_proof(call.signature)}
    drop_foreign(call.extra, path, losses)
    for name, value in own_fields(call.extra).items():
        (inner if name.startswith(_INNER) else block)[name.removeprefix(_INNER)] = value
    return block


def tell_foreign(item: Foreign, path: str, losses: Losses) -> Raw | None:
    if item.dialect == DIALECT:
        return item.body
    losses.drop(path, f"only {item.dialect} knows this item")
    return None
