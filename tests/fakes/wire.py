"""The steps by which a voice answers, and the shared spelling of HTTP. Knows no dialect."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Whole:
    """A complete answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    late: float = 0.0
    """Seconds of silence before the first byte."""
    promised: int | None = None
    """A content-length that is not the body's own: the connection ends before it is reached."""


@dataclass(frozen=True)
class Piece:
    """One write of a stream, after `wait` seconds."""

    data: bytes
    wait: float = 0.0


@dataclass(frozen=True)
class Reset:
    """The connection is torn down."""


@dataclass(frozen=True)
class Silence:
    """Nothing more is said, and the connection stays open until the client leaves."""


@dataclass(frozen=True)
class Stream:
    """An event stream: a head, and then its steps."""

    steps: Iterator["Piece | Reset"]
    headers: Mapping[str, str] = field(default_factory=dict)
    late: float = 0.0
    crumb: int | None = None
    """Bytes written at a time; None for a whole event."""
    content_type: str = "text/event-stream; charset=utf-8"


Reply: TypeAlias = Whole | Stream | Reset | Silence


class Refused(Exception):
    """The judge's verdict: the real provider would answer 400 to this."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


def encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def cut_up(text: str, size: int = 7) -> list[str]:
    """The text in small pieces, as a model would send it; an empty text is one empty piece."""
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]


def broken(how: str, error_body: bytes, whole: bytes) -> Reply:
    """What the two voices share of `Broken`."""
    page = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"
    match how:
        case "html":
            return Whole(200, page, content_type="text/html")
        case "html_error":
            return Whole(502, page, content_type="text/html")
        case "not_json":
            return Whole(200, b"upstream says hi")
        case "drop":
            return Reset()
        case "silence":
            return Silence()
        case "error_body":
            return Whole(200, error_body)
        case "cut_body":
            return Whole(200, whole[: len(whole) // 2], promised=len(whole))
        case _:
            raise ValueError(how)


def names(listed: str) -> frozenset[str]:
    """The words of a list that is written as a sentence."""
    return frozenset(listed.split())


def only(value: Mapping[str, Any], allowed: frozenset[str], where: str, words: str) -> None:
    """Refuse a field that the provider does not know. `words` is its sentence, with {path}."""
    for name in value:
        if name not in allowed:
            path = f"{where}.{name}" if where else name
            raise Refused(words.format(path=path), path)
