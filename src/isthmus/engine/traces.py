"""What an exchange keeps of the trace that it belongs to."""

from isthmus.core.value import Value


class Trace(Value, frozen=True):
    """`span` is the exchange's own, `parent` that of whoever asked, 0 for nobody's. `flags`, `state`: as told on."""

    id: int
    span: int
    parent: int
    flags: int
    state: bytes = b""

    @property
    def sampled(self) -> bool:
        """Are its spans wanted?"""
        return bool(self.flags & 1)
