"""The keys of a provider that only some hosts take, and what the environment says where the file does not."""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import replace

from isthmus.config.schema_providers import ProviderEntry
from isthmus.config.secrets import Environment
from isthmus.providers.table import Host

FIELDS: Mapping[str, str] = {
    "region": "region",
    "project": "project",
    "profile": "profile",
    "api-version": "api_version",
    "credentials-file": "credentials_file",
    "tenant-id": "tenant_id",
    "client-id": "client_id",
    "authority-url": "authority_url",
}
"""From the key in the file, which is also the host's word for it, to the entry's field."""
SECRET = "client-secret"  # noqa: S105  the key's name
SECRET_ENV = ("AZURE_CLIENT_SECRET",)


def settings_of(entry: ProviderEntry) -> Mapping[str, str]:
    """Those of its keys that are said."""
    said = {name: getattr(entry, field) for name, field in FIELDS.items()}
    return MappingProxyType({name: value for name, value in said.items() if value is not None})


def with_environment(entry: ProviderEntry, host: Host, environment: Environment) -> ProviderEntry:
    """The entry with what the host's usual variables say of keys that it leaves out.

    A secret belongs to the application of its own variable, and is not given to another.
    """
    found: dict[str, object] = {}
    for name, variables in host.settings.items():
        if getattr(entry, FIELDS[name]) is None and (value := _first(variables, environment)):
            found[FIELDS[name]] = value
    if "client-id" in host.settings and entry.client_secret is None:
        usual = _first(host.settings["client-id"], environment)
        if entry.client_id in (None, usual):
            found["client_secret"] = environment.secret(*SECRET_ENV)
    return replace(entry, **found)


def address_of(host: Host, environment: Environment) -> str | None:
    """The address that the host's usual variable holds, where only the user can know it."""
    return _first(host.url_env, environment)


def _first(variables: tuple[str, ...], environment: Environment) -> str | None:
    for name in variables:
        if value := (environment.get(name) or "").strip():
            return value
    return None
