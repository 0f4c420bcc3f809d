"""Rewrite the files that say what a writer makes of another tongue: `make golden`. Review the difference like code.

The files that specimens are told in (DIALECT.request.json and so on) are written by people and never touched here.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import msgspec

from isthmus.wire import json
from support.specimens import Specimen, Way, specimens, ways


def main() -> None:
    for specimen in specimens():
        for old in specimen.folder.glob("*.from_*"):
            old.unlink()
    written = [path for specimen, way in ways() if way.golden and (path := rewrite(specimen, way))]
    print(f"{len(written)} golden files")


def rewrite(specimen: Specimen, way: Way) -> Path | None:
    """The file for this way, or None where the dialect's own file says the same."""
    body, known = specimen.write(way).body, specimen.file(way.target, way.what)
    same = body == known if way.what == "stream" else json.decode(body) == json.decode(known)
    if same:
        return None
    path = specimen.golden_path(way)
    path.write_bytes(body if way.what == "stream" else msgspec.json.format(body, indent=2) + b"\n")
    return path


if __name__ == "__main__":
    main()
