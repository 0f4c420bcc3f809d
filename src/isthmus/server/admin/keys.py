"""The client keys that the gateway gives out: listed, made, changed, rotated, deleted. Those of the file are listed.

A key is told once, to whom it is made for; what is kept of it is a digest. The functions that other systems' management
APIs share stand beside the handlers, and take and give values.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.keyring import digest_of, hint_of, new_id, new_text
from isthmus.engine.records import ClientKey
from isthmus.server.admin.call import AdminCall, Role, Row
from isthmus.server.admin.desk import Desk, KeyChain
from isthmus.server.admin.key_shapes import (
    Deleted,
    Given,
    Key,
    KeyChange,
    Keys,
    NewKey,
    Rotation,
    changed,
    made,
    told,
)
from isthmus.server.admin.paging import QUERY, piece
from isthmus.server.admin.readers import reader
from isthmus.server.pages import Page
from isthmus.wire import json

MOST_EARLIER = 8
"""Keys that one was rotated away from, and that are taken still."""
_FILED = "this key stands in the configuration file, and is changed there"

_read_new, _read_change, _read_rotation = reader(NewKey), reader(KeyChange), reader(Rotation)


async def all_keys(desk: Desk) -> Sequence[ClientKey]:
    """Those of the file and those that were given out, by name. Raises STORE_GONE."""
    filed = desk.live.take().snapshot.client_keys
    if desk.keys is not None:
        await desk.keys.refresh()
    given = () if desk.keys is None else desk.keys.all()
    return sorted((*filed, *given), key=lambda key: key.name)


async def create_key(desk: Desk, asked: NewKey, now: float) -> tuple[ClientKey, str]:
    """A new key, and its text, which nobody can tell again. Raises INVALID, STORE_GONE or UNSUPPORTED."""
    keys, text = keys_of(desk), new_text()
    if any(filed.name == asked.name for filed in desk.live.take().snapshot.client_keys):
        words = f"the configuration file has a client key with the name {asked.name!r}"
        raise GatewayError(Kind.INVALID, words, param="name")
    base = ClientKey(id=new_id(), name=asked.name, digest=digest_of(text), hint=hint_of(text), created_at=now)
    key = made(asked, base, now)
    await keys.add(key)
    return key, text


async def find_key(desk: Desk, named: str) -> ClientKey:
    """The key with this id, or this name. Raises UNKNOWN_PATH where there is none."""
    found = await all_keys(desk)
    for key in found:
        if key.id == named:
            return key
    for key in found:
        if key.name == named:
            return key
    raise GatewayError(Kind.UNKNOWN_PATH, "there is no client key of this id or name; GET /admin/keys lists them")


async def change_key(desk: Desk, named: str, asked: KeyChange, now: float) -> ClientKey:
    """Raises as `create_key` and `find_key`, and FORBIDDEN for a key of the file; as do those below."""
    keys, key = keys_of(desk), await given_key(desk, named)
    after = changed(key, asked, now)
    await keys.change(after)
    return after


async def rotate_key(desk: Desk, named: str, overlap: float, now: float) -> tuple[ClientKey, str]:
    """Another text for the key; the one so far is taken for `overlap` seconds more."""
    keys, key, text = keys_of(desk), await given_key(desk, named), new_text()
    earlier = tuple((digest, until) for digest, until in key.earlier if until > now)
    if overlap > 0:
        earlier = (*earlier, (key.digest, now + overlap))[-MOST_EARLIER:]
    after = replace(key, digest=digest_of(text), hint=hint_of(text), earlier=earlier)
    await keys.change(after)
    return after, text


async def delete_key(desk: Desk, named: str) -> ClientKey:
    """The key that was taken away."""
    keys, key = keys_of(desk), await given_key(desk, named)
    await keys.remove(key.id)
    return key


def keys_of(desk: Desk) -> KeyChain:
    """Raises UNSUPPORTED where no keys are given out."""
    if desk.keys is None:
        words = "client keys are not given out here: the store is switched off (store)"
        raise GatewayError(Kind.UNSUPPORTED, words, status=501)
    return desk.keys


async def given_key(desk: Desk, named: str) -> ClientKey:
    """As `find_key`. Raises FORBIDDEN for one of the file."""
    key = await find_key(desk, named)
    if is_filed(desk, key):
        raise GatewayError(Kind.FORBIDDEN, _FILED)
    return key


def is_filed(desk: Desk, key: ClientKey) -> bool:
    """Does it stand in the configuration?"""
    return any(filed.id == key.id for filed in desk.live.take().snapshot.client_keys)


async def list_keys(call: AdminCall, desk: Desk) -> Page:
    wanted = [(field, said) for field in ("team", "owner") if (said := call.asked(field))]
    tag = call.asked("tag")
    found = [
        key
        for key in await all_keys(desk)
        if all(getattr(key, field) == said for field, said in wanted) and (not tag or tag in key.tags)
    ]
    filed = {key.id for key in desk.live.take().snapshot.client_keys}
    some, more = piece(call, found, lambda key: key.name)
    return Page(200, json.encode(Keys(tuple(told(key, filed=key.id in filed, now=call.time) for key in some), more)))


async def create(call: AdminCall, desk: Desk) -> Page:
    key, text = await create_key(desk, _read_new(call.body), call.time)
    return Page(201, json.encode(Given(text, told(key, filed=False, now=call.time))))


async def show(call: AdminCall, desk: Desk) -> Page:
    key = await find_key(desk, call.params["id"])
    return Page(200, json.encode(told(key, filed=is_filed(desk, key), now=call.time)))


async def change(call: AdminCall, desk: Desk) -> Page:
    key = await change_key(desk, call.params["id"], _read_change(call.body), call.time)
    return Page(200, json.encode(told(key, filed=False, now=call.time)))


async def rotate(call: AdminCall, desk: Desk) -> Page:
    asked = _read_rotation(call.body) if call.body else Rotation()
    key, text = await rotate_key(desk, call.params["id"], asked.overlap_seconds, call.time)
    return Page(200, json.encode(Given(text, told(key, filed=False, now=call.time))))


async def delete(call: AdminCall, desk: Desk) -> Page:
    key = await delete_key(desk, call.params["id"])
    return Page(200, json.encode(Deleted(key.id)))


ROWS = (
    Row(
        method="GET",
        path="/admin/keys",
        role=Role.VIEWER,
        handler=list_keys,
        about="The client keys, by name, without the keys themselves.",
        gives=Keys,
        query={
            "team": "Only those of this team.",
            "owner": "Only those of this owner.",
            "tag": "Only those with this tag.",
            **QUERY,
        },
    ),
    Row(
        method="POST",
        path="/admin/keys",
        role=Role.OWNER,
        handler=create,
        about="Make a client key. It is told in this answer, and never again.",
        takes=NewKey,
        gives=Given,
        status=201,
        audited=True,
    ),
    Row(
        method="GET",
        path="/admin/keys/{id}",
        role=Role.VIEWER,
        handler=show,
        about="One client key, by its id or its name.",
        gives=Key,
    ),
    Row(
        method="PATCH",
        path="/admin/keys/{id}",
        role=Role.OWNER,
        handler=change,
        about="Change what is said of a client key.",
        takes=KeyChange,
        gives=Key,
        audited=True,
    ),
    Row(
        method="POST",
        path="/admin/keys/{id}/rotate",
        role=Role.OWNER,
        handler=rotate,
        about="Give a client another key; the one so far may be taken for a while longer.",
        takes=Rotation,
        may_be_empty=True,
        gives=Given,
        audited=True,
    ),
    Row(
        method="DELETE",
        path="/admin/keys/{id}",
        role=Role.OWNER,
        handler=delete,
        about="Take a client key away.",
        gives=Deleted,
        audited=True,
    ),
)
