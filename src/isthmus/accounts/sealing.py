"""Tokens at rest: encrypted and authenticated with AES-256-GCM (NIST SP 800-38D), each for one account alone.

A sealed text is a byte of its format, a nonce of 96 random bits, and what the cipher made of the tokens as JSON. The
format, the key's id and the account's id are authenticated with it. Keys come from `seal_keys`.
"""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.accounts.seal_keys import KeyFile, KeySource, SaidKeys, SealKey, SystemKeyring
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.engine.accounts import Sealed, Tokens
from isthmus.wire import json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VARIABLE = "ISTHMUS_ACCOUNTS_KEY"
FORMAT = 1
NONCE = 12
"""Bytes. At random nobody seals as often with one key as would make two alike (2**32 times)."""
MOST = 256 * 1024
"""Bytes of one account's tokens."""
_CONTEXT = b"isthmus account tokens"


class WrittenTokens(Value, frozen=True, omit_defaults=True):
    """Tokens in clear, as they are inside of what is sealed."""

    access: str | None = None
    refresh: str | None = None
    id_token: str | None = None
    service_account: str | None = None
    expires_at: float | None = None


_read_tokens = json.decoder(WrittenTokens)


class Seal:
    """Closes and opens tokens. Its keys are found when they are first needed, which may block for a moment."""

    def __init__(self, source: KeySource) -> None:
        self.source = source
        self._ciphers: dict[str, AESGCM] = {}

    def ready(self) -> str:
        """The id of the key that seals, which is made here where there is none yet. Raises as `close`."""
        return self.source.made()[0].id

    def close(self, tokens: Tokens, identity: str, version: int = 0) -> Sealed:
        """The tokens of this account, sealed.

        Raises CREDENTIAL_REJECTED where there is no key to be had, INVALID for tokens that are too long.
        """
        content = json.encode(written(tokens))
        if len(content) > MOST:
            raise GatewayError(Kind.INVALID, f"the tokens of one account are longer than {MOST // 1024} KiB")
        key = self.source.made()[0]
        nonce = secrets.token_bytes(NONCE)
        sealed = self._cipher(key).encrypt(nonce, content, _bound(key.id, identity))
        return Sealed(bytes((FORMAT,)) + nonce + sealed, key.id, version)

    def open(self, sealed: Sealed, identity: str) -> Tokens:
        """What was sealed for this account. Raises CREDENTIAL_REJECTED, in words that tell what to do."""
        if sealed.data[:1] != bytes((FORMAT,)):
            raise _shut(identity, "are in a form that this version of Isthmus does not know; use the newer one")
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415  slow to import, and only where accounts are

        nonce, content = sealed.data[1 : 1 + NONCE], sealed.data[1 + NONCE :]
        cipher = self._cipher_of(sealed.key, identity)
        try:
            return read(_read_tokens(cipher.decrypt(nonce, content, _bound(sealed.key, identity))))
        except (InvalidTag, ValueError, *json.DECODE_ERRORS) as error:
            words = "were changed where they are kept, or put in from another account; sign in to it again"
            raise _shut(identity, words) from error

    def _cipher_of(self, key: str, identity: str) -> "AESGCM":
        """Keys may have come since the last look."""
        if key not in self._ciphers:
            for one in self.source.known():
                self._cipher(one)
        cipher = self._ciphers.get(key)
        if cipher is None:
            words = f"are sealed with the key {key[:16]!r}, which is not in {self.source.where}; put it back there"
            raise _shut(identity, f"{words} after the present one, or sign in to it again")
        return cipher

    def _cipher(self, key: SealKey) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  as above

        if key.id not in self._ciphers:
            self._ciphers[key.id] = AESGCM(key.reveal())
        return self._ciphers[key.id]


def opened_seal(said: Secret | None, file: Path, *, keyring: bool = False) -> Seal:
    """With the keys of the variable, of the keyring, or of the file. Looks for none of them yet."""
    if said is not None:
        return Seal(SaidKeys(said, f"the variable {VARIABLE}"))
    return Seal(SystemKeyring(file.with_name(f"{file.name}.lock")) if keyring else KeyFile(file))


def written(tokens: Tokens) -> WrittenTokens:
    return WrittenTokens(
        access=_revealed(tokens.access),
        refresh=_revealed(tokens.refresh),
        id_token=_revealed(tokens.id_token),
        service_account=_revealed(tokens.service_account),
        expires_at=tokens.expires_at,
    )


def read(found: WrittenTokens) -> Tokens:
    return Tokens(
        access=_hidden(found.access),
        refresh=_hidden(found.refresh),
        id_token=_hidden(found.id_token),
        service_account=_hidden(found.service_account),
        expires_at=found.expires_at,
    )


def _bound(key: str, identity: str) -> bytes:
    """What is authenticated beside the tokens. No id of a key holds a zero byte."""
    return b"\0".join((_CONTEXT, bytes((FORMAT,)), key.encode(), identity.encode()))


def _revealed(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _hidden(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)


def _shut(identity: str, words: str) -> GatewayError:
    return GatewayError(Kind.CREDENTIAL_REJECTED, f"the tokens of account {identity} {words}")
