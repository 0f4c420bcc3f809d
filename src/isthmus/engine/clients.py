"""Who may ask: clients as the line knows them, and the roll of those whose keys the gateway gave out.

Holds no key, only digests. Who a key belongs to is decided in admit.py, what a client may use in permits.py.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from isthmus.core.losses import OnLoss
from isthmus.core.value import Value
from isthmus.engine.records import ClientKey, Permits
from isthmus.routing.limits import Limit


class Auth(StrEnum):
    """Must a client show a key? AUTO: where any key is known. OFF: none is looked at, also of those that are known."""

    REQUIRED = "required"
    OFF = "off"
    AUTO = "auto"


class Client(Value, frozen=True):
    """Who is calling. `name` is for logs; it is never a secret. `on_loss` is None where nothing was said of it.

    `id` is that of its key where the gateway gave it out. `permits` is None where everything is permitted. From `ends`
    on, in Unix time, its key is not taken; None for never. A key that is switched off has ended, and is `disabled`.
    `cache`: whether its answers are kept for the same request to come again; None where nothing was said of it.
    """

    name: str
    on_loss: OnLoss | None = None
    id: str = ""
    team: str = ""
    permits: Permits | None = None
    ends: float | None = None
    disabled: bool = False
    cache: bool | None = None

    @property
    def owner(self) -> str:
        """By what its own things are found again: a key that is made later under the same name is somebody else's."""
        return self.id or self.name


ANYONE = Client("anyone")
SHADOW = Client("shadow")
"""Stands for nobody, where a request is a copy of somebody's: it takes nothing of anybody's limits and budgets."""


class Roll(Value, frozen=True):
    """Clients by the digests of keys that were given out, and their limits by scope.

    `whole`: there are no others. Where it is not, nobody can tell at present whether an unknown key is a wrong one; and
    where one `asks`, nobody comes in without a key, also if none of these is taken.
    """

    clients: Mapping[bytes, Client] = {}
    allowances: Mapping[str, tuple[Limit, ...]] = {}
    whole: bool = True
    asks: bool = False


NOBODY = Roll()


def clients_of(key: ClientKey, identity: str = "") -> Iterator[tuple[bytes, Client]]:
    """The client behind a key, by the key's digest and by each that it was rotated away from, while that is taken.

    `identity` is the key's id where that is more than its name.
    """
    permits = None if key.permits == Permits() else key.permits
    ends = 0.0 if key.disabled else key.expires_at
    client = Client(key.name, key.on_loss, identity, key.team, permits, ends, key.disabled, key.cache)
    for digest, until in key.earlier:
        earlier = until if ends is None else min(until, ends)
        yield digest, Client(key.name, key.on_loss, identity, key.team, permits, earlier, key.disabled, key.cache)
    yield key.digest, client
