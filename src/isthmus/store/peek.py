"""A look into the database of this machine, before it is opened: fast, and for two questions alone."""

import sqlite3
from contextlib import closing
from urllib.parse import quote

from isthmus.store.address import Address

PATIENCE = 0.2
"""Seconds that a database is waited for which somebody writes to."""


def may_hold_keys(address: Address) -> bool:
    """May there be a client key? False only where it was seen that there is none: no file, or none in its table."""
    return _may_hold(address, "SELECT EXISTS (SELECT 1 FROM client_keys)")


def may_hold_accounts(address: Address) -> bool:
    """May there be an account? As `may_hold_keys`."""
    return _may_hold(address, "SELECT EXISTS (SELECT 1 FROM accounts)")


def _may_hold(address: Address, question: str) -> bool:
    if address.file is None:
        return True
    if not address.file.exists():
        return False
    try:
        where = f"file:{quote(str(address.file))}?mode=ro"
        with closing(sqlite3.connect(where, uri=True, timeout=PATIENCE)) as database:
            return bool(database.execute(question).fetchone()[0])
    except sqlite3.Error:
        return True
