"""The section `log`: what the gateway writes about its work, where, and how much of it is kept."""

from enum import StrEnum
from typing import Annotated

from isthmus.config.about import GIB, KIB, MIB, MILLION, About, Unit
from isthmus.core.value import Value


class LogFormat(StrEnum):
    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class RingEntry(Value, frozen=True, rename="kebab"):
    lines: Annotated[int, About("Lines at most.", least=1, most=MILLION)] = 10_000
    size: Annotated[int, About("What they may hold together.", Unit.BYTES, 64 * KIB, GIB)] = 8 * MIB


class BodiesEntry(Value, frozen=True, rename="kebab"):
    requests: Annotated[bool, About("Whether what clients send is kept, but for secrets and files.")] = False
    answers: Annotated[
        bool, About("Whether what they are answered is kept, but for secrets and files; of a stream, what it came to.")
    ] = False
    clients: Annotated[
        tuple[str, ...], About("The names of the clients whose bodies are kept; they may hold `*`. Without any: all.")
    ] = ()
    routes: Annotated[
        tuple[str, ...],
        About("The names that are asked for, of routes or models, whose bodies are kept. Without any: all."),
    ] = ()
    without: Annotated[tuple[str, ...], About("The names of clients whose bodies are never kept.")] = ()
    most_bytes: Annotated[int, About("What is kept of each body; the rest is cut off.", Unit.BYTES, KIB, 16 * MIB)] = (
        64 * KIB
    )
    keep_days: Annotated[int, About("Days for which they are kept; 0 for ever.", least=0, most=36_500)] = 7


class LogEntry(Value, frozen=True, rename="kebab"):
    format: Annotated[
        LogFormat | None, About("How a line is written. Without it: text on a terminal, json elsewhere.")
    ] = None
    level: Annotated[
        LogLevel,
        About(
            "The least important lines to write. A request that was answered is `info`, one that failed by its client's"
            " doing `warning`, any other that failed `error`."
        ),
    ] = LogLevel.INFO
    file: Annotated[
        str | None,
        About("A file to append to, relative to the configuration file. Without it: standard error."),
    ] = None
    max_size: Annotated[
        int,
        About(
            "The length at which the file is put aside, as FILE.1, and another one begun; 0 for never.",
            Unit.BYTES,
            0,
            1024 * GIB,
        ),
    ] = 100 * MIB
    backups: Annotated[int, About("Files put aside that are kept; the oldest goes.", least=0, most=1000)] = 5
    ring: Annotated[RingEntry, About("The latest lines, which are kept in memory for those who ask.")] = RingEntry()
    bodies: Annotated[
        BodiesEntry,
        About(
            "What was said in exchanges, in a table of the store of its own, for owners. Off unless one of the first"
            " two is on. A change of it, but for `keep-days`, is in force at once."
        ),
    ] = BodiesEntry()
    dumps: Annotated[
        bool,
        About(
            "Whether the latest requests that failed have a file each in the folder `dumps` of the folder for data: its"
            " facts, tries, headers without secrets, and what the provider refused with."
        ),
    ] = False
    redact: Annotated[
        tuple[str, ...],
        About(
            "Regular expressions, as Python has them: what matches one is taken out of bodies and dumps, beside secrets"
            " that are known by their shape or by the name of their field."
        ),
    ] = ()
