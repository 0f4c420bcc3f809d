"""Where an OpenAI-like host is asked for what. Holds no host's name."""

from collections.abc import Mapping
from functools import partial

from isthmus.core.operations import Operation
from isthmus.providers.provider import Address

_PATHS: Mapping[Operation, tuple[str, str]] = {
    Operation.CHAT: ("POST", "/chat/completions"),
    Operation.LIST_MODELS: ("GET", "/models"),
}


def address(prefix: str) -> Address:
    """The paths below `prefix`, the path of the base URL without a slash at its end."""
    return partial(_address, prefix)


def _address(prefix: str, operation: Operation, model: str, stream: bool) -> tuple[str, str]:  # noqa: ARG001  an Address
    method, path = _PATHS[operation]
    return method, prefix + path
