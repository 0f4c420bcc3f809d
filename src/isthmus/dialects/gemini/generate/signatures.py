"""Thought signatures, which clients keep and give back. Google's own pass as they are.

A client of this dialect reads a signature as base64. One of another vendor is put into base64 that opens
with a mark of ours, so that it comes back and can be told from Google's.

Source: https://ai.google.dev/gemini-api/docs/thought-signatures.
"""

import binascii
from base64 import b64decode, b64encode
from typing import NamedTuple

from isthmus.core.content import Signature
from isthmus.dialects.gemini.words import VENDOR

MARK = "aXN0aG11czo"
"""How every one of our own begins: `isthmus:` in base64."""
STAND_IN = b64encode(b"skip_thought_signature_validator").decode()
"""What Google takes in place of the signature of a call that another model made."""
_OPENING = b"isthmus:"
_CLEAR, _SEALED = ord(":"), ord("!")


class Proof(NamedTuple):
    """`sealed`: it belongs to a thought that another vendor keeps to itself."""

    signature: Signature | None
    sealed: bool = False


def read_proof(value: str | None) -> Proof:
    """Undoes `write_proof`."""
    if not value:
        return Proof(None)
    told = _unwrapped(value) if value.startswith(MARK) else None
    if told is None:
        return Proof(Signature(VENDOR, value))
    vendor, _, proof = told[1:].decode(errors="replace").partition(":")
    return Proof(Signature(vendor, proof), told[0] == _SEALED)


def _unwrapped(value: str) -> bytes | None:
    """Clients may spell base64 in either alphabet, and leave out what fills it up."""
    try:
        told = b64decode(value.replace("-", "+").replace("_", "/").rstrip("=") + "==")
    except binascii.Error:
        return None
    rest = told.removeprefix(_OPENING)
    return rest if rest and rest[0] in (_CLEAR, _SEALED) else None


def write_proof(signature: Signature, *, sealed: bool = False) -> str:
    """For a client: Google's own, or another vendor's in disguise."""
    if signature.vendor == VENDOR:
        return signature.value
    kind = _SEALED if sealed else _CLEAR
    told = f"{signature.vendor}:{signature.value}".encode(errors="replace")
    return b64encode(_OPENING + bytes([kind]) + told).decode()
