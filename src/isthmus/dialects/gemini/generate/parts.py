"""Writes the parts of a request's turns: what a provider takes from its caller."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from msgspec import Raw

from isthmus.core.content import Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from isthmus.core.value import Foreign
from isthmus.dialects.gemini.generate.content import arguments_of, is_seal, stands_alone
from isthmus.dialects.gemini.generate.ids import is_invented
from isthmus.dialects.gemini.generate.media import Block, write_media
from isthmus.dialects.gemini.generate.pen import Pen, add_extra, drop_foreign, own_fields
from isthmus.dialects.gemini.generate.results import write_result
from isthmus.dialects.gemini.generate.signatures import STAND_IN
from isthmus.dialects.gemini.words import DIALECT, VENDOR

Blocks = list[Block | Raw]
Placed = tuple[str, Part]
"""A part, and its path in the caller's request."""
_INNER = "functionCall."


def write_parts(placed: Sequence[Placed], names: Mapping[str, str], pen: Pen) -> Blocks:
    """One block for each part that can be sent. `names` are those of the tools, by the ids of their calls."""
    return _Turn(names, pen).write(placed)


class _Turn:
    """One turn while it is written. `_waiting` is the proof of a thought whose text has not come yet."""

    def __init__(self, names: Mapping[str, str], pen: Pen) -> None:
        self._names = names
        self._pen = pen
        self._blocks: Blocks = []
        self._moved: Blocks = []
        self._waiting: list[str] = []
        self._calls = 0

    def write(self, placed: Sequence[Placed]) -> Blocks:
        several = len(placed) > 1
        for path, part in placed:
            if type(part) is Text and several and not part.text:
                continue
            if type(part) is Reasoning and is_seal(part):
                self._seal(part)
            else:
                self._add(part, path)
        self._blocks.extend(self._moved)
        self._blocks.extend({"text": "", "thoughtSignature": proof} for proof in self._waiting)
        return self._blocks

    def _seal(self, thought: Reasoning) -> None:
        """The proof goes with the text that it came with: the one before it, else the next."""
        proof = thought.signature.value if thought.signature is not None else ""
        if stands_alone(thought):
            self._blocks.append({"text": "", "thoughtSignature": proof})
        elif self._blocks and _is_unsigned_text(self._blocks[-1]):
            self._blocks[-1] = {**self._blocks[-1], "thoughtSignature": proof}  # type: ignore[dict-item]  # an object
        else:
            self._waiting.append(proof)

    def _add(self, part: Part, path: str) -> None:
        block = self._write(part, path)
        if block is None:
            return
        if self._waiting and _is_unsigned_text(block):
            block = {**block, "thoughtSignature": self._waiting.pop(0)}  # type: ignore[dict-item]  # an object
        self._blocks.append(block)

    def _write(self, part: Part, path: str) -> Block | Raw | None:
        match part:
            case Text():
                return self._text(part, path)
            case ToolCall():
                return self._call(part, path)
            case ToolResult():
                return self._result(part, path)
            case Reasoning():
                return self._thought(part, path)
            case Media():
                return self._media(part, path)
            case Refusal():
                return {"text": part.text}
            case Foreign():
                if part.dialect == DIALECT:
                    return part.body
                self._pen.losses.drop(path, f"only {part.dialect} knows this item")
                return None
            case _:
                assert_never(part)

    def _text(self, text: Text, path: str) -> Block:
        block: Block = {"text": text.text}
        if text.citations:
            self._pen.losses.drop(f"{path}.citations", "the provider takes no citations back")
        self._mark(text.cache is not None)
        add_extra(block, text.extra, path, self._pen.losses)
        return block

    def _mark(self, marked: bool) -> None:
        if marked:
            self._pen.losses.drop("cache_control", "the provider caches by itself")

    def _media(self, media: Media, path: str) -> Block | None:
        self._mark(media.cache is not None)
        return write_media(media, path, self._pen.profile, self._pen.losses)

    def _thought(self, thought: Reasoning, path: str) -> Block | None:
        """The provider passes over thoughts that it has not signed, and refuses the proofs of others."""
        signature, losses = thought.signature, self._pen.losses
        block: Block = {"text": thought.text, "thought": True}
        if signature is not None and signature.vendor == VENDOR:
            block["thoughtSignature"] = signature.value
        elif not thought.text:
            losses.drop(path, "the provider takes back only thoughts that it has signed")
            return None
        elif signature is not None:
            losses.drop(f"{path}.signature", "the provider takes back only proofs of its own")
        add_extra(block, thought.extra, path, losses)
        return block

    def _call(self, call: ToolCall, path: str) -> Block:
        losses = self._pen.losses
        inner: Block = {} if is_invented(call.id) else {"id": call.id}
        arguments = arguments_of(call.arguments)
        if arguments is None:
            losses.rewrite(f"{path}.arguments", "arguments of this dialect are an object: the text is wrapped in one")
        inner |= {"name": call.name, "args": {"_raw": call.arguments} if arguments is None else arguments}
        block: Block = {"functionCall": inner}
        self._sign(block, call, path)
        drop_foreign(call.extra, path, losses)
        for name, value in own_fields(call.extra).items():
            target = inner if name.startswith(_INNER) else block
            target[name.removeprefix(_INNER)] = value
        self._mark(call.cache is not None)
        return block

    def _sign(self, block: Block, call: ToolCall, path: str) -> None:
        """The first call of a turn must be signed; for one that another model made there is a word of Google's."""
        self._calls += 1
        signature = call.signature
        if signature is not None and signature.vendor == VENDOR:
            block["thoughtSignature"] = signature.value
            return
        if signature is not None:
            self._pen.losses.drop(f"{path}.signature", "the provider takes back only proofs of its own")
        if self._pen.profile.signed_calls and self._calls == 1:
            block["thoughtSignature"] = STAND_IN
            self._pen.losses.emulate(f"{path}.signature", "the provider is asked not to look for its own proof")

    def _result(self, result: ToolResult, path: str) -> Block:
        name = self._names.get(result.call_id, result.call_id)
        block, moved = write_result(result, name, path, self._pen.profile, self._pen.losses)
        self._moved.extend(moved)
        self._mark(result.cache is not None or any(getattr(part, "cache", None) for part in result.parts))
        return block


def _is_unsigned_text(block: Block | Raw) -> bool:
    return type(block) is dict and "text" in block and "thought" not in block and "thoughtSignature" not in block
