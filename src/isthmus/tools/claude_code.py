"""Claude Code's `settings.json`: what it says, and its environment changed without touching anything else.

Source: https://code.claude.com/docs/en/settings (`env`: variables of every session). A file that is no JSON is refused,
never replaced; what stood in it before the first change is kept beside it.
"""

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from isthmus.core.errors import GatewayError, Kind
from isthmus.wire import json

MOST = 1024 * 1024
"""Bytes of a file that are read."""
BEFORE = ".before-isthmus"
"""What the kept file's name ends with."""
MODE = 0o600


class ClaudeCode:
    """`path` is the settings file, whether it is there or not."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        """All settings; none where there is no file. Raises INVALID for one that cannot be read as JSON."""
        try:
            with self.path.open("rb") as file:
                content = file.read(MOST + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._refused(f"cannot be read: {error.strerror}") from error
        if len(content) > MOST:
            raise self._refused("is longer than 1 MiB")
        try:
            found = json.decode(content) if content.strip() else {}
        except json.Malformed as error:
            raise self._refused("is no JSON, and is left as it is") from error
        if not isinstance(found, dict):
            raise self._refused("is no JSON object, and is left as it is")
        return found

    def change(self, put: Mapping[str, str], drop: Sequence[str] = ()) -> dict[str, Any]:
        """Set variables of its sessions, take others away; all settings as they are then. Raises INVALID."""
        settings = self.read()
        env = settings.get("env", {})
        if not isinstance(env, dict):
            raise self._refused("has an env that is no JSON object, and is left as it is")
        kept = {name: value for name, value in env.items() if name not in drop}
        settings["env"] = {**kept, **put}
        try:
            self._write(json.encode_pretty(settings))
        except OSError as error:
            raise self._refused(f"cannot be written: {error.strerror}", status=500) from error
        return settings

    def _write(self, content: bytes) -> None:
        target = self.path.resolve()
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = target.with_name(target.name + BEFORE)
        if target.exists() and not before.exists():
            _put(before, target.read_bytes())
        beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            _put(beside, content)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)

    def _refused(self, why: str, *, status: int | None = None) -> GatewayError:
        return GatewayError(Kind.INVALID, f"{self.path.name} {why}", status=status)


def _put(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def claude_code(get: Callable[[str], str | None]) -> ClaudeCode | None:
    """This user's, by the variables that `get` tells; None without a home folder."""
    if folder := get("CLAUDE_CONFIG_PATH"):
        return ClaudeCode(Path(folder) / "settings.json")
    home = get("HOME") or get("USERPROFILE")
    return ClaudeCode(Path(home) / ".claude" / "settings.json") if home else None
