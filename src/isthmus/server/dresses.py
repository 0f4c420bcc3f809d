"""How the error of an answer is told otherwise, for clients of one system that look for it.

Knows error objects as JSON; whose clients these are is said in manners.py.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from isthmus.server.respond import Message, Send
from isthmus.wire import json
from isthmus.wire.headers import retry_after

RATE_LIMITED = "Rate limited: "
TOO_MANY = 429

Dress: TypeAlias = Callable[[dict[str, Any], int, float | None], dict[str, Any]]
"""Another error object for one, the answer's status, and the seconds that it asks to wait, where it does."""


def numbered(error: dict[str, Any], status: int, wait: float | None) -> dict[str, Any]:  # noqa: ARG001  a Dress
    """The status for a code."""
    return {**error, "code": status}


def worded(error: dict[str, Any], status: int, wait: float | None) -> dict[str, Any]:
    """Words by which a limit is known, and when it resets."""
    if status != TOO_MANY:
        return error
    said = str(error.get("message", ""))
    reset = {} if wait is None else {"resetMs": int(wait * 1000), "resetSeconds": int(wait)}
    return {**error, "message": said if said.startswith(RATE_LIMITED) else RATE_LIMITED + said, **reset}


class Dressed:
    """One answer on its way out, whose error is told otherwise. Errors are answered whole."""

    def __init__(self, send: Send, dress: Dress) -> None:
        self._send = send
        self._dress = dress
        self._head: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self._head = message
            return
        if self._head is not None:
            head, self._head = self._head, None
            if not message.get("more_body"):
                body = dressed(message.get("body", b""), self._dress, head["status"], retry_after(head["headers"]))
                head["headers"] = tuple(
                    (name, b"%d" % len(body) if name == b"content-length" else value) for name, value in head["headers"]
                )
                message["body"] = body
            await self._send(head)
        await self._send(message)


def dressed(body: bytes, dress: Dress, status: int, wait: float | None = None) -> bytes:
    """The body of an error with its object told otherwise; anything else as it is."""
    try:
        said = json.decode(body)
    except json.Malformed:
        return body
    if not isinstance(said, dict) or not isinstance(said.get("error"), dict):
        return body
    return json.encode({**said, "error": dress(said["error"], status, wait)})
