"""A scripted issuer of tokens at the wire: it remembers who asked what, and answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PATIENCE = 5.0
"""Seconds that the issuer waits before it answers all the same."""


@dataclass(frozen=True)
class Question:
    """One request. `form` is its body where that is a form; names of `headers` are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> Mapping[str, str]:
        return dict(parse_qsl(self.body.decode()))


Answer = tuple[int, bytes]


def told(status: int = 200, **fields: Any) -> Answer:
    """An answer in JSON."""
    return status, json.dumps(fields).encode()


@dataclass
class Issuer:
    """Gives out `token-1`, `token-2`, ... for an hour each, unless `answer` is set to something else."""

    url: str = ""
    questions: list[Question] = field(default_factory=list)
    answer: Callable[[Question], Answer] | None = None
    open: threading.Event = field(default_factory=threading.Event)
    """Cleared to make it wait with its answers."""
    asked: threading.Event = field(default_factory=threading.Event)

    def reply(self, question: Question) -> Answer:
        self.questions.append(question)
        number = len(self.questions)
        self.asked.set()
        self.open.wait(PATIENCE)
        if self.answer is not None:
            return self.answer(question)
        return told(access_token=f"token-{number}", expires_in=3600, token_type="Bearer")


@contextmanager
def open_issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    issuer.open.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            question = Question(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            status, data = issuer.reply(question)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("metadata-flavor", "Google")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield issuer
        finally:
            issuer.open.set()
            server.shutdown()
            thread.join()
