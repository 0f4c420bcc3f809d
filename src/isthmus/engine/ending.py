"""The last of an exchange, whichever way it went: what it held is given back, and what became of it is told."""

import logging

from isthmus.engine.admission import settle
from isthmus.engine.exchange import Exchange
from isthmus.engine.live import Now
from isthmus.engine.ports import Ports
from isthmus.engine.verdict import note_end

TRACES = 16
"""Errors in a chain of causes that are looked at."""

log = logging.getLogger(__name__)


def end(exchange: Exchange, now: Now, ports: Ports) -> None:
    """The last byte has left, or will not. Called once for each exchange; never blocks and never raises."""
    exchange.close()
    if exchange.held:
        _settle(exchange, now, ports)
    exchange.finished_at = ports.clock.now()
    note_end(exchange, now, exchange.finished_at)
    _forget_traces(exchange.error)
    ports.recorder.record(exchange)


def _settle(exchange: Exchange, now: Now, ports: Ports) -> None:
    """Whatever goes wrong with it, nothing stays held: what cannot be reckoned counts as it was claimed."""
    try:
        settle(exchange, now, ports)
    except Exception:
        log.exception("it is not known what exchange %s came to, by a fault of the gateway", exchange.id)
        for held in exchange.held:
            held.settle(None)


def _forget_traces(error: BaseException | None) -> None:
    """A trace holds every frame it came through, and with them the request's body: it is not kept with the record."""
    seen = 0
    while error is not None and seen < TRACES:
        error.__traceback__ = None
        error, seen = error.__cause__ or error.__context__, seen + 1
