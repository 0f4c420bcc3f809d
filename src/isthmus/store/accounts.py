"""The tables of accounts. Their tokens are here as they are sealed, in a table of their own, and never in clear.

Who refreshes tokens holds their lease; what it was given is kept only in place of the version that it came from.
"""

from collections.abc import Mapping, Sequence
from sys import intern

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    RowMapping,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from isthmus.engine.accounts import Account, AccountState, Sealed, UsedWindow
from isthmus.store.tables import account_tokens, accounts, versions
from isthmus.store.upsert import upsert
from isthmus.wire import json

CHANGES = "accounts"
MOST = 1000
"""Accounts in one answer about how they are sealed."""
_NOTHING = "[]"
_read_models = json.decoder(tuple[str, ...])
_read_windows = json.decoder(tuple[UsedWindow, ...])

_used, _windows_at = bindparam("used", type_=Double), bindparam("at", type_=Double)
_NOTE = (
    update(accounts)
    .where(accounts.c.id == bindparam("account"))
    .values(
        used_at=case((func.coalesce(accounts.c.used_at, 0.0) < _used, _used), else_=accounts.c.used_at),
        windows=case(
            (func.coalesce(accounts.c.windows_at, 0.0) < _windows_at, bindparam("told", type_=Text)),
            else_=accounts.c.windows,
        ),
        windows_at=case(
            (func.coalesce(accounts.c.windows_at, 0.0) < _windows_at, _windows_at), else_=accounts.c.windows_at
        ),
    )
)
"""What is newer than what is known: several instances note what they have seen."""


def read_accounts(connection: Connection) -> Sequence[Account]:
    """All, the oldest first."""
    rows = connection.execute(select(accounts).order_by(accounts.c.added_at, accounts.c.id)).mappings()
    return tuple(map(_account, rows))


def read_version(connection: Connection) -> int:
    """How often any of them was changed."""
    number = connection.execute(select(versions.c.number).where(versions.c.name == CHANGES)).scalar()
    return number or 0


def read_sealed(connection: Connection, identity: str) -> Sealed | None:
    table = account_tokens.c
    row = connection.execute(select(table.sealed, table.key, table.version).where(table.id == identity)).first()
    return None if row is None else Sealed(*row)


def sealed_otherwise(connection: Connection, key: str, after: str, limit: int) -> Sequence[str]:
    """Accounts whose tokens are sealed with another key than this one, in the order of their ids."""
    table = account_tokens.c
    asked = select(table.id).where(table.key != key, table.id > after).order_by(table.id)
    return tuple(connection.execute(asked.limit(max(0, min(limit, MOST)))).scalars())


def add_account(connection: Connection, account: Account, sealed: Sealed) -> None:
    """Raises Duplicate where another of its issuer has its name."""
    connection.execute(insert(accounts), _row(account))
    kept = {"id": account.id, "leased_by": "", "leased_until": 0.0, **_sealed(sealed)}
    connection.execute(insert(account_tokens), kept)
    _count_change(connection)


def change_account(connection: Connection, account: Account) -> None:
    """Raises as `add_account`. Nothing happens where it is gone."""
    if connection.execute(update(accounts).where(accounts.c.id == account.id), _row(account)).rowcount:
        _count_change(connection)


def note_accounts(connection: Connection, noted: Sequence[Account]) -> None:
    """When they were used, and their windows. Always in the same order, so that nobody waits for each other in turn."""
    if noted:
        connection.execute(_NOTE, [_note(account) for account in sorted(noted, key=lambda one: one.id)])


def drop_account(connection: Connection, identity: str) -> None:
    connection.execute(delete(account_tokens).where(account_tokens.c.id == identity))
    if connection.execute(delete(accounts).where(accounts.c.id == identity)).rowcount:
        _count_change(connection)


