"""The client keys of the file: what of them cannot work, and what the engine is told of them."""

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime

from isthmus.config.addresses import is_loopback
from isthmus.config.allowances import allowance_of, client_name
from isthmus.config.keys import named_keys
from isthmus.config.problems import Path, nearest, write_path
from isthmus.config.reading import Reading
from isthmus.config.schema import Config
from isthmus.config.schema_clients import ClientEntry, TeamEntry
from isthmus.core.secret import Secret
from isthmus.engine.clients import Auth, Client, clients_of
from isthmus.engine.records import ClientKey, Permits
from isthmus.routing.places import ONE_KEY


def client_keys(config: Config) -> tuple[ClientKey, ...]:
    """The keys of the file, as those that are given out."""
    return tuple(_client_key(entry, position) for position, entry in enumerate(config.client_keys, 1))


def clients(config: Config) -> dict[bytes, Client]:
    """Who the keys of the file belong to, by their digests; nobody where none is looked at."""
    if config.auth is Auth.OFF:
        return {}
    return {digest: client for key in client_keys(config) for digest, client in clients_of(key)}


def auth_of(config: Config) -> Auth:
    """When a key is asked for: always where other machines can connect, unless that is meant to be open."""
    if config.auth is not Auth.AUTO or config.insecure:
        return config.auth
    return Auth.AUTO if all(is_loopback(listener.host) for listener in config.listeners) else Auth.REQUIRED


def read_time(text: str) -> float:
    """Unix time of a date, or of a date and a time, which is UTC where it does not say. Raises ValueError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("must be a date such as 2027-01-31, or 2027-01-31T18:00:00Z") from error
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


def check_clients(config: Config, providers: Collection[str], reading: Reading) -> None:
    """Note what of the client keys cannot work. `providers` are the names of all that may be there."""
    if config.auth is Auth.REQUIRED and not config.client_keys and not config.store.enabled:
        reading.note(("auth",), "lets nobody in: there are no client-keys, and without the store none can be given out")
    _check_twins(config, reading)
    for name, team in config.teams.items():
        _check_day(("teams", name), team, reading)
    for index, entry in enumerate(config.client_keys):
        path = reading.item(("client-keys",), index)
        _check_permits(path, entry, providers, reading)
        _check_places(path, entry, config, reading)
        _check_rest(path, entry, reading)


def _client_key(entry: ClientEntry, position: int) -> ClientKey:
    name = client_name(entry.name, position)
    return ClientKey(
        id=f"file:{name}",
        name=name,
        digest=digest_of(entry.key),
        hint="",
        created_at=0.0,
        owner=entry.owner,
        team=entry.team,
        tags=entry.tags,
        expires_at=None if entry.expires is None else read_time(entry.expires),
        permits=Permits(
            models=entry.models,
            providers=entry.providers,
            keys=entry.keys,
            operations=tuple(one.value for one in entry.operations),
        ),
        allowance=allowance_of(entry, entry.concurrency, entry.budgets),
        on_loss=entry.on_loss,
        cache=entry.cache,
    )


def digest_of(key: Secret) -> bytes:
    return hashlib.sha256(key.reveal().encode()).digest()


def _check_twins(config: Config, reading: Reading) -> None:
    """No key and no name is there twice."""
    seen: dict[Secret | str, str] = {}
    for index, entry in enumerate(config.client_keys):
        path = reading.item(("client-keys",), index)
        if first := seen.get(entry.key):
            reading.note(path, f"is the same key as {first}")
        name = client_name(entry.name, index + 1)
        if first := seen.get(name):
            reading.note((*path, "name"), f"is the same name as that of {first}")
        seen.setdefault(entry.key, write_path(path))
        seen.setdefault(name, write_path(path))


def _check_permits(path: Path, entry: ClientEntry, providers: Collection[str], reading: Reading) -> None:
    for index, name in enumerate(entry.providers):
        if name not in providers:
            at = reading.item((*path, "providers"), index)
            reading.note(at, f"{reading.quote(at, name)} is not a provider{nearest(name, providers)}")


def _check_places(path: Path, entry: ClientEntry, config: Config, reading: Reading) -> None:
    """Each is a key of a provider. Those of providers that are found by themselves have one that is called `key`."""
    for index, place in enumerate(entry.keys):
        provider, _, name = place.partition("/")
        known = list(named_keys(config.providers[provider])) if provider in config.providers else []
        if name not in (known or (ONE_KEY[0].name,)):
            at = reading.item((*path, "keys"), index)
            reading.note(at, f"{reading.quote(at, place)} is not a provider's key, as provider/key")


def _check_day(path: Path, entry: ClientEntry | TeamEntry, reading: Reading) -> None:
    if entry.budgets.day is not None and entry.dollars_per_day is not None:
        reading.note((*path, "dollars-per-day"), "says the same as budgets.day; leave one of them out", at_key=True)


def _check_rest(path: Path, entry: ClientEntry, reading: Reading) -> None:
    _check_day(path, entry, reading)
    if entry.expires is not None:
        try:
            read_time(entry.expires)
        except ValueError as error:
            reading.note((*path, "expires"), str(error))
