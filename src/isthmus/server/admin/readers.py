"""What an administrator sends: JSON of one shape, where an unknown field is an error, or a text of YAML."""

import re
from collections.abc import Callable
from typing import TypeVar

from isthmus.core.errors import GatewayError, Kind
from isthmus.wire import json
from isthmus.wire.headers import Headers, find

_T = TypeVar("_T")

TYPES = re.compile(rb"(application|text)/([\w.-]+\+)?(json|yaml|x-yaml)")
_SHOWN = 300
"""Characters of what is wrong with a body, some of which its sender chose."""
_TYPE = "a body here is JSON or YAML, and its content-type says so: application/json"


def reader(shape: type[_T]) -> Callable[[bytes], _T]:
    """Reads bodies of `shape`, a Value that forbids unknown fields. What it returns raises INVALID, with the field."""
    decode = json.decoder(shape)

    def read(body: bytes) -> _T:
        try:
            return decode(body)
        except json.DECODE_ERRORS as error:
            words, _, path = str(error).partition(" - at `$")
            words = words[:_SHOWN]
            param = path.strip("`").lstrip(".") or _field(words)
            raise GatewayError(Kind.INVALID, f"{param}: {words}" if param else words, param=param) from error

    return read


def _field(words: str) -> str | None:
    """The field that a message names, where it names no path."""
    found = re.search(r"field `([^`]+)`", words)
    return None if found is None else found[1]


def check_type(headers: Headers) -> None:
    """Raises INVALID (415) for a body of a type that a page of any origin could send without being asked."""
    said = (find(headers, b"content-type") or b"").partition(b";")[0].strip().lower()
    if TYPES.fullmatch(said) is None:
        raise GatewayError(Kind.INVALID, _TYPE, status=415)
