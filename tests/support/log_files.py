"""What the gateway writes to its log file, some time after it has answered."""

import time
from pathlib import Path

from support.asking import PATIENCE


def await_written(file: Path, words: bytes, times: int = 1) -> bytes:
    """All of the file, once `words` stand in it so often and its last line is whole."""
    deadline = time.monotonic() + PATIENCE
    while (told := file.read_bytes()).count(words) < times or not told.endswith(b"\n"):
        assert time.monotonic() < deadline, told[-2000:]
        time.sleep(0.02)
    return told
