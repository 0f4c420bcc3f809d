"""Which row of the provider table a configured provider stands for, and where its key comes from."""

from isthmus.config.schema import Dialect, ProviderEntry
from isthmus.config.secrets import Environment
from isthmus.core.secret import Secret
from isthmus.providers.table import PROVIDERS, Host

COMPATIBLE = "compatible"
"""The type of a host that is known only by what it speaks."""
LOCAL = "local"
"""The bundled model."""
OLLAMA = "ollama"
GEMINI = "gemini"

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

    That variable is not read for an address of one's own: its key belongs to the usual one.
    """
    host = host_of(name, entry)
    if entry.api_key is not None or entry.base_url is not None or host is None:
        return entry.api_key
    return environment.secret(*host.key_env)
