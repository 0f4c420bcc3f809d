"""A gateway that is managed: an application with a desk of the test's own, and an administrator on this machine."""

from typing import Any

from isthmus.engine.admit import Gate
from isthmus.server.admin.desk import Desk
from isthmus.server.app import Application
from isthmus.server.pages import Recent
from support.asgi import Visit
from support.line import Line

HERE = (b"host", b"127.0.0.1")


class Managed:
    """`how` is what the desk has, beside what every one has."""

    def __init__(self, line: Line, **how: Any) -> None:
        recent, gate = Recent(line.losses.of, line.exchanges.of), Gate()
        desk = Desk(line.live, line.ports, health=_ready, recent=recent, **how)
        self.application = Application(line.live, line.ports, gate, _ready, recent, desk=desk)

    def visit(self, method: str, target: str, *headers: tuple[bytes, bytes], peer: str = "127.0.0.1") -> Visit:
        path, _, query = target.partition("?")
        return Visit(self.application, path, method=method, query=query.encode(), headers=(HERE, *headers), peer=peer)

    async def ask(self, method: str, target: str, *headers: tuple[bytes, bytes]) -> Visit:
        return await self.visit(method, target, *headers).done()


def _ready() -> dict[str, object]:
    return {"ready": True}
