"""Rewrite the files that say what a writer makes of another tongue: `make golden`. Review the difference like code.

With names of dialects, only the files of ways into or out of those.

The files that specimens are told in (DIALECT.request.json and so on) are written by people and never touched here.
"""

import sys
from collections.abc import Collection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import msgspec

from isthmus.wire import json
from support.specimens import Specimen, Way, ways
from support.tongues import TONGUES


def main(named: Collection[str]) -> None:
    meant = [(one, way) for one, way in ways() if way.golden and (not named or {way.source, way.target} & set(named))]
    for specimen, way in meant:
        specimen.golden_path(way).unlink(missing_ok=True)
    written = [path for specimen, way in meant if (path := rewrite(specimen, way))]
    print(f"{len(written)} golden files")


def rewrite(specimen: Specimen, way: Way) -> Path | None:
    """The file for this way, or None where the dialect's own file says the same."""
    body, known = specimen.write(way).body, specimen.file(way.target, way.what)
    same = body == known if way.what == "stream" else json.decode(body) == json.decode(known)
    if same:
        return None
    path = specimen.golden_path(way)
    if way.what == "stream":
        path.write_bytes(TONGUES[way.target].to_file(body))
    else:
        path.write_bytes(msgspec.json.format(body, indent=2) + b"\n")
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
