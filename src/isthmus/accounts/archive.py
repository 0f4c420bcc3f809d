"""Accounts with their tokens as one file, to be taken to another machine: encrypted with a passphrase.

An archive is MAGIC, a byte of its format, a salt, a nonce, what AES-256-GCM made of the accounts as JSON under the key
that scrypt (RFC 7914) makes of the passphrase, and a SHA-256 of all that, by which damage is told from another
passphrase. Reading and writing one takes a tenth of a second and 32 MiB for scrypt, and blocks: call it in a thread.
"""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from isthmus.accounts.sealing import Seal, WrittenTokens, read, written
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.engine.accounts import Account, AccountRecords, Tokens
from isthmus.wire import json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"ISTHMUS ACCOUNTS\n"
FORMAT = 1
SALT, NONCE, DIGEST, TAG = 16, 12, 32, 16
"""Bytes."""
HEAD = len(MAGIC) + 1 + SALT + NONCE
COST, BLOCK, LANES = 2**15, 8, 1
"""Of scrypt; another format of the archive where they change."""
MOST = 64 * 1024**2
"""Bytes of an archive."""
SHORTEST = 12
"""Characters of a passphrase that seals one."""


class Archived(Value, frozen=True):
    """One account, with its tokens."""

    account: Account
    tokens: Tokens


class _Entry(Value, frozen=True):
    account: Account
    tokens: WrittenTokens


_read_entries = json.decoder(tuple[_Entry, ...])


async def everything(records: AccountRecords, seal: Seal) -> Sequence[Archived]:
    """All accounts with their tokens. Raises as `Seal.open` where there is one that no key opens."""
    return [
        Archived(account, seal.open(sealed, account.id))
        for account in await records.accounts()
        if (sealed := await records.sealed(account.id)) is not None
    ]


def write_archive(accounts: Sequence[Archived], passphrase: Secret) -> bytes:
    """Raises INVALID for a passphrase that is too short, and for more accounts than an archive holds."""
    if len(passphrase.reveal()) < SHORTEST:
        raise _invalid(f"the passphrase must have at least {SHORTEST} characters", "passphrase")
    content = json.encode([_Entry(one.account, written(one.tokens)) for one in accounts])
    if len(content) > MOST - HEAD - TAG - DIGEST:
        raise _invalid(f"these accounts are more than the {MOST // 1024**2} MiB that an archive holds", "accounts")
    head = MAGIC + bytes((FORMAT,)) + secrets.token_bytes(SALT + NONCE)
    sealed = head + _cipher(passphrase, head).encrypt(head[-NONCE:], content, head)
    return sealed + hashlib.sha256(sealed).digest()


def read_archive(archive: bytes, passphrase: Secret) -> Sequence[Archived]:
    """What `write_archive` was given. Raises INVALID, in words that tell what is wrong, and hold nothing of it."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  slow to import, and seldom needed

    sealed = _checked(archive)
    head = sealed[:HEAD]
    try:
        content = _cipher(passphrase, head).decrypt(head[-NONCE:], sealed[HEAD:], head)
    except InvalidTag as error:
        raise _invalid("the passphrase is not the one that the archive was sealed with", "passphrase") from error
    try:
        return tuple(Archived(one.account, read(one.tokens)) for one in _read_entries(content))
    except json.DECODE_ERRORS:
        raise _invalid("what the archive holds is of a version that is not known here", "archive") from None


def _checked(archive: bytes) -> bytes:
    """All but the digest at the end, of an archive that is whole."""
    if len(archive) > MOST:
        raise _invalid(f"the archive is longer than {MOST // 1024**2} MiB, so it is none", "archive")
    if not archive.startswith(MAGIC):
        raise _invalid("this is no archive of accounts", "archive")
    sealed, digest = archive[:-DIGEST], archive[-DIGEST:]
    if len(sealed) < HEAD + TAG or not hmac.compare_digest(hashlib.sha256(sealed).digest(), digest):
        raise _invalid("the archive is damaged, or a part of it is missing; make a copy of it once more", "archive")
    if sealed[len(MAGIC)] != FORMAT:
        raise _invalid("the archive was made by a newer version of Isthmus; use that one", "archive")
    return sealed


def _cipher(passphrase: Secret, head: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415  as above

    salt = head[len(MAGIC) + 1 : -NONCE]
    said = unicodedata.normalize("NFC", passphrase.reveal()).encode("utf-8", "surrogateescape")
    return AESGCM(Scrypt(salt=salt, length=32, n=COST, r=BLOCK, p=LANES).derive(said))


def _invalid(words: str, param: str) -> GatewayError:
    return GatewayError(Kind.INVALID, words, param=param)
