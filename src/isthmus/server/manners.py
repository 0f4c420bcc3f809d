"""MANNERS: what a listener does as the clients of one system before this one expect, where clients of others do not.

A listener of no such system never comes here. Everything that can be joined is done for everybody, at every listener.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from isthmus.core.value import Value
from isthmus.engine.clients import Auth
from isthmus.engine.compat import Compat
from isthmus.engine.live import InForce, Now
from isthmus.providers.provider import Provider
from isthmus.routing.naming import closest
from isthmus.server.app import Application
from isthmus.server.dresses import Dress, Dressed, numbered, worded
from isthmus.server.respond import Message, Receive, Send

_SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
_HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
_OPUS_NAMES = ("opus", "claude-opus-4-5", "claude-opus-4-6", "claude-opus-*", "claude-*-opus", "claude-*-opus-*")
_SONNET_NAMES = (
    "sonnet",
    "claude-sonnet-4-5",
    "claude-sonnet-4-6",
    "claude-sonnet-*",
    "claude-*-sonnet",
    "claude-*-sonnet-*",
)


class Manners(Value, frozen=True, kw_only=True):
    """`dress` is how errors are told, None for as ever. `healthy`: that is the word for health. `asks`: a client key is
    asked for unless none is looked at anywhere. `names` lead to models, and `default` is for names that nobody offers,
    as far as somebody offers those; what is configured of a name comes before. `stands_in`: models that stand in for a
    name are asked although somebody offers it.
    """

    dress: Dress | None = None
    healthy: bool = False
    asks: bool = False
    names: Mapping[str, str] = {}
    default: str | None = None
    stands_in: bool = False


MANNERS: Mapping[Compat, Manners] = {
    Compat.UNIFIED: Manners(),
    Compat.MUX: Manners(),
    Compat.TRUCK: Manners(dress=numbered, asks=True),
    Compat.BEDROCK: Manners(
        healthy=True,
        names={
            "claude-sonnet-4.5": _SONNET,
            "claude-haiku-4.5": _HAIKU,
            "gpt-4": _SONNET,
            "gpt-3.5-turbo": _HAIKU,
        },
        default=_SONNET,
    ),
    Compat.LLMS: Manners(healthy=True),
    Compat.CODEX: Manners(
        names={**dict.fromkeys(_OPUS_NAMES, "gpt-5.3-codex"), **dict.fromkeys(_SONNET_NAMES, "gpt-5.2")},
        default="gpt-5.2",
        stands_in=True,
        dress=worded,
    ),
}
PLAIN = Manners()
"""A listener with these needs nothing of this file."""
_FORMAT = b"format=bedrock"
"""The question that the page for health answers with the word `healthy`."""


class Mannered:
    """Raw ASGI: the gateway's application, at a listener that has these manners."""

    def __init__(self, application: Application, manners: Manners) -> None:
        self._manners = manners
        self._inner = application.where(Renamed(application.live, manners))

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if self._manners.healthy and scope["path"] == "/health" and not scope["query_string"]:
            scope["query_string"] = _FORMAT
        if self._manners.dress is not None:
            send = Dressed(send, self._manners.dress).send
        await self._inner(scope, receive, send)


class Renamed:
    """Implements InForce: what is in force, with the names of one system, and its habit of asking for a key."""

    def __init__(self, live: InForce, manners: Manners) -> None:
        self._live = live
        self._manners = manners
        self._from: Now | None = None
        self._now = live.take()

    def take(self) -> Now:
        now = self._live.take()
        if now is not self._from:
            self._from, self._now = now, self._changed(now)
        return self._now

    def _changed(self, now: Now) -> Now:
        manners = self._manners
        if manners.asks and now.snapshot.auth is Auth.AUTO:
            now = replace(now, snapshot=replace(now.snapshot, auth=Auth.REQUIRED))
        if not manners.names:
            return now
        aliases: dict[str, tuple[str, ...]] = {name: (to,) for name, to in manners.names.items()}
        if manners.stands_in:
            aliases.update(_standing_in(now.snapshot.providers.values(), tuple(aliases)))
        return replace(now, directory=now.directory.with_names(aliases, manners.default))


def _standing_in(providers: Iterable[Provider], names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Where these names, and all those for which a model of some provider stands in, lead by that. The first counts."""
    found: dict[str, tuple[str, ...]] = {}
    for one in providers:
        known = {name: said for name in names if (said := closest(name, one.stand_ins)) is not None}
        for name, said in {**known, **{said: said for said in one.stand_ins}}.items():
            found.setdefault(name, (f"{one.name}/{one.stand_ins[said]}",))
    return found


def application_for(application: Application, compat: Compat) -> Application | Mannered:
    """What serves a listener of this kind."""
    manners = MANNERS[compat]
    return application if manners == PLAIN else Mannered(application, manners)
