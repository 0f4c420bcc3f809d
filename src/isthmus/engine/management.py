"""Who may manage the gateway, and from where, as it is configured. Secrets stand here as digests alone."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from isthmus.core.value import Value


class Role(IntEnum):
    """Who may do more may do all that others may. ANYONE needs no secret; a VIEWER changes nothing; an OPERATOR runs
    the gateway; an OWNER also gives out keys and changes the configuration."""

    ANYONE = 0
    VIEWER = 1
    OPERATOR = 2
    OWNER = 3


class Actor(Value, frozen=True):
    """Who calls: `name` is for the audit log, never a secret."""

    name: str
    role: Role


NOBODY = Actor("nobody", Role.ANYONE)


class Management(Value, frozen=True, kw_only=True):
    """`secrets` are those of administrators, by the SHA-256 digest of each.

    `remote`: other machines may manage with a secret, where clients connect. `apart`: management has a listener of
    its own, and other machines may manage nowhere else. `local`: programs on this machine need no secret, to do
    everything while there is none, and else to look.
    """

    secrets: Mapping[bytes, Actor] = MappingProxyType({})
    remote: bool = False
    apart: bool = False
    local: bool = True
