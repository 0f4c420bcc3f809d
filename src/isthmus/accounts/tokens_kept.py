"""Tokens as they were opened last, in memory: those of few accounts, for those that are used.

What is forgotten here is read from the store and opened again.
"""

from collections import OrderedDict
from typing import NamedTuple

from isthmus.engine.accounts import Tokens

MOST = 256
"""Accounts whose tokens are kept; beyond that, those that were used longest ago are forgotten."""


class Kept(NamedTuple):
    """`version` is that of the record in the store which they were opened from."""

    tokens: Tokens
    version: int


class KeptTokens:
    """By the account's id."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, identity: str) -> Kept | None:
        found = self._kept.get(identity)
        if found is not None:
            self._kept.move_to_end(identity)
        return found

    def put(self, identity: str, kept: Kept) -> None:
        """Keep them, unless newer ones are kept."""
        before = self._kept.get(identity)
        if before is None or before.version <= kept.version:
            self._kept[identity] = kept
        self._kept.move_to_end(identity)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def drop(self, identity: str) -> None:
        self._kept.pop(identity, None)
