"""Sends an answer that goes on until its client leaves."""

import asyncio
import logging

from isthmus.server.admin.call import Flow
from isthmus.server.respond import Receive, Send

log = logging.getLogger(__name__)


async def pour(flow: Flow, receive: Receive, send: Send) -> None:
    """Send what comes, until it ends or the client leaves. What makes it is closed in either case."""
    headers = ((b"content-type", flow.content_type), *flow.headers)
    await send({"type": "http.response.start", "status": flow.status, "headers": headers})
    pouring, leaving = asyncio.ensure_future(_pour(flow, send)), asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({pouring, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        pouring.cancel()
        leaving.cancel()
        ended, _ = await asyncio.gather(pouring, leaving, return_exceptions=True)
        if isinstance(ended, Exception):
            log.error("a growing answer broke off", exc_info=ended)


async def _pour(flow: Flow, send: Send) -> None:
    try:
        async for chunk in flow.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        if (close := getattr(flow.chunks, "aclose", None)) is not None:
            await close()
    await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
