"""Where catalogues of models are kept: one comes with the package, a newer one may lie among the data.

Reads and writes files. What is in a catalogue, the package `catalog` knows.
"""

import os
import re
import zipfile
from datetime import date
from importlib.resources import files
from pathlib import Path

from isthmus.catalog import litellm
from isthmus.catalog.catalogue import Catalogue, NotACatalogue, Origin, pack
from isthmus.core.value import Value
from isthmus.wire.json import Malformed

SHIPPED = "catalogue.json.gz"
"""The file's name, in the package and among the data."""

_METADATA = re.compile(r"(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/METADATA")
_LICENCE = re.compile(r"[^/]+\.dist-info/(licenses/)?LICENSE[^/]*")


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
        return shipped if fetched.origin.date < shipped.origin.date else fetched


def take_shelf(data_dir: Path) -> Shelf:
    """The catalogues as they are now, unopened."""
    shipped = (files("isthmus.catalog") / SHIPPED).read_bytes()
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


def read_wheel(wheel: Path, today: date) -> bytes:
    """A catalogue made of a wheel of litellm, packed. Nothing of the wheel is run. Raises NotACatalogue."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            models = litellm.read_models(archive.read(litellm.MEMBER))
            name, version, notice = _about(archive)
    except (zipfile.BadZipFile, KeyError, OSError, Malformed) as error:
        raise NotACatalogue(f"{wheel.name} holds no list of models that is understood: {error}") from error
    return pack(Origin(name, version, today, notice), models)


def _about(archive: zipfile.ZipFile) -> tuple[str, str, str]:
    """The package's name, version and licence."""
    names = archive.namelist()
    found = next(filter(None, map(_METADATA.fullmatch, names)), None)
    if found is None:
        raise KeyError("METADATA")
    notice = "\n".join(archive.read(name).decode() for name in names if _LICENCE.fullmatch(name))
    return found["name"], found["version"], notice
