"""A gateway's management by hand: its application with a store in memory, and calls from wherever a test says."""

import hashlib
from typing import Any

from msgspec.structs import replace

from fakes.records import FakeRecords
from fakes.transport import Scripted
from isthmus.engine.admit import Gate
from isthmus.engine.management import Actor, Management, Role
from isthmus.server.admin.apart import ManagementAlone
from isthmus.server.admin.desk import Desk
from isthmus.server.app import Application
from isthmus.server.pages import Recent
from isthmus.wire import json
from support.asgi import Visit
from support.line import Line, provider

OWNER = b"owner-0123456789abcdef"
OPERATOR = b"operator-0123456789abcdef"
VIEWER = b"viewer-0123456789abcdef"
SECRETS = {OWNER: ("olga", Role.OWNER), OPERATOR: ("otto", Role.OPERATOR), VIEWER: ("vera", Role.VIEWER)}
HERE = (b"host", b"127.0.0.1:8317")
ELSEWHERE = "198.51.100.7"
Header = tuple[bytes, bytes]


def management(*secrets: bytes, **settings: bool) -> Management:
    actors = {hashlib.sha256(secret).digest(): Actor(*SECRETS[secret]) for secret in secrets}
    return Management(secrets=actors, **settings)


def key(secret: bytes) -> Header:
    return (b"x-management-key", secret)


class Managed:
    """`secrets` are those of SECRETS that are configured; `settings` are those of Management."""

    def __init__(self, *secrets: bytes, line: Line | None = None, **settings: bool) -> None:
        self.line = line or Line([provider("one")], {"one": [Scripted(b"{}")] * 9})
        self.configure(management=management(*secrets, **settings))
        self.records = FakeRecords()
        recent = Recent(self.line.losses.of, self.line.exchanges.of)
        self.desk = Desk(self.line.live, self.line.ports, health=lambda: {"ready": True}, recent=recent)
        self.desk.records = self.records
        self.app = Application(
            self.line.live, self.line.ports, Gate(), self.desk.health, recent, desk=self.desk, metrics=_metrics
        )
        self.apart = ManagementAlone(self.app.office)

    def configure(self, **fields: Any) -> None:
        self.line.live.swap(replace(self.line.live.take().snapshot, **fields))

    def at_desk(self, **parts: object) -> "Managed":
        """The same, with these parts of its desk."""
        for name, part in parts.items():
            setattr(self.desk, name, part)
        return self

    async def ask(self, method: str, target: str, *headers: Header, **how: Any) -> Visit:
        """The answer, to the end; all else is as `visit` has it."""
        return await self.visit(method, target, *headers, **how).done()

    def visit(
        self,
        method: str,
        target: str,
        *headers: Header,
        body: bytes = b"",
        peer: str = "127.0.0.1",
        query: bytes = b"",
        apart: bool = False,
    ) -> Visit:
        """Without a host among `headers`, the caller names this machine."""
        if not any(name == b"host" for name, _ in headers):
            headers = (HERE, *headers)
        app: Any = self.apart if apart else self.app
        path, _, asked = target.partition("?")
        return Visit(app, path, body, method=method, headers=headers, peer=peer, query=query or asked.encode())


def told(visit: Visit) -> Any:
    return json.decode(visit.body)


async def _metrics() -> bytes:
    return b"up 1\n"
