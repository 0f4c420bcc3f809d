"""llm-mux's list of client keys: those of the file. Each goes out as eight stars, which may be sent back for it."""

import hashlib
from collections.abc import Mapping, Sequence

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import HIDDEN
from isthmus.server.admin.call import AdminCall
from isthmus.server.admin.configuration import configurer_of
from isthmus.server.admin.desk import Desk
from isthmus.server.compat.sections import Changes, decoded

SECTION = "client-keys"
NO_PLACE = "no_such_place"
"""What the configuration says of a path that leads nowhere."""
_SHAPE = 'send a list of keys, {"items": [...]}, or {"value": "KEY"} to add one'
_WHICH = "say which key: ?index=N, or ?value=KEY"


async def show(call: AdminCall, desk: Desk) -> object:  # noqa: ARG001  a handler
    return {"api-keys": [HIDDEN for _ in _digests(desk)]}


async def put(call: AdminCall, desk: Desk) -> object:
    """A list takes the place of all keys; a value is one more."""
    told = decoded(call.body, _SHAPE)
    if isinstance(told, dict) and isinstance(told.get("value"), str):
        return await _change(call, desk, {(SECTION, len(_digests(desk))): told["value"]})
    listed = told.get("items", told.get("api-keys")) if isinstance(told, dict) else told
    if not isinstance(listed, list) or not all(isinstance(one, str) and one for one in listed):
        raise GatewayError(Kind.INVALID, _SHAPE)
    return await _change(call, desk, replaced(listed, len(_digests(desk))))


async def patch(call: AdminCall, desk: Desk) -> object:
    """`{index, value}`, or `{old, new}`, which adds the new one where there is no old one."""
    told, digests = decoded(call.body, _SHAPE), _digests(desk)
    match told:
        case {"index": int(index), "value": str(value)} if 0 <= index < len(digests):
            return await _set(call, desk, index, value)
        case {"old": str(old), "new": str(new)}:
            place = _place(digests, old)
            if place is not None:
                return await _set(call, desk, place, new)
            return await _change(call, desk, {(SECTION, len(digests)): new})
        case _:
            raise GatewayError(Kind.INVALID, "send {index, value} of a key that is there, or {old, new}")


async def drop(call: AdminCall, desk: Desk) -> object:
    digests = _digests(desk)
    if value := call.asked("value"):
        index = _place(digests, value)
    elif (said := call.asked("index")).isascii() and said.isdigit() and len(said) < 10:
        index = int(said)
    else:
        raise GatewayError(Kind.INVALID, _WHICH)
    if index is None or index >= len(digests):
        raise GatewayError(Kind.UNKNOWN_PATH, "there is no such key")
    return await _change(call, desk, {(SECTION, index): None})


def replaced(listed: Sequence[str], count: int) -> Changes:
    """The changes by which the list becomes this one. Stars at a place keep the key that is there, name and all."""
    kept = {place for place, value in enumerate(listed) if value == HIDDEN and place < count}
    changes: dict[tuple[str | int, ...], object] = {
        (SECTION, place): None for place in reversed(range(count)) if place not in kept
    }
    added = (value for value in listed if value != HIDDEN)
    return {**changes, **{(SECTION, len(kept) + number): value for number, value in enumerate(added)}}


def _digests(desk: Desk) -> tuple[bytes, ...]:
    """Of the file's keys, in its order."""
    return tuple(key.digest for key in desk.live.take().snapshot.client_keys)


def _place(digests: Sequence[bytes], key: str) -> int | None:
    digest = hashlib.sha256(key.encode()).digest()
    return next((place for place, one in enumerate(digests) if one == digest), None)


async def _set(call: AdminCall, desk: Desk, place: int, key: str) -> Mapping[str, str]:
    """Another key in this place. What is written as the key alone is written so again, else its name stays."""
    try:
        return await _change(call, desk, {(SECTION, place, "key"): key})
    except GatewayError as error:
        if error.code != NO_PLACE:
            raise
        return await _change(call, desk, {(SECTION, place): key})


async def _change(call: AdminCall, desk: Desk, changes: Changes) -> Mapping[str, str]:
    if changes:
        await configurer_of(desk).edit(changes, call.actor.name, "client keys")
    return {"status": "ok"}
