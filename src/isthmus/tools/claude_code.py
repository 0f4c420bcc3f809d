"""Claude Code's `settings.json`: what it says, and its environment changed without touching anything else.

Source: https://code.claude.com/docs/en/settings (`env`: variables of every session). A file that is no JSON is refused,
never replaced; what stood in it before the first change is kept beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from isthmus.tools.connecting import BEFORE
from isthmus.tools.files import Found, find, refused, replace, write
from isthmus.tools.formats.documents import Format, change, read
from isthmus.tools.formats.values import ABSENT, CannotChange, Puts


class ClaudeCode:
    """`path` is the settings file, whether it is there or not."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        """All settings; none where there is no file. Raises INVALID for one that cannot be read as JSON."""
        return self._settings(self._text(find(self.path)))

    def change(self, put: Mapping[str, str], drop: Sequence[str] = ()) -> dict[str, Any]:
        """Set variables of its sessions, take others away; all settings as they are then. Raises INVALID."""
        found = find(self.path)
        text = self._text(found)
        self._settings(text)
        puts: Puts = {("env", name): value for name, value in {**dict.fromkeys(drop, ABSENT), **put}.items()}
        try:
            after = change(Format.JSON, text, puts)
        except CannotChange as error:
            raise refused(self.path, str(error)) from error
        _keep(found)
        replace(found, after.encode())
        return self._settings(after)

    def _text(self, found: Found) -> str:
        try:
            return (found.content or b"").decode()
        except UnicodeDecodeError as error:
            raise refused(self.path, "is no JSON, and is left as it is") from error

    def _settings(self, text: str) -> dict[str, Any]:
        try:
            said = read(Format.JSON, text)
        except CannotChange as error:
            raise refused(self.path, str(error)) from error
        if said is not None and not isinstance(said, dict):
            raise refused(self.path, "is no JSON object, and is left as it is")
        return said or {}


def _keep(found: Found) -> None:
    """Keep what the file says beside it, unless that was done before."""
    before = found.path.with_name(found.path.name + BEFORE)
    if found.content is None or before.exists():
        return
    try:
        write(before, found.content)
    except OSError as error:
        raise refused(before, f"cannot be written: {error.strerror}", status=500) from error


def claude_code(get: Callable[[str], str | None]) -> ClaudeCode | None:
    """This user's, by the variables that `get` tells; None without a home folder."""
    if folder := get("CLAUDE_CONFIG_PATH") or get("CLAUDE_CONFIG_DIR"):
        return ClaudeCode(Path(folder) / "settings.json")
    home = get("HOME") or get("USERPROFILE")
    return ClaudeCode(Path(home) / ".claude" / "settings.json") if home else None
