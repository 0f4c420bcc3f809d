"""Where an Anthropic-like host is asked for what, and how it is signed to.

Source: https://docs.anthropic.com/en/api/overview (headers), /en/api/messages, /en/api/models-list.
"""

from collections.abc import Mapping
from functools import partial

from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.providers.provider import Address, Aim
from isthmus.providers.signers import header_key
from isthmus.wire.headers import Headers, find

VERSION = b"2023-06-01"
"""Sent as `anthropic-version` when the client names none: the version every host of this dialect knows."""

_PATHS: Mapping[Operation, tuple[str, str]] = {
    Operation.CHAT: ("POST", "/v1/messages"),
    Operation.COUNT_TOKENS: ("POST", "/v1/messages/count_tokens"),
    Operation.LIST_MODELS: ("GET", "/v1/models?limit=1000"),
}


def address(prefix: str) -> Address:
    """The paths below `prefix`, which may end in /v1 or not: this dialect's clients add it themselves."""
    return partial(_address, prefix.removesuffix("/v1"))


def _address(prefix: str, aim: Aim) -> tuple[str, str]:
    method, path = _PATHS[aim.operation]
    return method, prefix + path


def sign(headers: Headers, secret: Secret | None) -> Headers:
    """`x-api-key`, and `anthropic-version`, which the client may have chosen itself."""
    if find(headers, b"anthropic-version") is None:
        headers = (*headers, (b"anthropic-version", VERSION))
    return header_key(b"x-api-key", headers, secret)
