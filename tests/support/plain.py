"""Readers with and without their short ways for what is plain, to be compared."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from isthmus.core.errors import GatewayError
from isthmus.dialects.anthropic.messages import plain as anthropic_plain
from isthmus.dialects.openai.chat import plain as openai_plain

SHORT_WAYS: Mapping[str, tuple[ModuleType, tuple[str, ...]]] = {
    "openai_chat": (openai_plain, ("decode_request", "decode_reply", "read_message", "read_tool")),
    "anthropic": (anthropic_plain, ("decode_request", "decode_reply", "read_turn", "read_tool")),
}
"""By dialect, the functions that read what is plain, and give None for everything else."""


@contextmanager
def nothing_is_plain(dialect: str) -> Iterator[None]:
    """Everything is read field by field."""
    module, names = SHORT_WAYS[dialect]
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(module, name, _refuse)
        yield


def _refuse(_: object) -> None:
    return None


def outcome(read: Callable[[bytes], Any], body: bytes) -> object:
    """What is read, or what is told of a body that cannot be read."""
    try:
        return read(body)
    except GatewayError as error:
        return error.kind, error.message, error.param


def reads_alike(dialect: str, read: Callable[[bytes], Any], body: bytes) -> bool:
    """Is it the same whether the short ways are taken or not?"""
    short = outcome(read, body)
    with nothing_is_plain(dialect):
        return outcome(read, body) == short
