"""Who may manage the gateway, as the configuration has it: checked, and compiled to what the gateway asks."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from isthmus.config.addresses import is_loopback
from isthmus.config.problems import write_path
from isthmus.config.reading import Reading
from isthmus.config.schema import Config
from isthmus.config.schema_admin import AdminListenerEntry, AdminRole
from isthmus.core.secret import Secret
from isthmus.engine.management import Actor, Management, Role

OWNER = "management-key"
"""What whoever has the management key is called in the audit log."""
ROLES: Mapping[AdminRole, Role] = MappingProxyType(
    {AdminRole.VIEWER: Role.VIEWER, AdminRole.OPERATOR: Role.OPERATOR, AdminRole.OWNER: Role.OWNER}
)
SHORTEST = 8
"""Characters of a management key, at least."""


def management_of(config: Config) -> Management:
    actors = {_digest(entry.key): Actor(entry.name, ROLES[entry.role]) for entry in config.admin.keys}
    if config.management_key is not None:
        actors[_digest(config.management_key)] = Actor(OWNER, Role.OWNER)
    return Management(
        secrets=MappingProxyType(actors),
        remote=config.admin.remote,
        apart=config.admin.listener is not None,
        local=config.admin.local,
    )


def check_admin(config: Config, reading: Reading) -> None:
    """Note what would be open without a key, and what is there twice."""
    admin, listener = config.admin, config.admin.listener
    if admin.remote and not _has_key(config, reading):
        reading.note(("admin", "remote"), "needs a key; set management-key or admin.keys")
    if listener is not None:
        _check_listener(config, listener, reading)
    _check_keys(config, reading)


def _has_key(config: Config, reading: Reading) -> bool:
    """Is there a key, be it one that could not be read?"""
    written = any(path in reading.values for path in (("management-key",), ("admin", "keys", 0)))
    return written or config.management_key is not None or bool(config.admin.keys)


def _check_listener(config: Config, listener: AdminListenerEntry, reading: Reading) -> None:
    if not is_loopback(listener.host) and not _has_key(config, reading):
        reading.note(("admin", "listener", "host"), "other machines can reach this address; set a management-key")
    if config.admin.remote:
        reading.note(("admin", "remote"), "is of no use beside admin.listener, where others manage; leave one out")
    if any((one.host, one.port) == (listener.host, listener.port) for one in config.listeners):
        reading.note(("admin", "listener"), "is the address and port of a listener for clients")


def _check_keys(config: Config, reading: Reading) -> None:
    first: list[Secret | str] = [OWNER] if config.management_key is None else [OWNER, config.management_key]
    seen: dict[Secret | str, str] = dict.fromkeys(first, "management-key")
    seen.update({entry.key: "a client key" for entry in config.client_keys})
    for index, entry in enumerate(config.admin.keys):
        path = reading.item(("admin", "keys"), index)
        if len(entry.key.reveal()) < SHORTEST:
            reading.note((*path, "key"), f"is shorter than {SHORTEST} characters, so it could be guessed")
        for said, words in ((entry.key, "is the same as"), (entry.name, "has the same name as")):
            if earlier := seen.get(said):
                reading.note(path, f"{words} {earlier}")
            seen.setdefault(said, write_path(path))


def _digest(key: Secret) -> bytes:
    return hashlib.sha256(key.reveal().encode()).digest()
