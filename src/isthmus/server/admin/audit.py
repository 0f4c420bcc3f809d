"""What administrators did, or were refused: a line of the log each, and a row for good where there is a store."""

import logging

from isthmus.core.errors import GatewayError
from isthmus.engine.management import Role
from isthmus.engine.records import Deed, Records

REFUSALS = 60
"""Refused attempts of nobody that is known which are kept in a minute; of more, only the log tells."""
DONE = "done"

log = logging.getLogger(__name__)


class Audit:
    def __init__(self) -> None:
        self._minute = 0.0
        self._refused = 0

    async def note(self, deed: Deed, records: Records | None) -> None:
        """Keep it. Never raises: what was done is done, also where it cannot be kept."""
        log.info("%s %s %s by %s (%s) from %s: %s", *_told(deed))
        if records is None or (deed.role == role_name(Role.ANYONE) and self._floods(deed.at)):
            return
        try:
            await records.note(deed)
        except GatewayError as error:
            log.warning("what an administrator did could not be kept: %s", error.message)

    def _floods(self, at: float) -> bool:
        minute = at // 60
        if minute != self._minute:
            self._minute, self._refused = minute, 0
        self._refused += 1
        return self._refused > REFUSALS


def role_name(role: Role) -> str:
    return role.name.lower()


def _told(deed: Deed) -> tuple[str, ...]:
    return "administration:", deed.what, deed.on or "-", deed.who, deed.role, deed.peer, deed.outcome
