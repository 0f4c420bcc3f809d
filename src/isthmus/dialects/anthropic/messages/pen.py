"""Writes the parts of a request: what a provider takes from its caller."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Raw

from isthmus.core.content import Citation, Media, Part, Reasoning, Refusal, Text, ToolCall, ToolResult, only_text
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.core.value import Foreign
from isthmus.dialects.anthropic.messages.content import plain_text, write_call
from isthmus.dialects.anthropic.messages.ids import call_id
from isthmus.dialects.anthropic.messages.marks import Block, finish
from isthmus.dialects.anthropic.messages.media import write_media
from isthmus.dialects.anthropic.words import DIALECT


class Pen:
    """What every part of one request is written with."""

    __slots__ = ("losses", "profile")

    def __init__(self, profile: ModelProfile, losses: Losses) -> None:
        self.profile = profile
        self.losses = losses

    def write(self, part: Part, path: str) -> Block | Raw | None:
        """One block; None for a part that cannot be sent, which is a loss unless it was empty text."""
        return WRITERS[type(part)](self, part, path)

    def _text(self, text: Text, path: str) -> Block | None:
        if not text.text or text.text.isspace():
            if text.text:
                self.losses.drop(path, "the provider takes no blank text")
            return None
        block: Block = {"type": "text", "text": text.text}
        if text.citations:
            citations = [self._citation(item, path) for item in text.citations]
            if sent := [item for item in citations if item is not None]:
                block["citations"] = sent
        if text.cache is None and text.extra is None:
            return block
        return finish(block, text.cache, text.extra, path=path, losses=self.losses)

    def _citation(self, citation: Citation, path: str) -> Raw | None:
        """The provider checks a citation's own proof, which another vendor's has not."""
        if citation.native is not None and citation.native.dialect == DIALECT:
            return citation.native.body
        self.losses.drop(f"{path}.citations", "the provider takes back only citations of its own")
        return None

    def _reasoning(self, thought: Reasoning, path: str) -> Block | None:
        signature = thought.signature
        if signature is None or signature.vendor != DIALECT:
            self.losses.drop(path, "the provider takes back only thoughts that it has signed")
            return None
        if thought.redacted:
            block: Block = {"type": "redacted_thinking", "data": signature.value}
        else:
            block = {"type": "thinking", "thinking": thought.text, "signature": signature.value}
        return finish(block, None, thought.extra, path=path, losses=self.losses)

    def _call(self, call: ToolCall, path: str) -> Block:
        return write_call(call, call_id(call.id), path, self.losses)

    def _media(self, media: Media, path: str) -> Block | None:
        return write_media(media, path, self.profile, self.losses)

    def _refusal(self, refusal: Refusal, path: str) -> Block | None:
        return self._text(Text(refusal.text), path)

    def _foreign(self, item: Foreign, path: str) -> Raw | None:
        if item.dialect == DIALECT:
            return item.body
        self.losses.drop(path, f"only {item.dialect} knows this item")
        return None

    def _result(self, result: ToolResult, path: str) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": call_id(result.call_id)}
        words = only_text(result.parts)
        if words and not words.isspace():
            block["content"] = words
        else:
            self._add_content(block, result, path)
        if result.failed is not None:
            block["is_error"] = result.failed
        if result.cache is None and result.extra is None:
            return block
        return finish(block, result.cache, result.extra, path=path, losses=self.losses)

    def _add_content(self, block: Block, result: ToolResult, path: str) -> None:
        content: list[Block | Raw] = []
        for place, part in enumerate(result.parts):
            inner = self.write(part, f"{path}.parts[{place}]")
            if inner is not None:
                content.append(inner)
        if content:
            text = plain_text(content)
            block["content"] = content if text is None else text
        elif result.parts and all(isinstance(part, Text) for part in result.parts):
            block["content"] = ""


# Each method takes the one type of part it stands beside.
WRITERS: Mapping[type, Callable[[Pen, Any, str], Block | Raw | None]] = {
    Text: Pen._text,
    ToolCall: Pen._call,
    ToolResult: Pen._result,
    Reasoning: Pen._reasoning,
    Media: Pen._media,
    Refusal: Pen._refusal,
    Foreign: Pen._foreign,
}
