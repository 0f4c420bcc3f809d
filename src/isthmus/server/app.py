"""The gateway as an ASGI application: find the route by table, run the exchange, answer in the caller's dialect."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from functools import partial
from typing import TypeAlias

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.admit import Gate, identify
from isthmus.engine.answer import Answer
from isthmus.engine.bodies import captured
from isthmus.engine.clients import ANYONE
from isthmus.engine.count import serve_count
from isthmus.engine.embed import serve_embedding
from isthmus.engine.ending import end
from isthmus.engine.exchange import Call, Exchange, new_ids
from isthmus.engine.live import InForce, Live, Now
from isthmus.engine.management import Role
from isthmus.engine.ports import Ports
from isthmus.engine.serve import refuse, serve
from isthmus.server.admin.desk import Desk
from isthmus.server.admin.guard import Caller, is_program_here
from isthmus.server.admin.office import Office
from isthmus.server.bodies import ClientLeft, read_body
from isthmus.server.clients import presented_key
from isthmus.server.compat.codex_accounts import accounts_health
from isthmus.server.endpoints import Serves
from isthmus.server.explain_page import EXPLAIN, serve_explanation
from isthmus.server.facades import FACADES
from isthmus.server.kept_pages import kept_page
from isthmus.server.metrics_page import WriteMetrics, asks_for_metrics, metrics_page
from isthmus.server.origins import PREFLIGHT, may_ask, shared_with
from isthmus.server.pages import Health, Page, Recent, Visit, answer_page
from isthmus.server.patrol import Patrol
from isthmus.server.respond import Message, Receive, Responder, Send, send_page
from isthmus.server.routes import Route, error_codec, find_route
from isthmus.wire.headers import Headers, find, said_to_us

Line: TypeAlias = Callable[[Exchange, Callable[[int], Awaitable[bytes]], Now, Ports], Awaitable[Answer]]
"""What answers an exchange, as `serve` does."""

LINES: Mapping[Serves | None, Line] = {
    Serves.CHAT: serve,
    Serves.EMBED: serve_embedding,
    Serves.COUNT: serve_count,
}

_FOR_CLIENTS = frozenset({Serves.MODELS, Serves.MODEL, Serves.SHOW, Serves.LOADED, Serves.KEPT})
"""Pages that ask for a client key where there are any."""

_READING = frozenset({Serves.SHOW})
"""Pages that read a body."""
PAGE_BODY = 64 * 1024
"""Bytes of a page's request, which holds a name or two."""

log = logging.getLogger(__name__)


