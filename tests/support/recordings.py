"""Recorded provider traffic, where ISTHMUS_RECORDINGS names the folder that holds it; see its README.

Nothing of it is committed here. Without the folder the tests that read it are not run, and say so.
"""

import os
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from isthmus.wire import json

VARIABLE = "ISTHMUS_RECORDINGS"
FILES: Mapping[str, str] = {
    "openai_chat": "openai-chat.jsonl",
    "openai_responses": "openai-responses.jsonl",
    "openai_completions": "openai-completions.jsonl",
    "anthropic": "anthropic.jsonl",
    "gemini": "gemini.jsonl",
    "gemini_array": "gemini.jsonl",
    "bedrock": "bedrock-converse.jsonl",
    "ollama": "ollama.jsonl",
    "ollama_generate": "ollama.jsonl",
}
PATHS: Mapping[str, str] = {"ollama": "/api/chat", "ollama_generate": "/api/generate"}
"""How the address ends to which requests of a dialect went, where its file holds more than one dialect."""
ELSEWHERE: Mapping[str, tuple[str, ...]] = {"openai_responses": ("/compact", "/input_tokens")}
"""How addresses end that a dialect's file holds beside those of its conversations."""


ARRAYS: Mapping[str, bool] = {"gemini": False, "gemini_array": True}
"""Is the answer of a dialect's records an array? Those that are were streamed to who did not ask for events."""
SPOKEN: Mapping[str, str] = {"gemini_array": "gemini"}
"""The dialect whose bodies these are, where the name tells the framing too."""


class Record(NamedTuple):
    """One exchange. `request` is the body as it would be sent again; None where the source keeps none, or no JSON."""

    id: str
    dialect: str
    provider: str
    model: str
    features: frozenset[str]
    stream: bool
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    request: bytes | None
    answer: bytes

    @property
    def whole(self) -> bool:
        """A good answer in one body, no stream."""
        return self.status == 200 and not self.stream

    @property
    def streamed(self) -> bool:
        return self.status == 200 and self.stream


def folder() -> Path | None:
    """Where the recordings are, if they are here at all."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None


@cache
def records(dialect: str) -> tuple[Record, ...]:
    at = folder()
    assert at is not None, f"{VARIABLE} names no folder"
    lines = map(json.decode, (at / FILES[dialect]).read_bytes().splitlines())
    return tuple(_record(SPOKEN.get(dialect, dialect), line) for line in lines if _is_meant(dialect, line))


def _is_meant(dialect: str, line: Mapping[str, Any]) -> bool:
    if dialect in PATHS:
        return bool(line["request"]["url"].endswith(PATHS[dialect]))
    if line["request"] and line["request"]["url"].endswith(ELSEWHERE.get(dialect, ("\n",))):
        return False
    return dialect not in ARRAYS or line["response"]["text"].startswith("[") is ARRAYS[dialect]


def _record(dialect: str, line: Mapping[str, Any]) -> Record:
    request, response = line["request"], line["response"]
    body = None if request is None else request["body"]
    headers = tuple((name.lower().encode(), str(value).encode()) for name, value in response["headers"].items())
    return Record(
        id=line["id"],
        dialect=dialect,
        provider=line["provider"],
        model=line["model"] or "",
        features=frozenset(line["features"]),
        stream=line["stream"],
        status=response["status"],
        headers=headers,
        request=None if not body or isinstance(body, str) else json.encode(body),
        answer=response["text"].encode() if "text" in response else b64decode(response["base64"]),
    )


def check_each(chosen: Iterable[Record], check: Callable[[Record], None]) -> int:
    """Run `check` on every record and return how many there were; fail once, naming every record that failed.

    Of a dialect that little was recorded of there may be none, which is told as a test that was not run.
    """
    checked, failures = 0, list[str]()
    for record in chosen:
        checked += 1
        try:
            check(record)
        except Exception as error:
            failures.append(f"{record.id} ({record.provider}): {type(error).__name__}: {error}")
    assert not failures, f"{len(failures)} of {checked} records:\n" + "\n".join(failures)
    if not checked:
        pytest.skip("there is no such record")
    return checked
