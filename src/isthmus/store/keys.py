"""The table of client keys: of each only digests, never the key."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping, delete, select

from isthmus.core.losses import OnLoss
from isthmus.engine.records import Allowance, ClientKey, Permits
from isthmus.store.tables import client_keys, versions
from isthmus.store.upsert import upsert
from isthmus.wire import json

_read_earlier = json.decoder(tuple[tuple[bytes, float], ...])
_read_tags = json.decoder(tuple[str, ...])
_read_metadata = json.decoder(dict[str, str])
_read_permits = json.decoder(Permits)
_read_allowance = json.decoder(Allowance)
CHANGES = "client_keys"


def read_keys(connection: Connection) -> Sequence[ClientKey]:
    """All, the oldest first."""
    rows = connection.execute(select(client_keys).order_by(client_keys.c.created_at, client_keys.c.id)).mappings()
    return tuple(map(_key, rows))


def read_version(connection: Connection) -> int:
    """How often any of them was changed."""
    number = connection.execute(select(versions.c.number).where(versions.c.name == CHANGES)).scalar()
    return number or 0


def put_key(connection: Connection, key: ClientKey) -> None:
    """Add it, or put it in place of the one with its id. Raises Duplicate where another has its name."""
    connection.execute(upsert(connection.dialect, client_keys), _row(key))
    _count_change(connection)


def drop_key(connection: Connection, identity: str) -> None:
    if connection.execute(delete(client_keys).where(client_keys.c.id == identity)).rowcount:
        _count_change(connection)


def _count_change(connection: Connection) -> None:
    connection.execute(upsert(connection.dialect, versions, add=("number",)), {"name": CHANGES, "number": 1})


def _row(key: ClientKey) -> Mapping[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "digest": key.digest,
        "hint": key.hint,
        "created_at": key.created_at,
        "earlier": json.encode(key.earlier).decode(),
        "owner": key.owner,
        "team": key.team,
        "tags": json.encode(key.tags).decode(),
        "metadata": json.encode(key.metadata).decode(),
        "expires_at": key.expires_at,
        "disabled": key.disabled,
        "permits": json.encode(key.permits).decode(),
        "allowance": json.encode(key.allowance).decode(),
        "on_loss": key.on_loss,
        "believed": key.believed,
        "cache": key.cache,
    }


def _key(row: RowMapping) -> ClientKey:
    return ClientKey(
        id=row["id"],
        name=row["name"],
        digest=row["digest"],
        hint=row["hint"],
        created_at=row["created_at"],
        earlier=_read_earlier(row["earlier"].encode()),
        owner=row["owner"],
        team=row["team"],
        tags=_read_tags(row["tags"].encode()),
        metadata=_read_metadata(row["metadata"].encode()),
        expires_at=row["expires_at"],
        disabled=row["disabled"],
        permits=_read_permits(row["permits"].encode()),
        allowance=_read_allowance(row["allowance"].encode()),
        on_loss=None if row["on_loss"] is None else OnLoss(row["on_loss"]),
        believed=row["believed"],
        cache=row["cache"],
    )
