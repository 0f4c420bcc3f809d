"""Takes keys out of what an upstream says, so that none is ever echoed to a client or a log.

Finds the provider's own key whole or in pieces, in clear, JSON-escaped (also twice) or
percent-encoded, and whatever else has the look of a key.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

from isthmus.core.secret import Secret

MASK = "[hidden key]"
SHORTEST = 4
"""Characters; a shorter key is a placeholder and no secret, and its letters stand in every word."""
PIECE = 8
"""Characters of a key's beginning or end that are taken out when they stand alone."""

_Text = TypeVar("_Text", str, bytes)

# Prefixes as the vendors give them out. A dot or asterisk may stand inside, as in "sk-ab***yz". JWTs begin with "eyJ".
_KEY_LIKE = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-|csk-|xai-|gsk_|AIza|pplx-|nvapi-|hf_|r8_|fw_|tgp_v1_|gh[opsu]_|github_pat_)"
    r"(?:[\w*/+-]|\.(?=[\w*.])){6,}"
    r"|(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
    r"|(?i:\bbearer)\s+(?=[^\s\"'\\<]*[\d*])(?:[\w*~/+=-]|\.(?=[\w*.])){8,}"
)
_ESCAPED = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|(.))|%([0-9a-fA-F]{2})", re.DOTALL)


def mask(text: _Text, secret: Secret | None, words: Sequence[str] = ()) -> _Text:
    """`text` with MASK in place of every key. The same object when there is none. Bytes stay bytes, of any encoding.

    `words` may be secrets too: they are taken out as a whole.
    """
    if isinstance(text, bytes):
        clean = _mask(text.decode("latin-1"), secret, words)
        return text if clean is None else clean.encode("latin-1")
    clean = _mask(text, secret, words)
    return text if clean is None else clean


def _mask(text: str, secret: Secret | None, words: Sequence[str]) -> str | None:
    """The cleaned text, or None when there is nothing to clean."""
    spans = [found.span() for found in _KEY_LIKE.finditer(text)]
    key = secret.reveal() if secret is not None else ""
    words = [word for word in words if len(word) >= SHORTEST]
    if len(key) >= SHORTEST or words:
        spans.extend(_told(text, key, words))
        if "\\" in text or "%" in text:
            plain, at = _unescape(text)
            spans.extend((at[start], at[end]) for start, end in _told(plain, key, words))
    return _cut(text, spans) if spans else None


def _told(text: str, key: str, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where pieces of the key stand, and where the words do."""
    if len(key) >= SHORTEST:
        yield from _pieces(text, key)
    for word in words:
        start = text.find(word)
        while start >= 0:
            yield start, start + len(word)
            start = text.find(word, start + len(word))


def _pieces(text: str, key: str) -> Iterator[tuple[int, int]]:
    """Where `text` shares a piece with `key`: each is found by a part of PIECE characters and then widened."""
    size = min(PIECE, len(key))
    for offset in {*range(0, len(key) - size + 1, size), len(key) - size}:
        part = key[offset : offset + size]
        start = text.find(part)
        while start >= 0:
            left, right = start, start + size
            first, last = offset, offset + size
            while first > 0 and left > 0 and text[left - 1] == key[first - 1]:
                left, first = left - 1, first - 1
            while last < len(key) and right < len(text) and text[right] == key[last]:
                right, last = right + 1, last + 1
            yield left, right
            start = text.find(part, right)


def _unescape(text: str) -> tuple[str, list[int]]:
    """`text` with its escapes undone, and for each character (and the end) where it stood."""
    pieces: list[str] = []
    at: list[int] = []
    done = 0
    for escape in _ESCAPED.finditer(text):
        pieces.append(text[done : escape.start()])
        at.extend(range(done, escape.start() + 1))
        code, char, percent = escape.groups()
        pieces.append(char or chr(int(code or percent, 16)))
        done = escape.end()
    pieces.append(text[done:])
    at.extend(range(done, len(text) + 1))
    return "".join(pieces), at


def _cut(text: str, spans: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in sorted(spans):
        if start >= done:
            pieces += (text[done:start], MASK)
        done = max(done, end)
    pieces.append(text[done:])
    return "".join(pieces)
