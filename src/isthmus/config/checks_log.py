"""What must hold of the section `log`."""

import re

from isthmus.config.reading import Reading
from isthmus.config.schema_log import LogEntry

LONGEST = 1000
"""Characters of one regular expression."""


def check_log(entry: LogEntry, reading: Reading) -> None:
    for index, pattern in enumerate(entry.redact):
        path = reading.item(("log", "redact"), index)
        if len(pattern) > LONGEST:
            reading.note(path, f"is longer than {LONGEST} characters")
        try:
            matches_nothing = re.compile(pattern).match("") is not None
        except re.error as error:
            reading.note(path, f"is no regular expression: {error}")
        else:
            if matches_nothing:
                reading.note(path, "matches where there is nothing, and so everywhere")
