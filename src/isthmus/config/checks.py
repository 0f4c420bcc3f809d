"""What must hold between keys, once each could be read on its own. Notes every problem; stops at none."""

import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path as FilePath
from urllib.parse import urlsplit

from isthmus.config.about import Switch
from isthmus.config.addresses import NO_PROXY, is_loopback, is_proxy
from isthmus.config.administrators import check_admin
from isthmus.config.checks_log import check_log
from isthmus.config.checks_metrics import check_metrics
from isthmus.config.checks_names import check_names
from isthmus.config.checks_otel import check_otel
from isthmus.config.checks_prices import check_prices
from isthmus.config.checks_routing import check_bounds, check_routes
from isthmus.config.clients import check_clients
from isthmus.config.clouds import FIELDS, SECRET, settings_of
from isthmus.config.hosts import COMPATIBLE, LOCAL, OLLAMA, host_of, kind_of
from isthmus.config.issuers import check_issuers
from isthmus.config.keys import key_name, named_keys
from isthmus.config.problems import Path, nearest, write_path
from isthmus.config.reading import Reading
from isthmus.config.schema import Config
from isthmus.config.schema_providers import ProviderEntry
from isthmus.config.seal_places import check_seal
from isthmus.config.stores import check_store
from isthmus.core.secret import Secret
from isthmus.engine.clients import Auth
from isthmus.providers.build import check_headers, check_key, parse_base
from isthmus.providers.host import Place
from isthmus.providers.table import PROVIDERS, Host

