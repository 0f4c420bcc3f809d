"""Makes a catalogue of models out of a wheel. Nothing of the wheel is installed or run."""

import re
import zipfile
from datetime import date
from pathlib import Path

from isthmus.catalog import litellm
from isthmus.catalog.catalogue import LARGEST, Edition, NotACatalogue, pack
from isthmus.wire.json import Malformed

_METADATA = re.compile(r"(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/METADATA")
_LICENCE = re.compile(r"[^/]+\.dist-info/(licenses/)?LICENSE[^/]*")


def read_wheel(wheel: Path, today: date) -> bytes:
    """A catalogue made of a wheel of litellm, packed. Raises NotACatalogue."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(litellm.MEMBER).file_size > LARGEST:
                raise NotACatalogue(f"{wheel.name} holds a list of more than {LARGEST} bytes")
            models = litellm.read_models(archive.read(litellm.MEMBER))
            name, version, notice = _about(archive)
    except (zipfile.BadZipFile, KeyError, OSError, Malformed) as error:
        raise NotACatalogue(f"{wheel.name} holds no list of models that is understood: {error}") from error
    return pack(Edition(name, version, today, notice), models)


def _about(archive: zipfile.ZipFile) -> tuple[str, str, str]:
    """The package's name, version and licence."""
    names = archive.namelist()
    found = next(filter(None, map(_METADATA.fullmatch, names)), None)
    if found is None:
        raise KeyError("METADATA")
    notice = "\n".join(archive.read(name).decode() for name in names if _LICENCE.fullmatch(name))
    return found["name"], found["version"], notice
