"""What could not be said, and who is told: one ledger per exchange.

A codec writes to it whenever it drops, rewrites or emulates something; the engine
logs it, counts it and returns it to the caller.
"""

from enum import StrEnum

from msgspec import Struct

from isthmus.core.value import Extra, Value

LIMIT = 100
"""Losses kept by name in one exchange; further ones are only counted, in `Losses.more`."""
EMPTY = frozenset({b"null", b'""', b"[]", b"{}"})
"""JSON values whose loss is none."""


class OnLoss(StrEnum):
    """What becomes of a request that a provider's dialect cannot say all of."""

    ALLOW = "allow"
    REFUSE = "refuse"


class Deed(StrEnum):
    DROPPED = "dropped"
    REWRITTEN = "rewritten"
    EMULATED = "emulated"


_DROPPED = Deed.DROPPED


class Loss(Value, frozen=True):
    """`path` names the item in the core's words ("sampling.top_k", "messages[2].parts[0]")."""

    path: str
    deed: Deed
    reason: str


class Losses(Struct, eq=False):
    """The ledger. Equal entries are kept once, so that a stream of thousands of deltas stays bounded."""

    found: list[Loss] = []
    more: int = 0

    def drop(self, path: str, reason: str) -> None:
        self._note(Loss(path, _DROPPED, reason))

    def rewrite(self, path: str, reason: str) -> None:
        self._note(Loss(path, Deed.REWRITTEN, reason))

    def emulate(self, path: str, reason: str) -> None:
        self._note(Loss(path, Deed.EMULATED, reason))

    def drop_extra(self, extra: Extra | None, path: str) -> None:
        """Report every field of `extra`, which another dialect alone understands. An empty value says nothing."""
        if extra is not None:
            for name, value in extra.fields.items():
                if bytes(value) not in EMPTY:
                    self.drop(f"{path}.{name}" if path else name, f"only {extra.dialect} knows this field")

    def _note(self, loss: Loss) -> None:
        if loss in self.found:
            return
        if len(self.found) >= LIMIT:
            self.more += 1
            return
        self.found.append(loss)
