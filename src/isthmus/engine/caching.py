"""Whose answers are kept for the same request to come again, for how long, and what a request says of it itself.

Rules only; `response_cache.py` keeps and finds. A request's `cache-control` is read as RFC 9111, 5.2.1 has it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from isthmus.core.value import Value
from isthmus.engine.clients import Client
from isthmus.wire.headers import Headers, find

KIB = 1024


class SharedBy(StrEnum):
    """Who is given an answer that was made for another: nobody, those of the same team, or everybody."""

    CLIENT = "client"
    TEAM = "team"
    ALL = "all"


class CacheRule(Value, frozen=True, kw_only=True):
    """`enabled` is what holds where neither a route nor a client says. Answers are kept for `seconds`.

    One longer than `most_bytes` is not kept. `routes` are those that say themselves, by name: on or off, and for how
    long, None for as long as others.
    """

    enabled: bool = False
    seconds: float = 300.0
    most_bytes: int = 256 * KIB
    shared_by: SharedBy = SharedBy.CLIENT
    routes: Mapping[str, tuple[bool, float | None]] = {}
    clients: bool = False
    """Does any client say otherwise?"""

    @property
    def used(self) -> bool:
        """Can any answer be kept at all?"""
        return self.enabled or self.clients or any(enabled for enabled, _ in self.routes.values())

    def seconds_for(self, client: Client, route: str) -> float | None:
        """How long this client's answers from this route are kept; None for not at all. The client's word is last."""
        enabled, seconds = self.routes.get(route, (self.enabled, None))
        if client.cache is not None:
            enabled = client.cache
        return (self.seconds if seconds is None else seconds) if enabled else None

    def audience(self, client: Client) -> str:
        """Who may be given this client's answers, as part of what they are kept under."""
        if self.shared_by is SharedBy.ALL:
            return "all"
        if self.shared_by is SharedBy.TEAM and client.team:
            return f"team {client.team}"
        return f"client {client.owner}"


class Wish(NamedTuple):
    """What a request says itself: no answer that was kept, none older than so many seconds, none that was not kept,
    and to keep none."""

    fresh: bool = False
    oldest: float | None = None
    only_kept: bool = False
    keep: bool = True


NO_WISH = Wish()


def read_wish(headers: Headers) -> Wish:
    """What `cache-control` asks for; what it says besides means nothing here."""
    said = find(headers, b"cache-control")
    if said is None:
        return NO_WISH
    words = dict(_directive(word) for word in said.decode("latin-1").lower().split(","))
    age = words.get("max-age", "")
    return Wish(
        fresh="no-cache" in words or "no-store" in words or age == "0",
        oldest=float(age) if age.isascii() and age.isdigit() and len(age) < 10 else None,
        only_kept="only-if-cached" in words,
        keep="no-store" not in words,
    )


def _directive(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name.strip(), value.strip().strip('"')
