"""Nothing of the package is left out of the import contract: what it does not name may import anything."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_everything_has_a_layer() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    named = {name.strip() for row in contract["layers"] for name in row.replace("|", ":").split(":")}
    modules = [one for one in (ROOT / "src" / "isthmus").iterdir() if not one.name.startswith("__")]
    parts = {one.stem for one in modules if one.suffix == ".py" or (one / "__init__.py").exists()}
    assert {f"isthmus.{name}" for name in parts} == named
