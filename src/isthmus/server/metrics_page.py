"""Where metrics are read: at the configured path, unless something else is served there, by those who may see them."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.snapshot import METRICS_PATH, Snapshot
from isthmus.server.endpoints import Serves
from isthmus.server.pages import Page
from isthmus.server.routes import Route

WriteMetrics: TypeAlias = Callable[[], Awaitable[bytes]]
"""The page of this moment. Raises OVERLOADED where it cannot be had."""
TEXT = b"text/plain; version=0.0.4; charset=utf-8"
_METHODS = ("GET", "HEAD")


def asks_for_metrics(route: Route, path: str, method: str, snapshot: Snapshot) -> bool:
    """Is this what the configuration has for metrics? Their usual path is a route even where they are elsewhere."""
    if route.serves is Serves.METRICS:
        return snapshot.metrics_path == METRICS_PATH
    return path == snapshot.metrics_path and route.serves is None and not route.methods and method in _METHODS


async def metrics_page(write: WriteMetrics, *, allowed: bool) -> Page:
    """The page. Raises UNAUTHENTICATED for callers who may not see more of the gateway than that it lives."""
    if not allowed:
        words = "metrics are for this machine, or for whoever sends a client key or the management key"
        raise GatewayError(Kind.UNAUTHENTICATED, words)
    return Page(200, await write(), content_type=TEXT)
