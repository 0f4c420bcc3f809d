"""Answers calls of every management API: who calls, may they, what do they send, what is said, and who is told.

What a row needs is decided on the row that was found, before its handler is asked; nothing here knows what rows do.
"""

import logging
from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.management import NOBODY, Actor, Role
from isthmus.engine.records import Deed
from isthmus.server.admin.audit import DONE, Audit, role_name
from isthmus.server.admin.call import AdminCall, Facade, Flow, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.admin.dispatch import Found, Rows
from isthmus.server.admin.forms import is_form
from isthmus.server.admin.guard import HERE, LOCAL_VIEWER, NOT_WITHOUT, Caller, Guard, refuse_pages
from isthmus.server.admin.pouring import pour
from isthmus.server.admin.readers import check_type
from isthmus.server.bodies import ClientLeft, read_body
from isthmus.server.pages import Page
from isthmus.server.respond import Message, Receive, Send, send_page
from isthmus.wire import json
from isthmus.wire.headers import Headers

UNCHANGING = ("GET", "HEAD")
PRIVATE: Headers = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_EMPTY = "a body is required here, and none came"
_SHOWN = 200
"""Characters of what somebody else chose, in the audit log."""
_UNTOLD = "state"
"""What a path names so is by which somebody's sign-in is ended: the audit log has no more than its beginning."""

log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """One call, before anything is known of who makes it. `time` is Unix time, `at` monotonic."""

    scope: Message
    headers: Headers
    peer: str
    at: float
    time: float
    apart: bool


class Office:
    """All management APIs of one gateway. `guard` is shared with what else administrators may see more of.

    `refused` counts the calls that were answered with an error, by its kind.
    """

    def __init__(self, desk: Desk, facades: tuple[Facade, ...]) -> None:
        self.guard = Guard()
        self.desk = desk
        self.refused: dict[str, int] = {}
        self._rows = Rows(facades)
        self._audit = Audit()

    def find(self, method: str, path: str) -> Found | None:
        """What of management is meant; None for a path of nobody's."""
        return self._rows.find(method, path)

    async def answer(self, found: Found, scope: Message, receive: Receive, send: Send, *, apart: bool = False) -> None:
        """`apart`: it came to a listener for management alone."""
        clock, peer = self.desk.ports.clock, scope["client"][0] if scope.get("client") else ""
        asked = Asked(scope, tuple(scope["headers"]), peer, clock.now(), clock.time(), apart)
        try:
            answer = await self._answer(found, asked, receive)
        except ClientLeft:
            return
        if isinstance(answer, Flow):
            await pour(replace(answer, headers=_private(answer.headers)), receive, send)
        else:
            await send_page(replace(answer, headers=_private(answer.headers)), send)

    async def _answer(self, found: Found, asked: Asked, receive: Receive) -> Page | Flow:
        row, actor, body, outcome, detail = found.row, NOBODY, b"", DONE, ""
        if row is None:
            return _nothing(found, asked)
        try:
            actor = self._caller(found, row, asked)
            check_role(actor, row)
            body = await _body(row, asked, actor, receive)
            answer = await self._handled(found, row, asked, actor, body)
        except GatewayError as error:
            refuse = row.refuse or found.facade.refuse
            answer, outcome, detail = refuse(error), str(error.kind), error.message
            self.refused[outcome] = self.refused.get(outcome, 0) + 1
        if row.audited:
            deed = Deed(
                at=asked.time,
                who=actor.name,
                role=role_name(actor.role),
                peer=asked.peer,
                what=f"{row.method} {row.path}",
                on=_on(found.params, body),
                outcome=outcome,
                detail=detail[:_SHOWN],
            )
            await self._audit.note(deed, self.desk.records)
        return answer

    def _caller(self, found: Found, row: Row, asked: Asked) -> Actor:
        """Who calls. Raises for those to whom management is not open where they are."""
        if row.role is Role.ANYONE:
            refuse_pages(asked.headers)
            return NOBODY
        caller = Caller(asked.headers, asked.peer, apart=asked.apart, bare=found.facade.bare, landing=row.landing)
        return self.guard.identify(caller, self.desk.live.take().snapshot, asked.at)

    async def _handled(self, found: Found, row: Row, asked: Asked, actor: Actor, body: bytes) -> Page | Flow:
        call = AdminCall(
            method=asked.scope["method"],
            path=asked.scope["path"],
            params=found.params,
            query=asked.scope["query_string"],
            headers=asked.headers,
            body=body,
            peer=asked.peer,
            actor=actor,
            at=asked.at,
            time=asked.time,
        )
        try:
            return await row.handler(call, self.desk)
        except GatewayError:
            raise
        except Exception as error:
            log.exception("%s %s failed by a fault of the gateway", row.method, row.path)
            raise GatewayError(Kind.BUG, "the gateway itself failed; its log has more") from error


def check_role(actor: Actor, row: Row) -> None:
    """Raises FORBIDDEN for an administrator who may not have the row, UNAUTHENTICATED for who is none."""
    if actor.role >= row.role:
        return
    if actor is LOCAL_VIEWER:
        raise GatewayError(Kind.UNAUTHENTICATED, NOT_WITHOUT)
    words = f"this takes the role {role_name(row.role)}, and {actor.name} has the role {role_name(actor.role)}"
    raise GatewayError(Kind.FORBIDDEN, words)


def _private(headers: Headers) -> Headers:
    """The headers, and that nobody keeps the answer, where they do not say so themselves."""
    said = {name for name, _ in headers}
    return (*headers, *(pair for pair in PRIVATE if pair[0] not in said))


def _nothing(found: Found, asked: Asked) -> Page:
    path, method = asked.scope["path"][:_SHOWN], asked.scope["method"]
    if not found.methods:
        return found.facade.refuse(GatewayError(Kind.UNKNOWN_PATH, f"nothing is served at {path}"))
    takes = ", ".join(found.methods)
    page = found.facade.refuse(GatewayError(Kind.WRONG_METHOD, f"{path} does not take {method}; it takes {takes}"))
    return replace(page, headers=(*page.headers, (b"allow", takes.encode())))


async def _body(row: Row, asked: Asked, actor: Actor, receive: Receive) -> bytes:
    if asked.scope["method"] in UNCHANGING:
        return b""
    body = await read_body(receive, asked.headers, row.most)
    if body and not (row.forms and actor not in HERE and is_form(asked.headers)):
        check_type(asked.headers)
    if not body and row.takes is not None and not row.may_be_empty:
        raise GatewayError(Kind.INVALID, _EMPTY)
    return body


def _on(params: Mapping[str, str], body: bytes) -> str:
    """What it was done to: what the path names, else whom the body names."""
    if params:
        return "/".join(said[:6] if name == _UNTOLD else said for name, said in params.items())[:_SHOWN]
    try:
        told: object = json.decode(body) if body else None
    except json.Malformed:
        return ""
    match told:
        case {"name": str(name)} | {"email": str(name)} | {"issuer": str(name)}:
            return name[:_SHOWN]
        case _:
            return ""
