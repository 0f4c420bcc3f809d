"""Issuers, as the configuration has them: the known ones, with what was said otherwise, and those of one's own."""

from collections.abc import Mapping
from pathlib import Path as FilePath

from msgspec.structs import asdict, replace

from isthmus.config.addresses import NO_PROXY, is_proxy
from isthmus.config.problems import nearest, write_path
from isthmus.config.reading import Reading
from isthmus.config.schema import Config
from isthmus.config.schema_accounts import IssuerEntry
from isthmus.providers.issuer import Issuer, SignInFlow
from isthmus.providers.issuers.checked import checked
from isthmus.providers.issuers.table import ISSUERS

AS_THEY_ARE = frozenset(
    {
        "title",
        "client_id",
        "client_secret",
        "flows",
        "authorize_url",
        "token_url",
        "device_url",
        "usage_url",
        "models_url",
        "scopes",
        "refresh_scopes",
        "callback_host",
        "callback_path",
        "callback_ports",
        "parameters",
        "json_tokens",
        "files",
        "subscription",
        "terms",
        "audience",
        "ca_file",
    }
)
"""What an entry and an issuer have under one name; for the others there is a line in `issuer_of`."""


def issuers_of(config: Config) -> Mapping[str, Issuer]:
    """All, by name. Raises ValueError where one cannot be."""
    return {**ISSUERS, **{name: issuer_of(name, entry) for name, entry in config.accounts.issuers.items()}}


def issuer_of(name: str, entry: IssuerEntry) -> Issuer:
    """The issuer called `name`. Raises ValueError, with words for whoever wrote it."""
    known = ISSUERS.get(name) or Issuer(name=name, title=name, client_id="", flows=_flows(entry))
    said = {field: value for field, value in asdict(entry).items() if value is not None and field in AS_THEY_ARE}
    claims = {field: path for field, path in asdict(entry.claims).items() if path is not None}
    changed = replace(known, **said, claims=replace(known.claims, **claims))
    if entry.subject_header is not None:
        changed = replace(changed, subject_header=entry.subject_header.lower().encode())
    if entry.proxy_url is not None:
        changed = replace(changed, proxy=entry.proxy_url.reveal())
    return checked(changed)


def check_issuers(config: Config, reading: Reading, folder: FilePath) -> None:
    """Note every issuer that nobody could sign in to, and every provider whose issuer nobody knows."""
    for name, entry in config.accounts.issuers.items():
        path = ("accounts", "issuers", name)
        if not any(one.key.startswith(f"{write_path(path)}.") for one in reading.problems):
            _check_issuer(name, entry, reading)
        if entry.proxy_url is not None and not is_proxy(entry.proxy_url.reveal()):
            reading.note((*path, "proxy-url"), NO_PROXY)
        if entry.ca_file is not None and not (folder / entry.ca_file).is_file():
            reading.note((*path, "ca-file"), "there is no such file")
    known = (*ISSUERS, *config.accounts.issuers)
    for name, provider in config.providers.items():
        if not provider.issuer:
            continue
        path = ("providers", name, "issuer")
        if provider.issuer not in known:
            reading.note(path, f"{provider.issuer!r} is not a known issuer{nearest(provider.issuer, known)}")
        if _has_key(name, reading):
            reading.note(path, "is asked under accounts, and api-key under a key: leave one out", at_key=True)


def _check_issuer(name: str, entry: IssuerEntry, reading: Reading) -> None:
    try:
        issuer_of(name, entry)
    except ValueError as error:
        reading.note(("accounts", "issuers", name), str(error), at_key=True)


def _has_key(provider: str, reading: Reading) -> bool:
    return any((("providers", provider, key) in reading.keys) for key in ("api-key", "api-keys"))


def _flows(entry: IssuerEntry) -> tuple[SignInFlow, ...]:
    """What an issuer of one's own can do, where it does not say: whatever it has an address for."""
    code = (SignInFlow.CODE,) if entry.authorize_url else ()
    device = (SignInFlow.DEVICE,) if entry.device_url else ()
    files = (SignInFlow.FILE,) if entry.files else ()
    return (*code, *device, SignInFlow.PASTED, *files)
