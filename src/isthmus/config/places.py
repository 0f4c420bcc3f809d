"""Where Isthmus keeps what it fetches and makes, after the XDG Base Directory specification."""

from pathlib import Path

from isthmus.config.secrets import Environment


def data_dir(environment: Environment) -> Path:
    """The folder for data: $XDG_DATA_HOME/isthmus, else ~/.local/share/isthmus. It may not exist yet."""
    if (base := environment.get("XDG_DATA_HOME")) is not None and Path(base).is_absolute():
        return Path(base) / "isthmus"
    return home(environment) / ".local" / "share" / "isthmus"


def home(environment: Environment) -> Path:
    """The user's own folder."""
    named = environment.get("HOME")
    return Path(named) if named is not None else Path.home()
