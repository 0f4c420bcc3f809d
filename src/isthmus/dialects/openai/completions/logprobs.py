"""Log probabilities in the older shape, four lists side by side, and in that of a chat completion, which others know.

`text_offset` counts characters from where the prompt begins. Told twice, a token's own probability stands in
`token_logprobs`, and again in `top_logprobs` where it was one of the likeliest.

Source: the OpenAI API reference, "The completion object" and "The chat completion object".
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Raw, Struct

from isthmus.core.losses import Losses
from isthmus.core.value import Foreign
from isthmus.dialects.openai import CHAT
from isthmus.wire import json
from isthmus.wire.json import DECODE_ERRORS

UNKNOWN = -9999.0
"""How OpenAI tells a probability that it does not know, where null is not allowed."""


class _Legacy(Struct, frozen=True):
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None


class _Token(Struct, frozen=True):
    token: str
    logprob: float
    bytes: list[int] | None = None


class _Said(_Token, frozen=True):
    top_logprobs: list[_Token] = []


class _Chat(Struct, frozen=True):
    content: list[_Said] | None = None


_read_legacy = json.decoder(_Legacy)
_read_lists = json.decoder(dict[str, list[Raw] | None])
_read_chat = json.decoder(_Chat)


def merged(pieces: Sequence[Raw]) -> Raw | None:
    """The lists of a whole stream, end to end; None for what is no such lists."""
    lists: dict[str, list[Raw]] = {}
    for piece in pieces:
        try:
            told = _read_lists(piece)
        except DECODE_ERRORS:
            return None
        for name, items in told.items():
            lists.setdefault(name, []).extend(items or ())
    return json.raw(lists)


def to_chat(body: Raw) -> Foreign | None:
    """As a choice of a chat completion holds them; None for lists of another shape, which only this dialect knows."""
    try:
        told = _read_legacy(body)
    except DECODE_ERRORS:
        return None
    tokens, own = told.tokens or [], told.token_logprobs or []
    likely = told.top_logprobs or [None] * len(tokens)
    if not len(tokens) == len(own) == len(likely):
        return None
    content = [
        _Said(token, UNKNOWN if one is None else one, _bytes(token), _ranked(top))
        for token, one, top in zip(tokens, own, likely, strict=True)
    ]
    return Foreign(CHAT, json.raw({"content": content, "refusal": None}))


def _ranked(top: dict[str, float] | None) -> list[_Token]:
    return [_Token(token, one, _bytes(token)) for token, one in (top or {}).items()]


def _bytes(token: str) -> list[int] | None:
    """Those of the token; None for one that is no text, which is told by its bytes in hexadecimal."""
    return None if token.startswith("bytes:") else list(token.encode())


def from_chat(logprobs: Foreign | None, offset: int, path: str, losses: Losses) -> dict[str, Any] | None:
    """The four lists. `offset` is where the first token begins."""
    if logprobs is None:
        return None
    try:
        content = _read_chat(logprobs.body).content if logprobs.dialect == CHAT else None
    except DECODE_ERRORS:
        content = None
    if content is None:
        losses.drop(f"{path}.logprobs", f"log probabilities in the form of {logprobs.dialect}")
        return None
    offsets = []
    for one in content:
        offsets.append(offset)
        offset += len(one.token)
    return {
        "tokens": [one.token for one in content],
        "token_logprobs": [None if one.logprob == UNKNOWN else one.logprob for one in content],
        "top_logprobs": [{top.token: top.logprob for top in one.top_logprobs} for one in content],
        "text_offset": offsets,
    }


def length_of(written: dict[str, Any] | None) -> int:
    """Characters that the tokens in these lists stand for."""
    return 0 if written is None else sum(map(len, written["tokens"]))
