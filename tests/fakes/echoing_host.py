"""A provider that repeats every secret it is sent, in clear, escaped and in pieces: in answers, refusals and streams.

What it does is said by the model's name: "good", "garbled", "cut", "broken", or "refuse-STATUS".
"""

import gzip
import json
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COLLECTED = ("/v1/traces", "/v1/metrics")
"""Where it is a collector of OpenTelemetry."""
SENT = ("authorization", "x-api-key", "x-goog-api-key", "x-team-token", "cookie", "x-planted")


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._whole(404, {"error": {"message": f"no such path; {self._echo()}"}})

    def do_POST(self) -> None:
        if self.path in COLLECTED:
            self._collect()
            return
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        model, stream = body.get("model", "good").rpartition("/")[2], body.get("stream", False)
        if model.startswith("refuse-"):
            self._refuse(int(model.removeprefix("refuse-")))
        elif model == "garbled":
            self._send(200, f"<html>{self._echo()}</html>".encode(), "text/html")
        elif stream:
            self._send(200, self._stream(model), "text/event-stream")
        else:
            self._whole(200, _anthropic(self._key()) if self.path.endswith("messages") else _openai(self._key()))

    def _collect(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        body = gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body
        self.server.collected.append(body)  # type: ignore[attr-defined] # a _Server
        self._send(200, b"", "application/x-protobuf")

    def log_message(self, *args: object) -> None:
        """It keeps what it is told to itself."""

    def _key(self) -> str:
        return (self.headers["authorization"] or self.headers["x-api-key"] or "").removeprefix("Bearer ")

    def _echo(self) -> str:
        told = {name: self.headers[name] for name in SENT if self.headers[name]}
        key = self._key()
        forms = f"{key} {json.dumps(key)} {urllib.parse.quote(key, safe='')} {key[:12]}***"
        return f"Incorrect API key provided: {forms}; you sent {json.dumps(told)} to {self.path}?key={key}"

    def _refuse(self, status: int) -> None:
        error = {"type": "some_error", "message": self._echo(), "code": self._key(), "param": self._key()}
        self._whole(status, {"type": "error", "error": error})

    def _stream(self, model: str) -> bytes:
        anthropic = self.path.endswith("messages")
        events = _anthropic_events(self._key()) if anthropic else _openai_events(self._key())
        return _events(events, self._end(model, anthropic=anthropic))

    def _end(self, model: str, *, anthropic: bool) -> Sequence[object]:
        if model == "cut":
            return ()
        if model == "broken":
            error = {"type": "api_error", "message": self._echo(), "code": self._key()}
            return ({"type": "error", "error": error} if anthropic else {"error": error},)
        return _ANTHROPIC_END if anthropic else _OPENAI_END

    def _whole(self, status: int, told: object) -> None:
        self._send(status, json.dumps(told).encode(), "application/json")

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        if status != 200:
            self.send_header("x-request-id", f"req {self._key()}")
        self.end_headers()
        self.wfile.write(body)


def _openai(key: str) -> object:
    message = {"role": "assistant", "content": f"your key is {key}"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "good", "choices": choices, "usage": usage}


def _anthropic(key: str) -> object:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "good", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": f"your key is {key}"}], "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }  # fmt: skip


def _pieces(key: str) -> Sequence[str]:
    return ("your key is ", *(key[at : at + 5] for at in range(0, len(key), 5)))


def _openai_events(key: str) -> Sequence[object]:
    deltas = [{"index": 0, "delta": {"role": "assistant", "content": piece}} for piece in _pieces(key)]
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "good"}
    return [{**chunk, "choices": [one]} for one in deltas]


def _anthropic_events(key: str) -> Sequence[object]:
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "good", "content": [], "stop_reason": None,
        "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1},
    }  # fmt: skip
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
        for piece in _pieces(key)
    ]
    return [{"type": "message_start", "message": message}, start, *deltas]


_OPENAI_END: Sequence[object] = (
    {"id": "c1", "model": "good", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    "[DONE]",
)
_ANTHROPIC_END: Sequence[object] = (
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
)


def _events(events: Sequence[object], end: Sequence[object]) -> bytes:
    return b"".join(map(_event, (*events, *end)))


def _event(told: object) -> bytes:
    data = told if isinstance(told, str) else json.dumps(told)
    name = f"event: {told['type']}\n" if isinstance(told, dict) and "type" in told else ""
    return f"{name}data: {data}\n\n".encode()


class _Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.collected: list[bytes] = []


@dataclass(frozen=True)
class EchoingHost:
    """Where it is, and what it was sent as a collector of OpenTelemetry."""

    root: str
    collected: list[bytes]


@contextmanager
def open_echoing_host() -> Iterator[EchoingHost]:
    """One that runs."""
    server = _Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield EchoingHost(f"http://127.0.0.1:{server.server_address[1]}", server.collected)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
