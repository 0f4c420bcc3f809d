"""A scripted Ollama at the wire, which refuses what the real one would refuse, in the words of the real one.

It knows nothing of the gateway. Like the real one it streams unless it is told not to, tells no ids of calls, and
leaves out what it does not count.
"""

import base64
import binascii
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HELLO = "Hello from Ollama."
THOUGHT = "A greeting is due."
ARGUMENTS = {"city": "Oslo"}
MODELS = ("llama3.2:latest", "gpt-oss:20b", "stumbling:latest")
AT = "2026-11-21T10:00:00.123456789Z"
METRICS = {
    "total_duration": 900,
    "load_duration": 100,
    "prompt_eval_count": 20,
    "prompt_eval_duration": 300,
    "eval_count": 10,
    "eval_duration": 500,
}


class Refused(Exception):
    """The status and the words."""


@dataclass
class OllamaHost:
    """`seen` grows while it runs: path and body of each request."""

    url: str = ""
    seen: list[tuple[str, Any]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    host: OllamaHost

    def do_GET(self) -> None:
        self.host.seen.append((self.path, None))
        if self.path != "/api/tags":
            self._send(404, "text/plain", b"404 page not found")
            return
        listed = [{"name": name, "model": name, "modified_at": AT, "size": 7, "digest": "d"} for name in MODELS]
        self._send(200, "application/json; charset=utf-8", json.dumps({"models": listed}).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.host.seen.append((self.path, body))
        try:
            _check_model(body)
            told = _ANSWERS[self.path](body)
        except Refused as refused:
            status, words = refused.args
            self._send(status, "application/json; charset=utf-8", json.dumps({"error": words}).encode())
            return
        lines = b"".join(json.dumps(line).encode() + b"\n" for line in told)
        kind = "application/x-ndjson" if len(told) > 1 else "application/json; charset=utf-8"
        self._send(200, kind, lines)

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def open_ollama() -> Iterator[OllamaHost]:
    host = OllamaHost()
    handler = type("Handler", (_Handler,), {"host": host})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        host.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()


def _check_model(body: Any) -> None:
    name = body["model"]
    if name not in MODELS and f"{name}:latest" not in MODELS:
        raise Refused(404, f"model '{name}' not found")
    if isinstance(body.get("think"), str) and not name.startswith("gpt-oss"):
        raise Refused(400, f'think value "{body["think"]}" is not supported for this model')
    if not isinstance(body.get("options", {}).get("stop", []), list):
        raise Refused(400, 'option "stop" must be of type array')


def _check_message(message: Any) -> None:
    if not isinstance(message["content"], str):
        raise Refused(400, "json: cannot unmarshal array into Go struct field ChatRequest.messages.content")
    for image in message.get("images", ()):
        try:
            base64.b64decode(image, validate=True)
        except binascii.Error:
            raise Refused(400, "illegal base64 data at input byte 4") from None
    for call in message.get("tool_calls", ()):
        if not isinstance(call["function"]["arguments"], dict):
            raise Refused(400, "json: cannot unmarshal string into Go struct field .arguments")


def _chat(body: Any) -> list[dict[str, Any]]:
    for message in body["messages"]:
        _check_message(message)
    asked = body.get("tools") and all(message["role"] != "tool" for message in body["messages"])
    said: list[dict[str, Any]] = [{"content": "", "thinking": THOUGHT}] if body.get("think") else []
    said += [{"content": HELLO[:6]}, {"content": HELLO[6:]}]
    if asked:
        name = body["tools"][0]["function"]["name"]
        said.append({"content": "", "tool_calls": [{"function": {"name": name, "arguments": ARGUMENTS}}]})
    return _told(body, [{"message": {"role": "assistant", **one}} for one in said], _fold)


def _fold(lines: list[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {"role": "assistant", "content": ""}
    for line in lines:
        message = line["message"]
        whole["content"] += message["content"]
        whole |= {name: message[name] for name in ("thinking", "tool_calls") if name in message}
    return {"message": whole}


def _generate(body: Any) -> list[dict[str, Any]]:
    lines = [{"response": HELLO[:6]}, {"response": HELLO[6:]}]
    return _told(body, lines, lambda _: {"response": HELLO})


def _told(
    body: Any, lines: list[dict[str, Any]], fold: Callable[[list[dict[str, Any]]], dict[str, Any]]
) -> list[dict[str, Any]]:
    head = {"model": body["model"], "created_at": AT}
    end = {"done": True, "done_reason": "stop", **METRICS}
    if body.get("stream") is False:
        return [{**head, **fold(lines), **end}]
    told = [{**head, **line, "done": False} for line in lines]
    if body["model"].startswith("stumbling"):
        return [*told[:1], {"error": "llama runner process has terminated"}]
    silent = {"response": ""} if "response" in lines[0] else {"message": {"role": "assistant", "content": ""}}
    return [*told, {**head, **silent, **end}]


def _embed(body: Any) -> list[dict[str, Any]]:
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    vectors = [[0.5, float(len(text))] for text in texts]
    return [{"model": body["model"], "embeddings": vectors, "total_duration": 7, "prompt_eval_count": len(texts)}]


_ANSWERS: Mapping[str, Callable[[Any], list[dict[str, Any]]]] = {
    "/api/chat": _chat,
    "/api/generate": _generate,
    "/api/embed": _embed,
}
