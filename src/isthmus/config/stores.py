"""Where the store is, as the configuration has it: checked, before anything is opened."""

from importlib.util import find_spec
from urllib.parse import urlsplit

from isthmus.config.reading import Reading
from isthmus.config.schema import Config

_POSTGRESQL = ("postgresql", "postgres")
_WRITTEN = "must be postgresql://[USER:PASSWORD@]HOST[:PORT]/DATABASE, or sqlite:///PATH"


def check_store(config: Config, reading: Reading) -> None:
    """Note an address that leads to no database, and a driver that is not installed."""
    if config.store.url is None:
        return
    url = config.store.url.reveal()
    if not _is_database(url):
        reading.note(("store", "url"), _WRITTEN)
    elif urlsplit(url).scheme in _POSTGRESQL and find_spec("asyncpg") is None:
        reading.note(("store", "url"), "needs an extra; run: pip install 'isthmus[postgres]'")


def _is_database(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme == "sqlite":
        return not parts.netloc and len(parts.path) > 1 and not parts.query
    return parts.scheme in _POSTGRESQL and bool(parts.hostname) and port != 0 and len(parts.path) > 1
