"""Addresses that a URL from a client may lead to: those of the public internet, and no other.

What is checked is what is connected to: the names' addresses themselves, not the names, so that
a name which leads elsewhere the second time gains nothing.
"""

import ipaddress
from collections.abc import Callable

from isthmus.transport.resolve import Address, Resolver

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_TUNNELS = (ipaddress.ip_network("2002::/16"), ipaddress.ip_network("2001::/32"))
"""6to4 and Teredo, whose addresses hold others."""


def is_public(host: str) -> bool:
    """Is this address, written as text, one of the public internet? Addresses that hold another are judged by it."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(str(address.ipv4_mapped))
        if address in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)))
        if any(address in network for network in _TUNNELS):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class GuardedResolver(Resolver):
    """Gives only the addresses that may be connected to."""

    def __init__(self, allowed: Callable[[str], bool] = is_public) -> None:
        super().__init__()
        self._allowed = allowed

    async def addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """At least one. Raises OSError where none may be connected to, else as Resolver does."""
        found = await super().addresses(host, port)
        public = tuple(address for address in found if self._allowed(address.sockaddr[0]))
        if not public:
            raise OSError("the address is not one of the public internet")
        return public
