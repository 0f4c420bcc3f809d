"""Where the keys come from that tokens are sealed with: a variable, a file of this machine, or its keyring.

Each source has its keys in an order: the first seals, and all open. A file or a keyring gets its first key when one is
needed. Nothing here seals, and no key is ever printed.
"""

import base64
import binascii
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret

KEY_BYTES = 32
MOST_KEYS = 100
MOST_BYTES = 64 * 1024
"""Of a key file."""
MODE = 0o600
OTHERS = 0o077
SERVICE, USER = "isthmus", "accounts"
"""What the keyring knows the keys by."""
FEWEST = 8
"""Different bytes in a key: one with fewer was typed, not drawn."""
_HEADING = "# What Isthmus encrypts the tokens of accounts with. Keep a copy, and keep it to yourself.\n"
_WRITTEN = "a key must be 32 random bytes in base64 or hex, as `openssl rand -base64 32` prints them"
_HEX = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)


class SealKey:
    """One key, which prints as its `id`: the first 16 hex digits of its SHA-256."""

    __slots__ = ("_key", "id")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.id = hashlib.sha256(key).hexdigest()[:16]

    def reveal(self) -> bytes:
        return self._key

    def written(self) -> str:
        """In base64, as it is kept."""
        return base64.urlsafe_b64encode(self._key).decode()

    def __repr__(self) -> str:
        return f"SealKey({self.id})"


class KeySource(Protocol):
    """Everything raises CREDENTIAL_REJECTED, in words that tell what to do, where the keys cannot be used.

    `where` is for people. `changes`: keys can be put there. All of it may block for a moment.
    """

    where: str
    changes: bool

    def known(self) -> Sequence[SealKey]:
        """As they are now. The first seals; all open."""
        ...

    def made(self) -> Sequence[SealKey]:
        """The same, and never none: the first one is made here."""
        ...

    def put(self, keys: Sequence[SealKey]) -> None:
        """In place of all there are, in one step, for good. Only while `alone`."""
        ...

    def alone(self) -> AbstractContextManager[None]:
        """While nobody else puts any there. Raises at once where somebody does."""
        ...


class SaidKeys:
    """Implements KeySource: in a text, as somebody said them."""

    changes = False

    def __init__(self, said: Secret, where: str) -> None:
        self.where = where
        self._said = said

    def known(self) -> Sequence[SealKey]:
        return _read_keys(self._said.reveal(), self.where)

    def made(self) -> Sequence[SealKey]:
        return self.known()

    def put(self, keys: Sequence[SealKey]) -> None:  # noqa: ARG002  of KeySource
        raise _unusable(f"{self.where} holds the keys; change them there: the new one first, a comma, the one before")

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()


class KeyFile:
    """Implements KeySource: a file for its owner's eyes alone, with a key a line. It is read again when it changes."""

    changes = True

    def __init__(self, path: Path) -> None:
        self.where = f"the key file {path}"
        self._path = path
        self._read: Sequence[SealKey] = ()
        self._stamp: tuple[int, ...] = ()

    def known(self) -> Sequence[SealKey]:
        try:
            self._look()
        except FileNotFoundError:
            return self._read
        except OSError as error:
            raise _unusable(f"{self.where} cannot be read: {error.strerror}") from error
        return self._read

    def made(self) -> Sequence[SealKey]:
        known = self.known()
        if not self._path.exists():
            if known:
                raise _unusable(f"{self.where} is gone; put it back: without it no account can be opened after a stop")
            self._make()
        return self.known()

    def put(self, keys: Sequence[SealKey]) -> None:
        _check_many(keys, self.where)
        self._tidy()
        beside = self._write_beside(keys)
        try:
            beside.replace(self._path)
            _settle(self._path.parent)
        except OSError as error:
            raise _unusable(f"{self.where} cannot be written: {error.strerror}") from error
        finally:
            beside.unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        with locked(self._path.with_name(f"{self._path.name}.lock"), self.where):
            yield

    def _look(self) -> None:
        stamp = _stamp(os.stat(self._path))
        if stamp == self._stamp:
            return
        with self._path.open("rb") as file:
            found = os.fstat(file.fileno())
            content = file.read(MOST_BYTES + 1)
        if os.name == "posix" and found.st_mode & OTHERS:
            raise _unusable(f"{self.where} can be read by others; run: chmod 600 {self._path}")
        self._read = _read_keys(_text(content, self.where), self.where)
        self._stamp = _stamp(found)

    def _make(self) -> None:
        """Of several who do so at once, one makes the key of all: a link is there whole, or not at all."""
        beside = self._write_beside((new_key(),))
        try:
            os.link(beside, self._path)
            _settle(self._path.parent)
        except FileExistsError:
            return
        except OSError as error:
            raise _unusable(f"{self.where} cannot be made: {error.strerror}") from error
        finally:
            beside.unlink(missing_ok=True)

    def _tidy(self) -> None:
        """Take away what somebody left who was killed while putting keys here."""
        for left in self._path.parent.glob(f".{self._path.name}.*"):
            with suppress(OSError):
                left.unlink()

    def _write_beside(self, keys: Sequence[SealKey]) -> Path:
        beside = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        try:
            beside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "w") as file:
                file.write(_HEADING + "".join(f"{key.written()}\n" for key in keys))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _unusable(f"{self.where} cannot be made: {error.strerror}") from error
        return beside


