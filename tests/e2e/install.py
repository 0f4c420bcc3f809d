"""Install the clients from npm that the end-to-end tests drive into `build/e2e`, unless they are there already."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
INTO = HERE.parents[1] / "build" / "e2e"
FILES = ("package.json", "package-lock.json")


def main() -> None:
    if all(_same(HERE / name, INTO / name) for name in FILES) and (INTO / "node_modules" / ".bin" / "claude").exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        sys.exit(
            "the end-to-end tests drive clients from npm: install Node.js 20 or newer, with npm, and run this again"
        )
    INTO.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (INTO / name).unlink(missing_ok=True)
    shutil.copyfile(HERE / "package.json", INTO / "package.json")
    shutil.copyfile(HERE / "package-lock.json", INTO / "package-lock.json")
    command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(command, cwd=INTO, check=False).returncode:
        (INTO / "package.json").unlink()
        sys.exit(f"npm could not install the clients into {INTO}; what it said stands above")


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()


if __name__ == "__main__":
    main()
