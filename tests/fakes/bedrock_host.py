"""A scripted Bedrock at the wire: Converse for every model, and invoke for Claude.

It holds each request to AWS's own description of the API, which botocore carries, and each signature to botocore's.
It refuses what the real one would refuse, and says so as the real one does. It knows nothing of the gateway.
"""

import json
import threading
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator

from isthmus.wire.event_stream import write_event, write_exception

KEY = "bedrock-api-key-0123456789"
PAIR = Credentials("AKIDEXAMPLE0123456", "secret-access-key-0123456789")
REGION = "eu-west-1"
HELLO = "Hello from Bedrock."
ARGUMENTS = '{"city": "Oslo"}'
COUNTS = {"inputTokens": 20, "outputTokens": 10, "totalTokens": 30}
STREAM = "application/vnd.amazon.eventstream"


class Refused(Exception):
    """The exception's name, its status and its words."""


@dataclass
class Seen:
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class BedrockHost:
    """`seen` grows while it runs. A model whose name holds "throttled" or "breaking" does that."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    host: BedrockHost

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        _, _, model, method = unquote(self.path).rsplit("/", 3)
        body = json.loads(raw)
        self.host.seen.append(Seen(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        try:
            _check_proof(self, raw)
            if "throttled" in model:
                raise Refused("ThrottlingException", 429, "Too many requests, please wait before trying again.")
            self._answer(model, method, body)
        except Refused as refused:
            name, status, message = refused.args
            self._send(status, "application/json", json.dumps({"message": message}).encode(), name)

    def _answer(self, model: str, method: str, body: Any) -> None:
        if method.startswith("converse"):
            _check_converse(body, model)
            events = _converse(body)
            whole = _folded(events)
        else:
            _check_claude(body)
            events = [("chunk", {"bytes": b64encode(json.dumps(event).encode()).decode()}) for event in _claude()]
            whole = CLAUDES
        if not method.endswith("stream"):
            self._send(200, "application/json", json.dumps(whole).encode())
            return
        messages = [write_event(name, json.dumps(told).encode()) for name, told in events]
        if "breaking" in model:
            messages[3:] = [write_exception("modelStreamErrorException", b'{"message":"The model stumbled."}')]
        self._send(200, STREAM, b"".join(messages))

    def _send(self, status: int, kind: str, body: bytes, error: str = "") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        if error:
            self.send_header("x-amzn-errortype", f"{error}:http://internal.amazon.com/coral/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def open_bedrock() -> Iterator[BedrockHost]:
    host = BedrockHost()
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


@cache
def _shape() -> Any:
    """What AWS says that a Converse request holds."""
    return botocore.session.get_session().get_service_model("bedrock-runtime").shape_for("ConverseRequest")


def _check_proof(request: BaseHTTPRequestHandler, body: bytes) -> None:
    """The bearer key, or the signature that botocore makes of the same request."""
    proof = request.headers.get("authorization", "")
    if proof == f"Bearer {KEY}":
        return
    names = proof.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    signed = {name: request.headers[name] for name in names if name not in ("host", "x-amz-date")}
    again: Any = AWSRequest("POST", f"http://{request.headers['host']}{request.path}", headers=signed, data=body)
    again.context["timestamp"] = request.headers.get("x-amz-date", "")
    again.headers["X-Amz-Date"] = again.context["timestamp"]
    signer = SigV4Auth(PAIR, "bedrock", REGION)
    said = signer.string_to_sign(again, signer.canonical_request(again))
    if not proof.endswith(f"Signature={signer.signature(said, again)}"):
        raise Refused("InvalidSignatureException", 403, "The request signature we calculated does not match.")


def _check_converse(body: Any, model: str) -> None:
    report = ParamValidator().validate({"modelId": model, **body}, _shape())
    if report.has_errors():
        raise Refused("ValidationException", 400, report.generate_report())
    roles = [turn["role"] for turn in body["messages"]]
    if roles[0] != "user" or any(one == other for one, other in pairwise(roles)):
        raise Refused("ValidationException", 400, "A conversation must alternate between user and assistant roles.")
    blocks = [block for turn in body["messages"] for block in turn["content"]]
    if any("toolUse" in block or "toolResult" in block for block in blocks) and "toolConfig" not in body:
        raise Refused("ValidationException", 400, "The toolConfig field must be defined when using toolUse.")


def _check_claude(body: Any) -> None:
    if body.get("anthropic_version") != "bedrock-2023-05-31":
        raise Refused("ValidationException", 400, "anthropic_version: Field required")
    for name in ("model", "stream"):
        if name in body:
            raise Refused("ValidationException", 400, f"{name}: Extra inputs are not permitted")
    if "max_tokens" not in body:
        raise Refused("ValidationException", 400, "max_tokens: Field required")


def _converse(body: Any) -> Sequence[tuple[str, Any]]:
    """Words, and a call where there is a tool that has not answered yet."""
    asked = "toolConfig" in body and not any("toolResult" in block for block in body["messages"][-1]["content"])
    words = [
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}, "p": "abc"}) for piece in _pieces()
    ]
    start = {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather"}}
    call = [
        ("contentBlockStart", {"contentBlockIndex": 1, "start": start}),
        ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": ARGUMENTS[:9]}}}),
        ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": ARGUMENTS[9:]}}}),
        ("contentBlockStop", {"contentBlockIndex": 1}),
    ]
    return [
        ("messageStart", {"role": "assistant", "p": "abcdef"}),
        *words,
        ("contentBlockStop", {"contentBlockIndex": 0}),
        *(call if asked else ()),
        ("messageStop", {"stopReason": "tool_use" if asked else "end_turn"}),
        ("metadata", {"usage": COUNTS, "metrics": {"latencyMs": 7}}),
    ]


def _folded(events: Sequence[tuple[str, Any]]) -> Any:
    called = any(name == "contentBlockStart" for name, _ in events)
    call = {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather", "input": json.loads(ARGUMENTS)}}
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": HELLO}, *([call] if called else [])]}},
        "stopReason": "tool_use" if called else "end_turn",
        "usage": COUNTS,
        "metrics": {"latencyMs": 7},
    }


def _pieces() -> Sequence[str]:
    return [HELLO[:6], HELLO[6:]]


CLAUDES = {
    "id": "msg_bdrk_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": HELLO}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 20, "output_tokens": 10},
}


def _claude() -> Sequence[Any]:
    start = {**CLAUDES, "content": [], "stop_reason": None, "usage": {"input_tokens": 20, "output_tokens": 1}}
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
        for piece in _pieces()
    ]
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    return [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *deltas,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 10}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 20}},
    ]
