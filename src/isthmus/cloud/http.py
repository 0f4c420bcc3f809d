"""One question to an issuer of tokens and its answer, for callers that block in threads of their own.

Follows no redirects, keeps nothing, and reads no environment: the way there is the provider's own.
"""

import ssl
from collections.abc import Mapping

from isthmus.core.value import Value

MOST = 1024 * 1024
"""Bytes of an answer that are read."""


class Route(Value, frozen=True):
    """How issuers are reached: by this proxy, trusting these authorities."""

    proxy: str | None = None
    ca_file: str | None = None


DIRECT = Route()
"""For what answers on this machine or beside it."""


class Answer(Value, frozen=True):
    """Names in `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class NoAnswer(Exception):
    """Nobody answered; says why in words that hold no secret."""


def ask(
    method: str,
    url: str,
    *,
    route: Route,
    timeout: float,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """Raises NoAnswer. `timeout` is seconds, for connecting and for each silence."""
    import httpx2  # noqa: PLC0415  large, and only clouds need it here

    verify: ssl.SSLContext | bool = True
    try:
        if url.startswith("https:") and route.ca_file is not None:
            verify = ssl.create_default_context(cafile=route.ca_file)
        with (
            httpx2.Client(proxy=route.proxy, verify=verify, trust_env=False, timeout=timeout) as client,
            client.stream(method, url, headers=dict(headers or {}), content=body) as answer,
        ):
            data = b""
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > MOST:
                    raise NoAnswer(f"the answer is longer than {MOST} bytes")
            return Answer(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, data)
    except httpx2.TimeoutException as error:
        raise NoAnswer(f"no answer within {timeout:g} seconds") from error
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        raise NoAnswer(type(error).__name__) from error
