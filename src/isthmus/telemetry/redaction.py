"""Takes secrets and files out of what is kept of a conversation or of a failure.

A secret is known by what is told of it, by its shape, by the name of the field that holds it, or by a pattern of the
operator's own. What is missed by all of these stays: what may hold it is kept only where somebody asked for that.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from isthmus.core.secret import Secret
from isthmus.providers.key_guard import MASK, mask

FILE = 256
"""Characters of base64 in a row that are taken for a file."""

_SECRET_NAME = re.compile(
    r"passw(?:or)?d|passphrase|secret|api[_-]?key|(?:access|private|signing|management|client|master)[_-]?key"
    r"|authorization|credential|cookie|(?:auth|access|refresh|id|session|bearer|api|security)[_-]?token|^(?:token|pwd)$",
    re.IGNORECASE,
)
"""In names of fields that hold secrets."""
_FIELD = re.compile(r'(?<!\\)(?P<quote>\\*+")(?P<name>[\w.-]++)(?P=quote)\s*+:\s*+(?P=quote)')
"""The beginning of a JSON field with a text, also in JSON that is itself a text in JSON."""
_QUOTE = re.compile(r'(?<!\\)(\\*+)"')
_SETTING = re.compile(r"(?<![\w.-])(?P<name>[\w.-]++)\s*+=\s*+[\"']?")
"""NAME=VALUE, as in a shell's lines and in the query of a URL."""
_VALUE = re.compile(r"[^\s\"'\\&<>]{4,}+")
_IN_QUERY = frozenset({"key", "token", "sig", "signature", "code"})
"""Names that are a secret's where a URL's query begins or goes on in front of them."""
_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"isk_[\w-]{8,}"
    r"|A(?:KIA|SIA|ROA|IDA)[A-Z0-9]{12,}"
    r"|ya29\.[\w.-]{8,}|1//[\w-]{20,}"
    r"|glpat-[\w-]{10,}|gh[opsur]_\w{10,}|xox[abeoprs]-[\w-]{8,}|npm_\w{20,}|AC[0-9a-f]{32}"
    r"|eyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----END).)*(?:-----END [A-Z ]*PRIVATE KEY-----)?"
    r")"
    r"|(?<=://)[^\s/@:\"'\\]+:[^\s/@\"'\\]+(?=@)"
    r"|\b(?:[Bb]earer|BEARER|[Bb]asic|BASIC)\s+(?=\S*[\d=*])[\w.~+/=-]{8,}",
    re.DOTALL,
)
"""What has the look of a secret, beside what is masked in all that upstreams say."""
_BASE64 = re.compile(rf"(?:[A-Za-z0-9+/_-]|\\/){{{FILE},}}={{0,2}}")


class Redactor:
    """`patterns` are regular expressions: what each matches is taken out."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._patterns = tuple(re.compile(pattern) for pattern in patterns)

    def clean(self, text: str, known: Sequence[Secret] = ()) -> str:
        """The text without secrets and files. `known` are secrets that it may hold."""
        for secret in known:
            text = mask(text, secret)
        text = _hide(text, _fields(text))
        text = _hide(text, _settings(text))
        text = _SHAPES.sub(MASK, text)
        text = mask(text, None)
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        return _BASE64.sub(_note, text)


def _fields(text: str) -> Iterator[tuple[int, int]]:
    """Where fields with a secret's name have their texts. One whose end is cut off goes on to the end."""
    end = 0
    for field in _FIELD.finditer(text):
        if field.start() >= end and _SECRET_NAME.search(field["name"]):
            end = _end_of_text(text, field.end(), len(field["quote"]))
            yield field.end(), end


def _end_of_text(text: str, start: int, quote: int) -> int:
    """Where a text ends that began with `quote` characters: backslashes, and a quotation mark.

    Of the backslashes in front of a mark within it, so many stand for backslashes of the text's own; those that are
    left are as many as in front of its end, or belong to a mark of its own.
    """
    for mark in _QUOTE.finditer(text, start):
        if len(mark[1]) % (2 * quote) == quote - 1:
            return mark.end() - quote
    return len(text)


def _settings(text: str) -> Iterator[tuple[int, int]]:
    end = 0
    for setting in _SETTING.finditer(text):
        start, name = setting.start(), setting["name"].lower()
        if start < end:
            continue
        asked = name in _IN_QUERY and text[max(0, start - 1) : start] in ("?", "&")
        if (asked or _SECRET_NAME.search(name)) and (value := _VALUE.match(text, setting.end())):
            end = value.end()
            yield value.span()


def _hide(text: str, spans: Iterable[tuple[int, int]]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in spans:
        if end > start >= done:
            pieces += (text[done:start], MASK)
            done = end
    return "".join((*pieces, text[done:]))


def _note(found: re.Match[str]) -> str:
    return f"[{len(found[0])} characters of base64]"
