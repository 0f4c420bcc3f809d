"""A client that believes nothing: one request, and the bytes that came back, however they ended."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fakes.clients import Door

PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
HEADERS = {"openai": {}, "anthropic": {"anthropic-version": "2023-06-01"}}


@dataclass(frozen=True)
class Heard:
    """`complete` is False when the connection ended before the body did."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[tuple[str, str]]:
        """Name and data of each event of a stream; comments are none."""
        return list(_events(self.body.decode()))


def text_of(body: bytes, dialect: str) -> str:
    """The words of a stream, without those of an error in it."""
    found = []
    for _, data in Heard(200, {}, body).events:
        event = json.loads(data) if data != "[DONE]" else {}
        if dialect == "anthropic":
            found.append(event.get("delta", {}).get("text", ""))
        elif event.get("choices"):
            found.append(event["choices"][0]["delta"].get("content") or "")
    return "".join(found)


def _events(text: str) -> Iterator[tuple[str, str]]:
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            fields = dict(line.split(": ", 1) for line in lines)
            yield fields.get("event", ""), fields.get("data", "")


def ask(door: Door, dialect: str, model: str, *, stream: bool = False, **more: Any) -> Heard:
    """One small request in `dialect`, as a client of that dialect would send it."""
    body = _question(door, dialect, model, stream=stream, **more)
    return send(door, "POST", PATHS[dialect], body, dialect=dialect)


def send(door: Door, method: str, path: str, body: bytes | None = None, *, dialect: str = "openai") -> Heard:
    connection = _connection(door)
    try:
        with suppress(
            BrokenPipeError, ConnectionResetError
        ):  # refused before its body was written; the answer is there
            connection.request(method, path, body, _headers(door, dialect))
        return _heard(connection.getresponse())
    finally:
        connection.close()


def listen(door: Door, dialect: str, model: str) -> list[tuple[float, bytes]]:
    """A stream's bytes as they came, each read with its time on `time.monotonic`."""
    connection, heard = _connection(door), []
    try:
        connection.request(
            "POST", PATHS[dialect], _question(door, dialect, model, stream=True), _headers(door, dialect)
        )
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        while data := answer.read1():
            heard.append((time.monotonic(), data))
    finally:
        connection.close()
    return heard


def _connection(door: Door) -> http.client.HTTPConnection:
    address = urlsplit(door.root)
    return http.client.HTTPConnection(address.hostname or "", address.port, timeout=15)


def _headers(door: Door, dialect: str) -> dict[str, str]:
    return {"authorization": f"Bearer {door.key}", "content-type": "application/json", **HEADERS[dialect]}


def _question(door: Door, dialect: str, model: str, **more: Any) -> bytes:
    body = {"model": door.model(model), "messages": [{"role": "user", "content": "Hello?"}], **more}
    if dialect == "anthropic":
        body["max_tokens"] = 64
    return json.dumps(body).encode()


def _heard(answer: http.client.HTTPResponse) -> Heard:
    headers = {name.lower(): value for name, value in answer.getheaders()}
    try:
        return Heard(answer.status, headers, answer.read())
    except http.client.IncompleteRead as cut:
        return Heard(answer.status, headers, cut.partial, complete=False)
    except ConnectionError:
        return Heard(answer.status, headers, b"", complete=False)