STORES = ("redis", "rediss")
_OPEN_DOOR = (
    "other machines can reach this address and no client-keys are set; add one, set auth: required and give keys out"
    " from this machine, or set insecure: true"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check(config: Config, reading: Reading, folder: FilePath) -> None:
    """Note everything in a completed configuration that cannot work. Files are looked for below `folder`."""
    check_listeners(config, reading)
    check_clients(config, _provider_names(config, reading), reading)
    for name, entry in config.providers.items():
        check_provider(name, entry, reading)
        check_keys(name, entry, reading)
        check_address(name, entry, reading)
        check_place(name, entry, reading, folder)
        check_way_there(name, entry, reading, folder)
        check_bounds(name, entry, reading)
    check_routes(config, _provider_names(config, reading), reading)
    check_names(config, _provider_names(config, reading), reading)
    check_models(config, reading)
    check_prices(config, reading)
    check_state(config, reading)
    check_log(config.log, reading)
    check_otel(config.otel, reading)
    check_store(config, reading)
    check_seal(config, reading)
    check_issuers(config, reading, folder)
    check_admin(config, reading)
    check_metrics(config.metrics, reading)


def check_listeners(config: Config, reading: Reading) -> None:
    if not config.listeners:
        reading.note(("listeners",), "is empty, so nobody could connect; leave it out for 127.0.0.1:8317")
    keyless = (not config.client_keys and ("client-keys", 0) not in reading.values) or config.auth is Auth.OFF
    meant = config.insecure or config.auth is Auth.REQUIRED
    taken: set[tuple[str, int]] = set()
    for index, entry in enumerate(config.listeners):
        path = reading.item(("listeners",), index)
        if keyless and not meant and not is_loopback(entry.host):
            reading.note((*path, "host"), _OPEN_DOOR)
        if entry.port and (entry.host, entry.port) in taken:
            reading.note(path, "is the same address and port as an earlier one")
        taken.add((entry.host, entry.port))


def check_provider(name: str, entry: ProviderEntry, reading: Reading) -> None:
    """What the provider is, and that it has a key where it needs one."""
    path: Path = ("providers", name)
    if not _NAME.fullmatch(name):
        reading.note(path, "a provider's name is letters, digits, '.', '_' and '-'", at_key=True)
    if entry.type is None and (*path, "type") in reading.values:
        return
    host = host_of(name, entry)
    if host is None:
        _note_unknown_kind(name, entry, reading)
        return
    if entry.dialect is not None and kind_of(name, entry) != COMPATIBLE:
        reading.note((*path, "dialect"), f"is only for type: {COMPATIBLE}; {host.name} speaks its own", at_key=True)
    keyless = entry.api_key is None and not entry.api_keys
    if entry.enabled and keyless and _needs_key(path, entry, host, reading):
        reading.note(path, f"has no api-key, and {' or '.join(host.key_env)} is not set", at_key=True)
    try:
        check_key(entry.api_key)
    except ValueError as error:
        reading.note((*path, "api-key"), str(error))


def _note_unknown_kind(name: str, entry: ProviderEntry, reading: Reading) -> None:
    path: Path = ("providers", name)
    if entry.type is not None:
        said = reading.quote((*path, "type"), entry.type)
        reading.note((*path, "type"), f"{said} is not a known type{nearest(entry.type, PROVIDERS)}")
        return
    known = nearest(name, PROVIDERS) or f"; for a host of your own, say type: {COMPATIBLE}"
    reading.note(path, f"is not the name of a known host, and there is no type{known}", at_key=True)


def _needs_key(path: Path, entry: ProviderEntry, host: Host, reading: Reading) -> bool:
    own_address = entry.base_url is not None or (*path, "base-url") in reading.values
    return (
        bool(host.key_env)
        and not (host.cloud or entry.issuer or own_address)
        and (*path, "api-key") not in reading.values
    )


def check_keys(name: str, entry: ProviderEntry, reading: Reading) -> None:
    """Every further key can stand in a header, and none is there twice, by itself or by its name."""
    first_key: list[Secret | str] = [] if entry.api_key is None else [entry.api_key, key_name("", 1)]
    seen = dict.fromkeys(first_key, "api-key")
    for index, one in enumerate(entry.api_keys):
        path = reading.item(("providers", name, "api-keys"), index)
        try:
            check_key(one.key)
        except ValueError as error:
            reading.note(path, str(error))
        label = key_name(one.name, index + (1 if entry.api_key is None else 2))
        for said, words in ((one.key, "is the same as"), (label, "has the same name as")):
            if first := seen.get(said):
                reading.note(path, f"{words} {first}")
            seen.setdefault(said, write_path(path))
        if one.proxy_url is not None and not is_proxy(one.proxy_url.reveal()):
            reading.note((*path, "proxy-url"), NO_PROXY)
    if entry.enabled and entry.api_keys and not named_keys(entry):
        reading.note(("providers", name, "api-keys"), "has no key that is enabled; say enabled: false of the provider")


def check_address(name: str, entry: ProviderEntry, reading: Reading) -> None:
    path: Path = ("providers", name)
    host = host_of(name, entry)
    if entry.base_url is None:
        nowhere = host is not None and host.base_url is None and host.locate is None
        if nowhere and (*path, "base-url") not in reading.values:
            reading.note(path, f"needs a base-url: type {kind_of(name, entry)} has no usual address", at_key=True)
        return
    try:
        parse_base(entry.base_url)
    except ValueError:
        reading.note(
            (*path, "base-url"),
            "is not a usable address; write it like https://api.example.com/v1: http or https, and no user name, "
            "password, query or fragment",
        )


def check_place(name: str, entry: ProviderEntry, reading: Reading, folder: FilePath) -> None:
    """The keys that only some hosts take: this one does, and they say where it is."""
    path: Path = ("providers", name)
    host = host_of(name, entry)
    if host is None:
        return
    for key in (*FIELDS, SECRET):
        taken = "client-id" if key == SECRET else key
        if (*path, key) in reading.keys and taken not in host.settings:
            reading.note((*path, key), f"is nothing that type {host.name} knows", at_key=True)
    if entry.credentials_file is not None and not (folder / entry.credentials_file).is_file():
        reading.note((*path, "credentials-file"), "there is no such file")
    if host.locate is None or not entry.enabled or _unread(path, entry, reading):
        return
    try:
        host.locate(Place(entry.base_url, settings_of(entry), keyed=bool(entry.api_key or entry.api_keys)))
    except ValueError as error:
        reading.note(path, str(error), at_key=True)


def _unread(path: Path, entry: ProviderEntry, reading: Reading) -> bool:
    """Is there a key of a place that could not be read, so that what it would say is not known?"""
    keys = {
        "base-url": entry.base_url,
        "api-key": entry.api_key,
        **{key: getattr(entry, FIELDS[key]) for key in FIELDS},
    }
    return any(value is None and (*path, key) in reading.values for key, value in keys.items())


def check_way_there(name: str, entry: ProviderEntry, reading: Reading, folder: FilePath) -> None:
    """The proxy, the authorities and the headers."""
    path: Path = ("providers", name)
    if entry.proxy_url is not None and not is_proxy(entry.proxy_url.reveal()):
        reading.note((*path, "proxy-url"), NO_PROXY)
    if entry.ca_file is not None and not (folder / entry.ca_file).is_file():
        reading.note((*path, "ca-file"), "there is no such file")
    for header, value in entry.headers.items():
        try:
            check_headers([(header, value.reveal())])
        except ValueError as error:
            reading.note((*path, "headers", header), str(error))


def check_models(config: Config, reading: Reading) -> None:
    for name, entry in config.models.items():
        for ability in entry.can:
            if ability in entry.cannot:
                reading.note(("models", name, "cannot"), f"names {ability}, which the model can do by the key can")


def _provider_names(config: Config, reading: Reading) -> Sequence[str]:
    """The providers that may be named: also those that could not be read, and what may be found on this machine."""
    written = [str(path[1]) for path in reading.keys if len(path) == 2 and path[0] == "providers"]
    found = [*config.providers, *written]
    if not written:
        found.append(OLLAMA)
    if config.local.enabled is not Switch.OFF:
        found.append(LOCAL)
    return list(dict.fromkeys(found))


def check_state(config: Config, reading: Reading) -> None:
    if config.state.url is not None:
        if not _is_store(config.state.url.reveal()):
            reading.note(("state", "url"), "must be redis://[USER:PASSWORD@]HOST[:PORT][/NUMBER], or rediss:// for TLS")
        elif find_spec("redis") is None:
            reading.note(("state", "url"), "needs an extra; run: pip install 'isthmus[redis]'")
    if not _NAME.fullmatch(config.state.prefix):
        reading.note(("state", "prefix"), "must be letters, digits, '.', '_' and '-'")


def _is_store(url: str) -> bool:
    try:
        parts = urlsplit(url)
        whole = parts.scheme in STORES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return whole and not parts.query and not parts.fragment and re.fullmatch(r"(/\d{0,5})?", parts.path) is not None
