"""Identifiers in the form that this dialect's ends accept."""

import hashlib
import re

from isthmus.core.ids import without_prefix

_CALL = re.compile(r"[a-zA-Z0-9_-]+")
_PREFIX = "msg_"


def call_id(text: str) -> str:
    """The id of a tool call, or a stand-in made from it, the same wherever the id is used."""
    sound = (text.isidentifier() and text.isascii()) or _CALL.fullmatch(text)
    return text if sound else "call_" + hashlib.sha256(text.encode()).hexdigest()[:24]


def message_id(text: str) -> str:
    """The id of an answer with this dialect's customary prefix in place of another's."""
    if text.startswith(_PREFIX):
        return text
    return _PREFIX + without_prefix(text)
