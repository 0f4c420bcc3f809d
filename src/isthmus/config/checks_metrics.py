"""What must hold of the section `metrics`: its path is one that nothing else has, whatever the gateway serves there."""

import re

from isthmus.config.reading import Reading
from isthmus.config.schema import MetricsEntry
from isthmus.engine.snapshot import METRICS_PATH

TAKEN = frozenset(
    {
        "accounts", "admin", "api", "auth", "claude", "health", "models", "ollama", "providers", "ready", "settings",
        "status", "v0", "v1", "v1beta",
    }
)  # fmt: skip
"""What the paths begin with that clients and management have."""
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def check_metrics(entry: MetricsEntry, reading: Reading) -> None:
    path = ("metrics", "path")
    if not entry.path.startswith("/"):
        reading.note(path, "begins with /, as in /metrics")
    elif not _PATH.fullmatch(entry.path):
        reading.note(path, f"is words of letters, digits, '.', '_', '~' and '-', each behind a /, as in {METRICS_PATH}")
    elif (first := entry.path.split("/")[1]) in TAKEN:
        reading.note(path, f"begins with /{first}, where the gateway serves something else; take another word")
