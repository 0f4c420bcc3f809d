"""Forms as browsers and curl send files (RFC 7578). Only what is whole in memory, and bounded, is read here."""

import re
from collections.abc import Mapping
from email import policy
from email.parser import BytesParser

from isthmus.core.errors import GatewayError, Kind
from isthmus.wire.headers import Headers, find

MOST_PARTS = 20
_TYPE = re.compile(rb"multipart/form-data\s*;", re.IGNORECASE)
_WRONG = "this is no form: its parts cannot be told apart"


def is_form(headers: Headers) -> bool:
    return _TYPE.match(find(headers, b"content-type") or b"") is not None


def read_form(headers: Headers, body: bytes) -> Mapping[str, bytes]:
    """The first part of each name, as it was sent. Raises INVALID."""
    head = b"content-type: " + (find(headers, b"content-type") or b"") + b"\r\n\r\n"
    form = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    parts = list(form.iter_parts()) if form.is_multipart() else []
    if form.defects or not 0 < len(parts) <= MOST_PARTS:
        raise GatewayError(Kind.INVALID, _WRONG)
    found: dict[str, bytes] = {}
    for part in parts:
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found.setdefault(name, content)
    return found
