"""Where the database is: a file of SQLite, or a server of PostgreSQL by URL. Opens nothing."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from isthmus.core.secret import Secret
from isthmus.core.value import Value

FILE = "isthmus.db"
SQLITE, POSTGRESQL = "sqlite", "postgresql"
_SCHEMES: Mapping[str, str] = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "postgres": POSTGRESQL}


class Address(Value, frozen=True):
    """`kind` is "sqlite" or "postgresql"; a server has a `url`, with its options as its own programs have them."""

    kind: str
    url: Secret | None = None
    file: Path | None = None


def address_of(url: Secret | None, folder: Path, beside: Path = Path()) -> Address:
    """The database at this URL; without one, the file in `folder`. A relative path is below `beside`.

    Raises ValueError for another kind of URL.
    """
    if url is None:
        return _file(folder / FILE)
    parts = urlsplit(url.reveal())
    kind = _SCHEMES.get(parts.scheme)
    if kind is None:
        raise ValueError("must be postgresql://USER:PASSWORD@HOST[:PORT]/DATABASE, or sqlite:///PATH")
    if kind == SQLITE:
        return _file(beside / parts.path[1:])
    return Address(kind, url)


def _file(path: Path) -> Address:
    return Address(SQLITE, file=path)
