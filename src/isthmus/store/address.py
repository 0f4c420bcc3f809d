"""Where the database is: a file of SQLite, or a server of PostgreSQL by URL. Opens nothing."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from isthmus.core.secret import Secret
from isthmus.core.value import Value

FILE = "isthmus.db"
SQLITE, POSTGRESQL = "sqlite", "postgresql"
_DRIVERS: Mapping[str, str] = {SQLITE: "sqlite+aiosqlite", POSTGRESQL: "postgresql+asyncpg"}
_SCHEMES: Mapping[str, str] = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "postgres": POSTGRESQL}
_OTHER_NAMES: Mapping[str, str] = {"sslmode": "ssl"}
"""Options that the driver has another name for than the servers' own programs."""


class Address(Value, frozen=True):
    """`kind` is "sqlite" or "postgresql", `url` as SQLAlchemy reads it; `file` is the database of SQLite."""

    kind: str
    url: Secret
    file: Path | None = None


def address_of(url: Secret | None, folder: Path) -> Address:
    """The database at this URL; without one, the file in `folder`. Raises ValueError for another kind of URL."""
    if url is None:
        return _file(folder / FILE)
    parts = urlsplit(url.reveal())
    kind = _SCHEMES.get(parts.scheme)
    if kind is None:
        raise ValueError("must be postgresql://USER:PASSWORD@HOST[:PORT]/DATABASE, or sqlite:///PATH")
    if kind == SQLITE:
        return _file(Path(parts.path[1:]))
    query = urlencode([(_OTHER_NAMES.get(name, name), value) for name, value in parse_qsl(parts.query)])
    return Address(kind, Secret(parts._replace(scheme=_DRIVERS[kind], query=query).geturl()))


def _file(path: Path) -> Address:
    return Address(SQLITE, Secret(f"{_DRIVERS[SQLITE]}:///{path}"), path)
