"""A value that cannot be printed by accident."""

import hmac

HIDDEN = "********"
"""In place of a secret where nothing of it may be seen."""


class Secret:
    """Text that formats, logs and serialises as its last four characters. Only `reveal` gives it out."""

    __slots__ = ("_encoded", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._encoded: bytes | None = None

    def reveal(self) -> str:
        return self._value

    def encoded(self) -> bytes:
        """The same in UTF-8, for what is searched for it again and again."""
        if self._encoded is None:
            self._encoded = self._value.encode()
        return self._encoded

    def __repr__(self) -> str:
        return f"Secret(…{self._value[-4:]})" if len(self._value) >= 12 else "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not serialised")
