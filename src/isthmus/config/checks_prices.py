"""What must hold between price lists that follow one another."""

from collections.abc import Sequence
from itertools import pairwise

from isthmus.config.problems import Path
from isthmus.config.reading import Reading
from isthmus.config.schema import Config
from isthmus.config.schema_providers import PriceEntry


def check_prices(config: Config, reading: Reading) -> None:
    """Each list but the first says from when on it holds, and they stand in that order."""
    for name, facts in config.models.items():
        _check(("models", name, "price"), facts.price, reading)
    for name, provider in config.providers.items():
        for index, key in enumerate(provider.api_keys):
            _check((*reading.item(("providers", name, "api-keys"), index), "price"), key.price, reading)


def _check(path: Path, entries: Sequence[PriceEntry], reading: Reading) -> None:
    for index, (before, entry) in enumerate(pairwise(entries), 1):
        at = reading.item(path, index)
        if entry.since is None:
            reading.note(at, "needs 'from': only the first of several may leave it out")
        elif before.since is not None and entry.since <= before.since:
            reading.note((*at, "from"), "is not after that of the price before it")
