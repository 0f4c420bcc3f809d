"""Where clients connect: what the command line puts in place of the configured listeners."""

from collections.abc import Mapping

from msgspec.structs import replace

from isthmus.config.schema import Config, ListenerEntry
from isthmus.core.value import Value
from isthmus.engine.compat import Compat

PORTS: Mapping[Compat, int] = {
    Compat.UNIFIED: 8317,
    Compat.MUX: 8317,
    Compat.TRUCK: 8080,
    Compat.BEDROCK: 8000,
    Compat.LLMS: 8000,
    Compat.CODEX: 8081,
}
"""Where the clients of each system look for it."""
ALL = (Compat.UNIFIED, Compat.TRUCK, Compat.LLMS, Compat.CODEX)
"""One for each of these ports."""


class Listen(Value, frozen=True):
    """What the command line says of listening; None for what it leaves to the file.

    With a `compat` and no port, the port is where its clients look. `all_ports`: a listener at each of those.
    """

    host: str | None = None
    port: int | None = None
    compat: Compat | None = None
    all_ports: bool = False

    def words(self) -> list[str]:
        """The same, as the command line has it."""
        said = {"--host": self.host, "--port": self.port, "--compat": self.compat}
        options = [word for name, value in said.items() if value is not None for word in (name, str(value))]
        return [*options, "--all-ports"] if self.all_ports else options


AS_CONFIGURED = Listen()


def compat_of(config: Config, listen: Listen) -> frozenset[Compat]:
    """Whose manners the listeners will have."""
    if listen.all_ports:
        return frozenset(ALL)
    return frozenset({one.compat for one in config.listeners} if listen.compat is None else {listen.compat})


def listening(config: Config, listen: Listen) -> Config:
    """The configuration with the listeners that the command line asks for."""
    if listen == AS_CONFIGURED:
        return config
    first = config.listeners[0] if config.listeners else ListenerEntry()
    host = first.host if listen.host is None else listen.host
    if listen.all_ports:
        return replace(config, listeners=tuple(ListenerEntry(host, PORTS[compat], compat) for compat in ALL))
    compat = first.compat if listen.compat is None else listen.compat
    usual = first.port if listen.compat is None else PORTS[compat]
    port = usual if listen.port is None else listen.port
    return replace(config, listeners=(ListenerEntry(host, port, compat),))
