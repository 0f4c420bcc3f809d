"""Install the clients that the end-to-end tests drive into `build/e2e`, unless they are there already.

From npm, as `package-lock.json` says; from PyPI, as the lock files of `python/` say, each into an environment of its
own: `sdks` holds the newest SDKs, `frameworks` what is built on older ones, `deploy` what judges files of `deploy/`,
`tools` what people use from a terminal.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
INTO = HERE.parents[1] / "build" / "e2e"
FILES = ("package.json", "package-lock.json")
ENVIRONMENTS = ("sdks", "frameworks", "deploy", "tools")


def main() -> None:
    INTO.mkdir(parents=True, exist_ok=True)
    _from_npm()
    for name in ENVIRONMENTS:
        _from_pypi(name)


def _from_npm() -> None:
    if all(_same(HERE / name, INTO / name) for name in FILES) and (INTO / "node_modules" / ".bin" / "claude").exists():
        return
    npm = shutil.which("npm")
    if npm is None:
        sys.exit(
            "the end-to-end tests drive clients from npm: install Node.js 20 or newer, with npm, and run this again"
        )
    for name in FILES:
        (INTO / name).unlink(missing_ok=True)
    shutil.copyfile(HERE / "package.json", INTO / "package.json")
    shutil.copyfile(HERE / "package-lock.json", INTO / "package-lock.json")
    # Not `npm ci`: it refuses a lock file without the other systems' optional packages, which not every registry has.
    command = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(command, cwd=INTO, check=False).returncode:
        (INTO / "package.json").unlink()
        sys.exit(f"npm could not install the clients into {INTO}; what it said stands above")


def _from_pypi(name: str) -> None:
    """The lock file is copied last: an environment that holds it is complete."""
    lock, folder = HERE / "python" / f"{name}.lock", INTO / name
    if _same(lock, folder / lock.name):
        return
    print(f"Setting up {folder.name} from {lock.name} ...", flush=True)
    python = folder / "bin" / "python"
    if uv := shutil.which("uv"):
        made = [uv, "venv", "-q", "--allow-existing", "--python", sys.executable, str(folder)]
        filled = [uv, "pip", "sync", "-q", "--python", str(python), "--require-hashes", str(lock)]
    else:
        made = [sys.executable, "-m", "venv", str(folder)]
        filled = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
        filled += ["-r", str(lock)]
    for command in (made, filled):
        if subprocess.run(command, check=False).returncode:
            sys.exit(f"the clients of {lock.name} could not be installed into {folder}; what was said stands above")
    shutil.copyfile(lock, folder / lock.name)


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()


if __name__ == "__main__":
    main()
