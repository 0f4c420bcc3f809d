"""Writes the catalogue that is shipped, from a wheel of litellm: a step of every release.

    pip download --no-deps --dest build litellm
    python scripts/catalogue.py build/litellm-*.whl

The same wheel and date give the same bytes. Review what changed with `git diff --stat` and `isthmus models`.
"""

import argparse
from datetime import UTC, date, datetime
from pathlib import Path

from isthmus.catalog.catalogue import Catalogue
from isthmus.config.catalogues import SHIPPED
from isthmus.config.wheels import read_wheel

TARGET = Path(__file__).parents[1] / "src" / "isthmus" / "catalog" / SHIPPED


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date(), help="the day of reading")
    said = parser.parse_args()
    packed = read_wheel(said.wheel, said.date)
    TARGET.write_bytes(packed)
    made = Catalogue(packed)
    print(f"{TARGET.name}: {len(made)} models of {made.edition.source} {made.edition.version}, {len(packed)} bytes")


if __name__ == "__main__":
    main()