class SystemKeyring:
    """Implements KeySource: an entry in the keyring of the system. `lock` is a file that keeps others out."""

    changes = True
    where = "the keyring of the system"

    def __init__(self, lock: Path) -> None:
        self._lock = lock

    def known(self) -> Sequence[SealKey]:
        said = self._ask("get_password")
        return _read_keys(said, self.where) if said else ()

    def made(self) -> Sequence[SealKey]:
        if known := self.known():
            return known
        with locked(self._lock, self.where, wait=True):
            if not self.known():
                self.put((new_key(),))
        return self.known()

    def put(self, keys: Sequence[SealKey]) -> None:
        _check_many(keys, self.where)
        self._ask("set_password", ",".join(key.written() for key in keys))

    def alone(self) -> AbstractContextManager[None]:
        return locked(self._lock, self.where)

    def _ask(self, what: str, *said: str) -> str | None:
        try:
            keyring: Any = import_module("keyring")
        except ImportError as error:
            raise _unusable(f"{self.where} needs an extra; run: pip install 'isthmus[keyring]'") from error
        try:
            found: str | None = getattr(keyring, what)(SERVICE, USER, *said)
        except (keyring.errors.KeyringError, RuntimeError, OSError) as error:
            words = f"{self.where} cannot be used ({type(error).__name__}); unlock it, or leave accounts.keyring out"
            raise _unusable(f"{words}, and a key file is used") from error
        return found


def new_key() -> SealKey:
    return SealKey(secrets.token_bytes(KEY_BYTES))


@contextmanager
def locked(path: Path, where: str, *, wait: bool = False) -> Iterator[None]:
    """While this process alone holds the file, which stays when it is over. Raises CREDENTIAL_REJECTED."""
    import fcntl  # noqa: PLC0415  there is none on Windows

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, MODE), "w")
    except OSError as error:
        raise _unusable(f"{path} cannot be made: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _unusable(f"somebody else is changing {where}; try again when they are done") from error
        except OSError as error:
            raise _unusable(f"{path} cannot be locked: {error.strerror}") from error
        yield


def _check_many(keys: Sequence[SealKey], where: str) -> None:
    if len(keys) > MOST_KEYS:
        raise _unusable(f"{where} holds {MOST_KEYS} keys already; take out those that no account needs")


def _read_keys(text: str, where: str) -> Sequence[SealKey]:
    """The keys in a text, between commas and line breaks, but for lines that begin with #. No word is repeated."""
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    said = [one for one in map(str.strip, ",".join(lines).split(",")) if one]
    if not said:
        raise _unusable(f"{where} holds no key; {_WRITTEN}")
    if len(said) > MOST_KEYS:
        raise _unusable(f"{where} holds more than {MOST_KEYS} keys")
    try:
        return tuple(SealKey(_read_key(one)) for one in said)
    except ValueError as error:
        raise _unusable(f"{where} cannot be used: {error}") from None


def _read_key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text) if _HEX.fullmatch(text) else base64.b64decode(_padded(text), validate=True)
    except (ValueError, binascii.Error) as error:
        raise ValueError(_WRITTEN) from error
    if len(key) != KEY_BYTES or len(set(key)) < FEWEST:
        raise ValueError(_WRITTEN)
    return key


def _padded(text: str) -> str:
    """Base64 of either alphabet, with its padding."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    return plain + "=" * (-len(plain) % 4)


def _text(content: bytes, where: str) -> str:
    if len(content) > MOST_BYTES:
        raise _unusable(f"{where} is longer than {MOST_BYTES // 1024} KiB, so it is none")
    try:
        return content.decode("ascii")
    except UnicodeDecodeError as error:
        raise _unusable(f"{where} cannot be used: {_WRITTEN}") from error


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    """What is another when the file is."""
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _settle(folder: Path) -> None:
    """Have the folder itself on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unusable(words: str) -> GatewayError:
    return GatewayError(Kind.CREDENTIAL_REJECTED, words)
