"""What the engine hands back to the server: a head, and a body whole or in pieces."""

from collections.abc import AsyncGenerator
from typing import TypeAlias

from isthmus.core.value import Value
from isthmus.wire.headers import Headers

Chunks: TypeAlias = AsyncGenerator[bytes, None]


class Answer(Value, frozen=True):
    """`stream` is None for a whole body. Whoever takes a stream reads it to its end or closes it.

    `empty`: it ended as if all were said, and says nothing.
    """

    status: int
    headers: Headers
    body: bytes = b""
    stream: Chunks | None = None
    empty: bool = False
