"""Which row of the provider table a configured provider stands for, and where its key comes from."""

from isthmus.config.schema_providers import Dialect, ProviderEntry
from isthmus.config.secrets import Environment
from isthmus.core.secret import Secret
from isthmus.providers.table import PROVIDERS, Host

COMPATIBLE = "compatible"
"""The type of a host that is known only by what it speaks."""
LOCAL = "local"
"""The bundled model."""
OLLAMA = "ollama"
GEMINI = "gemini"
CODEX = "codex"
"""The backend of whoever has signed in to ChatGPT."""

_COMPATIBLE = {
    Dialect.OPENAI: COMPATIBLE,
    Dialect.ANTHROPIC: "anthropic-compatible",
    Dialect.OLLAMA: OLLAMA,
    Dialect.GEMINI: GEMINI,
}


def kind_of(name: str, entry: ProviderEntry) -> str:
    """The type, which is the provider's own name unless told."""
    return entry.type or name


def host_of(name: str, entry: ProviderEntry) -> Host | None:
    """The row for this provider; None for a type that nobody knows."""
    kind = kind_of(name, entry)
    return PROVIDERS.get(_COMPATIBLE[entry.dialect] if entry.dialect and kind == COMPATIBLE else kind)


def key_of(name: str, entry: ProviderEntry, environment: Environment) -> Secret | None:
    """The configured key, else what the host's usual variable holds.

    That variable is not read for an address of one's own: its key belongs to the usual one, or to the
    one in the host's usual variable where only the user can know it. Nor is it where accounts are asked under.
    """
    host = host_of(name, entry)
    if entry.api_key is not None or host is None or entry.issuer or not _at_home(entry, host, environment):
        return entry.api_key
    return environment.secret(*host.key_env)


def _at_home(entry: ProviderEntry, host: Host, environment: Environment) -> bool:
    """Is the provider at the address that its usual key is for?"""
    if entry.base_url is None:
        return True
    return bool(host.url_env) and (environment.get(host.url_env[0]) or "").strip() in ("", entry.base_url)