def lease(connection: Connection, identity: str, owner: str, *, until: float, now: float) -> bool:
    """Is it the owner's until then?"""
    table = account_tokens.c
    free = or_(table.leased_by.in_(("", owner)), table.leased_until <= now)
    leased = update(account_tokens).where(table.id == identity, free).values(leased_by=owner, leased_until=until)
    return bool(connection.execute(leased).rowcount)


def release(connection: Connection, identity: str, owner: str) -> None:
    table = account_tokens.c
    theirs = update(account_tokens).where(table.id == identity, table.leased_by == owner)
    connection.execute(theirs.values(leased_by="", leased_until=0.0))


def replace_tokens(connection: Connection, account: Account, sealed: Sealed) -> bool:
    """False where the tokens are not of the version before `sealed.version` any more."""
    if not _replace(connection, account.id, sealed):
        return False
    told = {
        "email": account.email,
        "subject": account.subject,
        "plan": account.plan,
        "expires_at": account.expires_at,
        "refreshed_at": account.refreshed_at,
        "source": account.source,
    }
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(told))
    enabled = update(accounts).where(accounts.c.id == account.id, accounts.c.state != AccountState.DISABLED.value)
    connection.execute(enabled.values(state=account.state.value, why=account.why))
    _count_change(connection)
    return True


def reseal(connection: Connection, sealed: Mapping[str, Sealed], now: float) -> int:
    """How many were put in place of the version before, where nobody holds a lease. In order, as `note_accounts`."""
    free = or_(account_tokens.c.leased_by == "", account_tokens.c.leased_until <= now)
    done = sum(_replace(connection, identity, sealed[identity], free) for identity in sorted(sealed))
    if done:
        _count_change(connection)
    return done


def _replace(connection: Connection, identity: str, sealed: Sealed, *where: ColumnElement[bool]) -> bool:
    table = account_tokens.c
    known = update(account_tokens).where(table.id == identity, table.version == sealed.version - 1, *where)
    return bool(connection.execute(known.values(_sealed(sealed))).rowcount)


def _count_change(connection: Connection) -> None:
    connection.execute(upsert(connection.dialect, versions, add=("number",)), {"name": CHANGES, "number": 1})


def _sealed(sealed: Sealed) -> Mapping[str, object]:
    return {"sealed": sealed.data, "key": sealed.key, "version": sealed.version}


def _row(account: Account) -> Mapping[str, object]:
    return {
        "id": account.id,
        "issuer": account.issuer,
        "name": account.name,
        "email": account.email,
        "subject": account.subject,
        "plan": account.plan,
        "added_at": account.added_at,
        "expires_at": account.expires_at,
        "refreshed_at": account.refreshed_at,
        "used_at": account.used_at,
        "state": account.state.value,
        "why": account.why,
        "active": account.active,
        "concurrency": account.concurrency,
        "models": _listed(account.models),
        "windows": _listed(account.windows),
        "windows_at": account.windows_at,
        "source": account.source,
    }


def _note(account: Account) -> Mapping[str, object]:
    told = _listed(account.windows)
    return {"account": account.id, "used": account.used_at, "at": account.windows_at, "told": told}


def _listed(items: Sequence[object]) -> str:
    return json.encode(items).decode() if items else _NOTHING


def _account(row: RowMapping) -> Account:
    """Words that many accounts share are there once: there may be thousands of them."""
    models, windows = row["models"], row["windows"]
    return Account(
        id=row["id"],
        issuer=intern(row["issuer"]),
        name=row["name"],
        email=row["name"] if row["email"] == row["name"] else row["email"],
        subject=row["subject"],
        plan=intern(row["plan"]),
        added_at=row["added_at"],
        expires_at=row["expires_at"],
        refreshed_at=row["refreshed_at"],
        used_at=row["used_at"],
        state=AccountState(row["state"]),
        why=intern(row["why"]),
        active=row["active"],
        concurrency=row["concurrency"],
        models=() if models == _NOTHING else _read_models(models.encode()),
        windows=() if windows == _NOTHING else _read_windows(windows.encode()),
        windows_at=row["windows_at"],
        source=intern(row["source"]),
    )
