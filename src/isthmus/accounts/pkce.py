"""Proof Key for Code Exchange (RFC 7636), with S256 and nothing else."""

import base64
import hashlib
import secrets

from isthmus.core.secret import Secret

METHOD = "S256"


def new_verifier() -> Secret:
    """Of 256 bits that nobody can guess. It leaves the process only on its way to the issuer."""
    return Secret(secrets.token_urlsafe(32))


def challenge_of(verifier: Secret) -> str:
    digest = hashlib.sha256(verifier.reveal().encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
