"""The API documents that people come from, as the examples printed in them: fenced blocks, in their own text.

ISTHMUS_SEEDS names the folder that holds the documents.
"""

import json
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

VARIABLE = "ISTHMUS_SEEDS"
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_ROUTE = re.compile(r"^\| `(/\S+)` \| (GET|POST) \|", re.MULTILINE)
_HOST = re.compile(r"http://localhost:\d+")


@dataclass(frozen=True)
class Block:
    """One fenced block, with the line of its document at which it begins."""

    document: str
    line: int
    language: str
    text: str

    def pointed_at(self, root: str) -> str:
        return _HOST.sub(root, self.text)

    @property
    def json(self) -> Any:
        """The block as JSON, with what it leaves out (`...`) left out."""
        return _read(self.text)

    @property
    def exchange(self) -> tuple[str, Any, Any]:
        """A request's first line, its body if any, and the answer that is printed below it, both as JSON."""
        asked, _, told = self.text.partition("# Response")
        bodies = [line for line in asked.splitlines()[1:] if not line.startswith(("#", "Content-Type"))]
        body = "\n".join(bodies).strip()
        return self.text.splitlines()[0], _read(body) if body else None, _read(told)

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def _read(printed: str) -> Any:
    text = re.sub(r",\s*\.\.\.(?=\s*[\]}])", "", printed)
    return json.loads(re.sub(r"([\[{])\s*\.\.\.\s*([\]}])", r"\1\2", text))


@lru_cache
def blocks() -> tuple[Block, ...]:
    """Every block of every document; none where the variable names no folder."""
    folder = os.environ.get(VARIABLE)
    found = []
    for file in sorted(Path(folder).glob("*.md")) if folder else ():
        text = file.read_text()
        for match in _FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(file.stem, line, match[1], match[2]))
    return tuple(found)


def block_after(document: str, opening: str, number: int = 0) -> Block:
    """The `number`th block of `document` whose text begins so."""
    found = [block for block in blocks() if block.document == document and block.text.lstrip().startswith(opening)]
    return found[number]


def listed_routes(document: str) -> tuple[str, ...]:
    """The routes of the document's tables, as `METHOD /path`; none where the variable names no folder."""
    folder = os.environ.get(VARIABLE)
    text = (Path(folder) / f"{document}.md").read_text() if folder else ""
    return tuple(f"{method} {path}" for path, method in _ROUTE.findall(text))


def differences(printed: Any, told: Any, where: str = "") -> list[str]:
    """What `printed` has that `told` has not: a key, or a value of its type. Lists are held to their first item."""
    match printed, told:
        case (dict(), dict()):
            missing = [f"{where}.{name} is missing" for name in printed if name not in told]
            inner = [
                found
                for name in printed
                if name in told
                for found in differences(printed[name], told[name], f"{where}.{name}")
            ]
            return missing + inner
        case (list(), list()):
            return differences(printed[0], told[0], f"{where}[0]") if printed and told else []
        case (None, _):
            return []
    return [] if _kind(printed) == _kind(told) else [f"{where} is {_kind(told)}, not {_kind(printed)}"]


def _kind(value: Any) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
