"""What other tools on this machine left of accounts: read, bounded, and never changed.

Two shapes are known: the Codex CLI's `auth.json`, and codex-claude-proxy's `accounts.json` with a folder for each
account beside it. Their refresh tokens are shared with those tools from then on, which the source of an account says.
"""

import asyncio
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from isthmus.accounts.claims import expiry_of
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.engine.accounts import Tokens
from isthmus.providers.issuer import Issuer
from isthmus.wire import json

MOST = 1024 * 1024
"""Bytes of a file."""
ACCOUNTS = 1000
"""Accounts in one file."""

Variable: TypeAlias = Callable[[str], str | None]
"""What a variable of the environment holds."""

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z0-9_]+):-(?P<folder>[^}]+)\}(?P<rest>/.*)")
_FOLDER_NAME = re.compile(r"[^a-zA-Z0-9._-]")
_TOKEN = re.compile(r"[!-~]{1,65536}")


class Found(Value, frozen=True):
    """Tokens that a tool left. `source` says, for people, where."""

    tokens: Tokens
    source: str


async def left_by(issuer: Issuer, home: Path, variable: Variable) -> Sequence[Found]:
    """All accounts in the issuer's files below `home`.

    Raises INVALID, with what was looked at, where there is none, and for a file that cannot be read as what it is.
    """
    return await asyncio.to_thread(_left_by, issuer, home, variable)


def _left_by(issuer: Issuer, home: Path, variable: Variable) -> Sequence[Found]:
    places = [place_of(file, home, variable) for file in issuer.files]
    if not places:
        raise _invalid(f"no tool is known that leaves accounts of {issuer.title} on this machine")
    found = [one for place in places for one in _read(place, home)]
    if not found:
        looked = " and ".join(_shown(place, home) for place in places)
        raise _invalid(f"there are no accounts of {issuer.title} in {looked}")
    return found


def place_of(file: str, home: Path, variable: Variable) -> Path:
    """Where a file of an issuer is: below `home`, or below the folder that a variable names, if it is set."""
    named = _VARIABLE.fullmatch(file)
    if named is None:
        return home / file
    folder = variable(named["name"]) or named["folder"]
    return home / folder / named["rest"].lstrip("/")


def _read(place: Path, home: Path) -> Iterator[Found]:
    document = _document(place, home)
    if document is None:
        return
    source = f"{_shown(place, home)}, whose tool has the same refresh token"
    if "accounts" in document:
        yield from _of_list(document, place, home, source)
    elif (tokens := _of_auth(document, place, home)) is not None:
        yield Found(tokens, source)


def _of_auth(document: Mapping[str, Any], place: Path, home: Path) -> Tokens | None:
    """The Codex CLI's; None where it holds an API key and no account."""
    told = document.get("tokens")
    if told is None:
        return None
    if not isinstance(told, dict):
        raise _invalid(f"in {_shown(place, home)}, tokens is no object")
    return _tokens(told, ("access_token", "refresh_token", "id_token"), _shown(place, home))


def _of_list(document: Mapping[str, Any], place: Path, home: Path, source: str) -> Iterator[Found]:
    """codex-claude-proxy's: an account has its tokens with it, or in a folder of its name."""
    entries = document["accounts"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _invalid(f"in {_shown(place, home)}, accounts is no list of objects")
    if len(entries) > ACCOUNTS:
        raise _invalid(f"{_shown(place, home)} holds more than {ACCOUNTS} accounts")
    for entry in entries:
        if entry.get("refreshToken") or entry.get("accessToken"):
            keys = ("accessToken", "refreshToken", "idToken")
            yield Found(_tokens(entry, keys, _shown(place, home)), source)
        elif (beside := _beside(entry, place)) is not None and (known := _document(beside, home)) is not None:
            tokens = _of_auth(known, beside, home)
            if tokens is not None:
                yield Found(tokens, source)


def _beside(entry: Mapping[str, Any], place: Path) -> Path | None:
    """The file of one account, whose folder is called as codex-claude-proxy calls it: nothing leads out of there."""
    email = entry.get("email")
    name = _FOLDER_NAME.sub("_", email) if isinstance(email, str) else ""
    return None if name.strip(".") == "" or len(name) > 255 else place.parent / "accounts" / name / "auth.json"


def _tokens(told: Mapping[str, Any], keys: tuple[str, str, str], where: str) -> Tokens:
    access, refresh, id_token = (_secret(told, key, where) for key in keys)
    if access is None and refresh is None:
        raise _invalid(f"{where} holds an account without any token")
    return Tokens(access=access, refresh=refresh, id_token=id_token, expires_at=expiry_of(access))


def _secret(told: Mapping[str, Any], key: str, where: str) -> Secret | None:
    found = told.get(key)
    if found is None or found == "":
        return None
    if not isinstance(found, str) or not _TOKEN.fullmatch(found):
        raise _invalid(f"in {where}, {key} is no token")
    return Secret(found)


def _document(place: Path, home: Path) -> Mapping[str, Any] | None:
    """The object in a file, None where there is none."""
    try:
        # so that nothing that is no file is waited for
        handle = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _invalid(f"{_shown(place, home)} cannot be read: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _invalid(f"{_shown(place, home)} is no file")
        with os.fdopen(handle, "rb", closefd=False) as file:
            text = file.read(MOST + 1)
    finally:
        os.close(handle)
    if len(text) > MOST:
        raise _invalid(f"{_shown(place, home)} is longer than {MOST} bytes")
    try:
        document = json.decode(text)
    except json.Malformed:
        raise _invalid(f"{_shown(place, home)} is not JSON") from None  # its words may quote the file
    if not isinstance(document, dict):
        raise _invalid(f"{_shown(place, home)} is no JSON object")
    return document


def _shown(place: Path, home: Path) -> str:
    return f"~/{place.relative_to(home)}" if place.is_relative_to(home) else str(place)


def _invalid(message: str) -> GatewayError:
    return GatewayError(Kind.INVALID, message)
