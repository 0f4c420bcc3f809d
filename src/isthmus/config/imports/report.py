"""What is told of a file of another system: what of it differs here, what has no equal, and what is wrong with it.

A remark names keys and never quotes a value: values may be secrets.
"""

from collections.abc import Mapping
from enum import StrEnum

from isthmus.config.problems import Path, write_path
from isthmus.core.value import Value


class Fit(StrEnum):
    """What became of one key. What is taken over as it is has no remark."""

    DIFFERS = "differs"
    NO_EQUAL = "no equal"
    UNKNOWN = "unknown"
    WRONG = "wrong"


class Remark(Value, frozen=True):
    """Something to know of the key at `path` in the other system's file."""

    path: Path
    what: Fit
    note: str

    @property
    def line(self) -> str:
        """As people read it: `routing.aliases: differs: ...`."""
        return f"{write_path(self.path) or 'the file'}: {self.what}: {self.note}"


class Imported(Value, frozen=True):
    """A document of ours and what is to be said of it.

    `origins` tells by the path of a key of ours, as people write it, which key of theirs it is from.
    """

    document: Mapping[str, object]
    remarks: tuple[Remark, ...]
    origins: Mapping[str, Path]
