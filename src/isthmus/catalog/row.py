"""One fact sheet: which names it is about, and what is known."""

from isthmus.core.profile import ModelProfile
from isthmus.core.value import Value


class Row(Value, frozen=True):
    """`pattern` is a regular expression, searched in the plain form of a name (see lookup.plain)."""

    pattern: str
    profile: ModelProfile
