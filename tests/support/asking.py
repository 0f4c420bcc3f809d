"""One request to a gateway that runs, and its answer, whichever status that has."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from types import MappingProxyType
from typing import Any

PATIENCE = 20.0
"""Seconds that a busy machine may take."""
NOTHING: Mapping[str, str] = MappingProxyType({})


def ask(
    url: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] = NOTHING
) -> tuple[int, bytes, Message]:
    """Status, body and headers."""
    asking = urllib.request.Request(url, body, dict(headers), method=method)
    try:
        with urllib.request.urlopen(asking, timeout=PATIENCE) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read(), refused.headers


def ask_json(url: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] = NOTHING) -> tuple[int, Any]:
    """Status and what is told, both ways as JSON."""
    sent = None if body is None else json.dumps(body).encode()
    status, told, _ = ask(url, method, sent, {"content-type": "application/json", **headers})
    return status, json.loads(told)
