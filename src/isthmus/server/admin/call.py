"""One call of an administrator, what answers it, and the row that says so: ours and every other system's are the same.

A facade is one system's whole management API: its rows, and how it dresses what goes wrong. Who may call is decided
before a handler is asked, by the row that was found; a handler decides what, never whether.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qs

from isthmus.core.errors import GatewayError
from isthmus.core.value import Value
from isthmus.engine.management import Actor, Role
from isthmus.server.pages import Page
from isthmus.wire.headers import Headers

__all__ = ["Actor", "AdminCall", "Facade", "Flow", "Handler", "Media", "Role", "Row"]

if TYPE_CHECKING:
    from isthmus.server.admin.desk import Desk


class AdminCall(Value, frozen=True, kw_only=True):
    """`params` are what the path's `{...}` matched, decoded; `at` is monotonic seconds, `time` Unix time."""

    method: str
    path: str
    params: Mapping[str, str]
    query: bytes
    headers: Headers
    body: bytes
    peer: str
    actor: Actor
    at: float
    time: float

    def asked(self, name: str, default: str = "") -> str:
        """A field of the query."""
        return self.asked_all(name)[0] if self.asked_all(name) else default

    def asked_all(self, name: str) -> list[str]:
        return parse_qs(self.query.decode("latin-1"), keep_blank_values=True).get(name, [])


class Flow(Value, frozen=True):
    """An answer that goes on until its client leaves, such as a log that grows. Its chunks are bounded by who asks."""

    chunks: AsyncIterator[bytes]
    content_type: bytes = b"text/event-stream"
    headers: Headers = ()
    status: int = 200


class Media(Value, frozen=True):
    """A body that is no JSON, by its type."""

    type: str


Handler: TypeAlias = "Callable[[AdminCall, Desk], Awaitable[Page | Flow]]"
"""Raises GatewayError, which the facade dresses."""


class Row(Value, frozen=True, kw_only=True):
    """One method of one path, which may hold `{names}`; the last may be `{name...}`, which matches slashes too.

    `takes` and `gives` are the types of the bodies, for the description: a Value, a Media, or several in a tuple.
    `most` is the longest body in bytes; one that `may_be_empty` can be left out. `about` is one sentence. `audited`: it
    changes something, or shows what clients say. `landing`: a browser is sent here by another site, as a whole page.
    `refuse` dresses what goes wrong here, where that is otherwise than everywhere in the facade. `forms`: the body may
    be one, of an administrator who sent a key.
    """

    method: str
    path: str
    role: Role
    handler: Handler
    about: str
    takes: object = None
    gives: object = None
    status: int = 200
    most: int = 64 * 1024
    may_be_empty: bool = False
    audited: bool = False
    landing: bool = False
    forms: bool = False
    refuse: "Callable[[GatewayError], Page] | None" = None
    query: Mapping[str, str] = {}
    """What may be asked in the query: a sentence for each."""


class Facade(Value, frozen=True, kw_only=True):
    """One system's management API. `realm` is where an unknown path is still its own ("/v0/management/").

    `bare`: its clients send no secret; it is then open to programs on this machine alone.
    """

    name: str
    rows: tuple[Row, ...]
    refuse: Callable[[GatewayError], Page]
    realm: str = ""
    bare: bool = False
