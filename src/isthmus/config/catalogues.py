"""Where catalogues of models are kept: one comes with the package, a newer one may lie among the data.

Reads and writes files. What is in a catalogue, the package `catalog` knows.
"""

import os
from pathlib import Path

from isthmus.catalog import catalogue
from isthmus.catalog.catalogue import Catalogue, NotACatalogue
from isthmus.core.value import Value

SHIPPED = "catalogue.json.gz"
"""The file's name, in the package and among the data."""


class Shelf(Value, frozen=True):
    """Packed catalogues: the one that came with the package, and the one among the data, if any."""

    shipped: bytes
    fetched: bytes | None = None

    def newest(self) -> Catalogue:
        """The newer one, opened. A fetched one that cannot be read is as good as none."""
        shipped = Catalogue(self.shipped)
        try:
            fetched = Catalogue(self.fetched) if self.fetched is not None else shipped
        except NotACatalogue:
            return shipped
        return shipped if fetched.edition.date < shipped.edition.date else fetched


def take_shelf(data_dir: Path) -> Shelf:
    """The catalogues as they are now, unopened."""
    shipped = Path(catalogue.__file__).with_name(SHIPPED).read_bytes()
    try:
        return Shelf(shipped, (data_dir / SHIPPED).read_bytes())
    except OSError:
        return Shelf(shipped)


def keep(data_dir: Path, packed: bytes) -> Path:
    """Put a catalogue among the data, in its place at once or not at all. Raises OSError."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / SHIPPED
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(packed)
        file.flush()
        os.fsync(file.fileno())
    return fresh.replace(path)
