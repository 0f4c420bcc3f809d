"""What a change of the configuration comes to, before it is made and after."""

from isthmus.core.value import Value


class Change(Value, frozen=True, kw_only=True):
    """`diff` is unified, its secrets hidden; `changed` are the sections that differ, `restart` those that take one.

    `problems` is empty for a good text; each is "FILE:LINE:COLUMN: KEY: what".
    """

    problems: tuple[str, ...] = ()
    diff: str = ""
    changed: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
