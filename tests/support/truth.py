"""The truth of a specimen, for the DIALECT.core.py files that tell in what a dialect differs from it."""

import runpy
from pathlib import Path

from isthmus.core.chat import ChatRequest
from isthmus.core.reply import ChatReply


def truth_beside(path: str) -> tuple[ChatRequest, ChatReply]:
    """REQUEST and REPLY of the core.py in the folder of the file at `path`."""
    told = runpy.run_path(str(Path(path).parent / "core.py"))
    return told["REQUEST"], told["REPLY"]
