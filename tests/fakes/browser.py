"""What a browser does of a sign-in: it goes where it is sent, and follows where it is sent back to."""

import asyncio
import http.client
from urllib.parse import urlsplit


async def browse(url: str) -> tuple[int, str]:
    """Sign in at an issuer, and come back. The status and text of the last page."""
    return await get(await back_to(url))


async def back_to(url: str) -> str:
    """Sign in, and stop before coming back: the address that the browser would go to."""
    return await asyncio.to_thread(_location, url)


async def get(url: str, *, host: str | None = None, method: str = "GET") -> tuple[int, str]:
    """The status and text of a page. `host` is what the browser believes to speak to."""
    return await asyncio.to_thread(_get, url, host, method)


def _get(url: str, host: str | None, method: str) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, headers={"host": host} if host is not None else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def _location(url: str) -> str:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        assert answer.status == 302, answer.read()
        return answer.headers["location"]
    finally:
        connection.close()
