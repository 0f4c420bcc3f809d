"""The composition root: the only place that wires the parts together. It contains no logic of theirs.

What is opened here is closed here, in reverse order.
"""

import asyncio
import logging
import time
from collections.abc import Mapping

from isthmus.engine.admit import Gate
from isthmus.engine.live import Live
from isthmus.server.app import Application
from isthmus.transport.client import Client

DISCOVERY_PATIENCE = 1.0
"""Seconds that the start waits for providers to name their models before it prints what it knows."""

log = logging.getLogger(__name__)


class SystemClock:
    """Implements the engine's Clock."""

    now = staticmethod(time.monotonic)
    time = staticmethod(time.time)  # noqa: TID251  the one clock that others are handed


class Gateway:
    """Everything that runs, for whoever serves it."""

    def __init__(self, application: Application, live: Live, gate: Gate, client: Client) -> None:
        self.application = application
        self.live = live
        self.gate = gate
        self._client = client

    def health(self) -> Mapping[str, object]:
        return {
            "ready": not self.gate.closing,
            "running": self.gate.running,
            "connections": self._client.stats(),
            "tasks": len(asyncio.all_tasks()),
        }