class Application:
    """Raw ASGI, version 3. Knows which configuration is in force only by taking it once per exchange."""

    def __init__(
        self,
        live: Live,
        ports: Ports,
        gate: Gate,
        health: Health,
        recent: Recent,
        *,
        metrics: WriteMetrics | None = None,
        desk: Desk | None = None,
    ) -> None:
        self.live: InForce = live
        self._ports = ports
        self._gate = gate
        self._health = health
        self._metrics = metrics
        self.office = Office(desk or Desk(live, ports, health=health, recent=recent), FACADES)
        self._ids = new_ids()
        self._patrol: Patrol | None = None

    def where(self, live: InForce) -> "Application":
        """The same gateway, at a listener where something else is in force."""
        other = copy(self)
        other.live = live
        return other

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"this application speaks http only, not {scope['type']}")
        path: str = scope["path"]
        query: bytes = scope["query_string"]
        headers: Headers = tuple(scope["headers"])
        route = find_route(scope["method"], path, query, headers)
        found = self.office.find(scope["method"], path) if route.serves is None else None
        if found is not None and (found.row or path != self.live.take().snapshot.metrics_path):
            await self.office.answer(found, scope, receive, send)
            return
        said, now = said_to_us(headers), self.live.take()
        origin = said.get(b"origin")
        if origin is not None:
            if not may_ask(origin, now.snapshot.cors):
                await send_page(_foreign(path, headers), send)
                return
            send = _sharing(send, origin)
            if scope["method"] == "OPTIONS":
                await send_page(_preflight(headers), send)
                return
        peer = scope["client"][0] if scope.get("client") else ""
        presented = presented_key(said, query) if now.snapshot.asks else None
        call = Call(route.codec, path[:200], headers, presented, peer, route.named, said)
        line = LINES.get(route.serves)
        if line is None and route.serves is Serves.EXPLAIN:
            asked = path.removeprefix(EXPLAIN)
            line = partial(serve_explanation, path=asked, query=query, manages=self._manages(call))
        if line is not None:
            if now.snapshot.bodies is not None:
                line = partial(captured, line)
            await self._exchange(call, line, now, receive, send)
        else:
            await send_page(await self._page(route, call, receive, scope), send)

    async def _exchange(self, call: Call, line: Line, now: Now, receive: Receive, send: Send) -> None:
        limits = now.snapshot.limits
        exchange = Exchange(next(self._ids), call, self._ports.clock, now.version)
        if self._ports.tracer is not None:
            exchange.trace = self._ports.tracer.begin(call.headers)
        self._patrol = self._patrol or Patrol()
        responder = Responder(receive, send, exchange, ping_every=limits.ping_every, patrol=self._patrol)
        entered = False
        try:
            try:
                self._gate.enter(limits.exchanges)
                entered = True
            except GatewayError as error:
                exchange.fail(error)
                answer = refuse(exchange, error)
            else:
                answer = await line(exchange, responder.body, now, self._ports)
                if exchange.error is not None and exchange.peek is None and await self._is_new(exchange.error, call):
                    exchange.error, now = None, self.live.take()
                    answer = await line(exchange, responder.body, now, self._ports)
            await responder.deliver(answer)
        except ClientLeft:
            exchange.cancelled = True
        except asyncio.CancelledError:
            exchange.cancelled = True
            if not responder.gone:
                raise
        except Exception:
            await self._own_fault(exchange, responder)
        finally:
            responder.close()
            if entered:
                self._gate.leave()
            end(exchange, now, self._ports)

    async def _own_fault(self, exchange: Exchange, responder: Responder) -> None:
        """A bug of ours: the one place where anything is caught. The client is told, and the log has the trace."""
        log.exception("exchange %s failed by a fault of the gateway", exchange.id)
        error = GatewayError(Kind.BUG, f"the gateway itself failed; its log has more under {exchange.id}")
        exchange.error = error
        await responder.deliver(refuse(exchange, error))

    async def _page(self, route: Route, call: Call, receive: Receive, scope: Message) -> Page:
        now = self.live.take()
        try:
            if self._metrics and asks_for_metrics(route, call.path, scope["method"], now.snapshot):
                allowed = _trusted(call, now, self._ports.clock.time()) or self._manages(call)
                return await metrics_page(self._metrics, allowed=allowed)
            if route.serves in (None, Serves.METRICS):
                raise route.error or GatewayError(Kind.UNKNOWN_PATH, f"nothing is served at {call.path}")
            client = ANYONE
            if route.serves in _FOR_CLIENTS:
                client = identify(call.presented, now.snapshot, self._ports.clock.time())
            if route.serves is Serves.KEPT:
                method, query = scope["method"], scope["query_string"]
                return await kept_page(call, route.rest, method, query, now=now, ports=self._ports)
            visit = Visit(
                route,
                call,
                now,
                body=await read_body(receive, call.headers, PAGE_BODY) if route.serves in _READING else b"",
                query=scope["query_string"],
                health=self._health,
                trusted=_trusted(call, now, self._ports.clock.time()),
                accounts=self._accounts(call) if route.serves is Serves.HEALTH else {},
                client=client,
            )
            return answer_page(visit)
        except GatewayError as error:
            if route.serves in _FOR_CLIENTS and await self._is_new(error, call):
                return await self._page(route, call, receive, scope)
            allow = ((b"allow", ", ".join(route.methods).encode()),) if route.methods else ()
            return Page(error.status, call.codec.write_error(error), allow)

    async def _is_new(self, error: GatewayError, call: Call) -> bool:
        """May the client key that was refused have been made elsewhere a moment ago? Then there is news of keys now."""
        keys = self.office.desk.keys
        return error.kind is Kind.UNAUTHENTICATED and keys is not None and await keys.seek(call.presented)

    def _accounts(self, call: Call) -> Mapping[str, object]:
        """What /health tells of accounts. Whose they are is for administrators, programs on this machine among them."""
        if not self._manages(call):
            return {}
        return accounts_health(self.office.desk.accounts, self._ports.clock.time())

    def _manages(self, call: Call) -> bool:
        """Is this an administrator, wherever they are?"""
        snapshot, at = self.live.take().snapshot, self._ports.clock.now()
        return self.office.guard.known(Caller(call.headers, call.peer, bare=True), snapshot, at).role > Role.ANYONE


def _trusted(call: Call, now: Now, time: float) -> bool:
    """May this caller see more of the gateway than that it lives? From this machine, or with a client key."""
    if is_program_here(Caller(call.headers, call.peer)):
        return True
    try:
        return now.snapshot.asks and identify(call.presented, now.snapshot, time) is not None
    except GatewayError:
        return False


def _foreign(path: str, headers: Headers) -> Page:
    """The answer to a page of an origin that is not allowed."""
    words = "web pages of this origin may not use the gateway; allow it in the configuration: cors: [ORIGIN]"
    error = GatewayError(Kind.FORBIDDEN, words)
    return Page(error.status, error_codec(path, headers).write_error(error))


def _preflight(headers: Headers) -> Page:
    """A browser asks before a page's request: whatever headers it names may be sent."""
    asked = find(headers, b"access-control-request-headers") or b"*"
    return Page(204, b"", (*PREFLIGHT, (b"access-control-allow-headers", asked)))


def _sharing(send: Send, origin: bytes) -> Send:
    """Let the page that asked read the answer."""

    async def shared(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = (*message["headers"], *shared_with(origin))
        await send(message)

    return shared
