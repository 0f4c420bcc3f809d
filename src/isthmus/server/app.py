"""The gateway as an ASGI application: find the route by table, run the exchange, answer in the caller's dialect."""

import asyncio
import logging
from collections.abc import Mapping

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.dialects.table import CODECS
from isthmus.engine.admit import Gate, identify
from isthmus.engine.exchange import Call, Exchange, new_ids
from isthmus.engine.live import Live, Now
from isthmus.engine.ports import Ports
from isthmus.engine.serve import refuse, serve
from isthmus.server.bodies import ClientLeft
from isthmus.server.clients import is_loopback, presented_key
from isthmus.server.endpoints import Endpoint, Serves, caller_dialect, find_path
from isthmus.server.pages import Health, Page, answer_page
from isthmus.server.patrol import Patrol
from isthmus.server.respond import Message, Receive, Responder, Send
from isthmus.wire.headers import Headers

TRACES = 16
"""Errors in a chain of causes that are looked at."""

log = logging.getLogger(__name__)


class Application:
    """Raw ASGI, version 3. Knows which configuration is in force only by taking it once per exchange."""

    def __init__(self, live: Live, ports: Ports, gate: Gate, health: Health) -> None:
        self._live = live
        self._ports = ports
        self._gate = gate
        self._health = health
        self._ids = new_ids()
        self._patrol: Patrol | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"this application speaks http only, not {scope['type']}")
        path: str = scope["path"]
        methods, rest = find_path(path)
        method: str = scope["method"]
        endpoint = methods.get(method) if methods is not None else None
        headers: Headers = tuple(scope["headers"])
        peer = scope["client"][0] if scope.get("client") else ""
        dialect = endpoint.dialect if endpoint is not None and endpoint.dialect else caller_dialect(headers, path)
        presented = presented_key(headers, scope["query_string"]) if self._live.take().snapshot.clients else None
        call = Call(CODECS[dialect, Operation.CHAT], path[:200], headers, presented, peer)
        if endpoint is not None and endpoint.serves is Serves.CHAT:
            await self._exchange(call, receive, send)
            return
        answer = self._page(endpoint, methods, method, call=call, rest=rest)
        await _send_page(answer, send)

    async def _exchange(self, call: Call, receive: Receive, send: Send) -> None:
        now = self._live.take()
        limits = now.snapshot.limits
        exchange = Exchange(next(self._ids), call, self._ports.clock, now.version)
        if self._patrol is None:
            self._patrol = Patrol()
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
                answer = await serve(exchange, responder.body, now, self._ports)
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
            exchange.finished_at = self._ports.clock.now()
            _forget_traces(exchange.error)
            self._ports.recorder.record(exchange)

    async def _own_fault(self, exchange: Exchange, responder: Responder) -> None:
        """A bug of ours: the one place where anything is caught. The client is told, and the log has the trace."""
        log.exception("exchange %s failed by a fault of the gateway", exchange.id)
        error = GatewayError(Kind.BUG, f"the gateway itself failed; its log has more under {exchange.id}")
        exchange.error = error
        await responder.deliver(refuse(exchange, error))

    def _page(
        self, endpoint: Endpoint | None, methods: Mapping[str, Endpoint] | None, method: str, *, call: Call, rest: str
    ) -> Page:
        now = self._live.take()
        try:
            if endpoint is None:
                raise _no_route(methods, method, call.path)
            if endpoint.serves in (Serves.MODELS, Serves.MODEL):
                identify(call.presented, now.snapshot)
            return answer_page(endpoint.serves, call, rest, now=now, health=self._health, trusted=_trusted(call, now))
        except GatewayError as error:
            allow = ((b"allow", ", ".join(methods).encode()),) if methods is not None else ()
            return Page(error.status, call.codec.write_error(error), allow if error.status == 405 else ())


def _forget_traces(error: BaseException | None) -> None:
    """A trace holds every frame it came through, and with them the request's body: it is not kept with the record."""
    seen = 0
    while error is not None and seen < TRACES:
        error.__traceback__ = None
        error, seen = error.__cause__ or error.__context__, seen + 1


def _trusted(call: Call, now: Now) -> bool:
    """May this caller see more of the gateway than that it lives? From this machine, or with a client key."""
    if is_loopback(call.peer):
        return True
    try:
        return bool(now.snapshot.clients) and identify(call.presented, now.snapshot) is not None
    except GatewayError:
        return False


def _no_route(methods: Mapping[str, Endpoint] | None, method: str, path: str) -> GatewayError:
    if methods is None:
        return GatewayError(Kind.UNKNOWN_PATH, f"nothing is served at {path}; GET / lists what is")
    return GatewayError(Kind.WRONG_METHOD, f"{path} does not take {method}; it takes {', '.join(methods)}")


async def _send_page(page: Page, send: Send) -> None:
    headers = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(page.body)), *page.headers)
    await send({"type": "http.response.start", "status": page.status, "headers": headers})
    await send({"type": "http.response.body", "body": page.body})
