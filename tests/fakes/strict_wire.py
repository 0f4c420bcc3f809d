"""The wire of a strict issuer: HTTP, and the troubles that befall requests for tokens."""

import json
import socket
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from fakes.strict_words import Answer, Asked

if TYPE_CHECKING:
    from fakes.strict_issuer import StrictIssuer

PATIENCE = 10.0
"""Seconds that it waits before it answers all the same."""


class Handler(BaseHTTPRequestHandler):
    """One connection. Each issuer has a class of its own, with its `issuer`."""

    issuer: "StrictIssuer"
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def serve(self) -> None:
        asked = self.read()
        trouble = self.issuer.next_trouble(asked)
        if trouble.until is not None:
            trouble.until.wait(PATIENCE)
        if trouble.drop == "before":
            self.issuer.asked.append(asked)
            self.cut()
        elif trouble.status:
            self.issuer.asked.append(asked)
            headers = {"retry-after": trouble.retry_after} if trouble.retry_after else {}
            self.write(Answer(trouble.status, {"error": "temporarily_unavailable"}, headers))
        else:
            answer = self.issuer.answer(asked)
            self.cut() if trouble.drop == "after" else self.write(answer)

    def read(self) -> Asked:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0"))).decode()
        fields = json.loads(body) if body and "json" in headers.get("content-type", "") else dict(parse_qsl(body))
        return Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, fields)

    def write(self, answer: Answer) -> None:
        """To who has not left in the meantime."""
        data = json.dumps(answer.fields).encode()
        self.send_response(answer.status)
        for name, value in {"content-type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        with suppress(OSError):
            self.end_headers()
            self.wfile.write(data)

    def cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        pass
