"""What a listener for management alone serves: nothing else."""

from isthmus.server.admin.dispatch import Found
from isthmus.server.admin.office import Office
from isthmus.server.admin.routes import ADMIN
from isthmus.server.respond import Message, Receive, Send


class ManagementAlone:
    """Raw ASGI, as the gateway's own application."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        found = self._office.find(scope["method"], scope["path"]) or Found(ADMIN, None)
        await self._office.answer(found, scope, receive, send, apart=True)
