"""Where Isthmus keeps what it downloads, by the XDG Base Directory Specification."""

from pathlib import Path


def data_dir(xdg_data_home: str | None) -> Path:
    """`$XDG_DATA_HOME/isthmus`, else `~/.local/share/isthmus`. A relative value is to be ignored, says the standard."""
    base = Path(xdg_data_home) if xdg_data_home else None
    return (base if base is not None and base.is_absolute() else Path.home() / ".local" / "share") / "isthmus"
