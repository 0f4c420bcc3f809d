"""Whose proof an `encrypted_content` is: OpenAI's own, or another vendor's under a mark of ours.

`isthmus:VENDOR:VALUE` stands for another vendor's signature, so that clients of this dialect can hand it back;
`isthmus-redacted:VENDOR:VALUE` for a thought of which that vendor shows nothing else.
"""

from isthmus.core.content import Reasoning, Signature

VENDOR = "openai"
CLEAR, REDACTED = "isthmus:", "isthmus-redacted:"
MARKS = (b'"isthmus:', b'"isthmus-redacted:')
"""How ours begin in a body."""


def read_proof(value: str, *, shown: bool) -> tuple[Signature | None, bool]:
    """The signature, and whether the thought is redacted. `shown`: some of its text is told beside it."""
    for mark in (CLEAR, REDACTED):
        if value.startswith(mark):
            vendor, _, proof = value.removeprefix(mark).partition(":")
            return (Signature(vendor, proof) if vendor else None), mark == REDACTED
    return Signature(VENDOR, value), not shown


def write_proof(signature: Signature | None, *, redacted: bool) -> str:
    """What a client is given for the signature of anybody's thought."""
    if signature is None:
        return f"{CLEAR}:"
    if signature.vendor == VENDOR:
        return signature.value
    return f"{REDACTED if redacted else CLEAR}{signature.vendor}:{signature.value}"


def is_own(part: Reasoning) -> bool:
    """May a provider of this dialect be sent the thought's proof?"""
    return part.signature is not None and part.signature.vendor == VENDOR
