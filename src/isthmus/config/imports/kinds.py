"""KINDS: the systems whose configuration files are read, and how a file is told from another."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from isthmus.config.imports import codex, litellm, llm_mux, llms, truckllm
from isthmus.config.imports.beside import Beside
from isthmus.config.imports.report import Imported
from isthmus.config.schema import Config

Reader: TypeAlias = Callable[[object, Beside], Imported]


_SHARED = frozenset({"accounts", "providers", "routing", "limits", "usage", "version"})
_OURS = frozenset(Config.__struct_encode_fields__) - _SHARED
"""Keys at the top of our own file that no other system has."""


class Kind(NamedTuple):
    """`marks` are keys of which a file has at least one, and that no other system's file has at its top."""

    system: str
    read: Reader
    marks: frozenset[str]


KINDS: Mapping[str, Kind] = {
    "llm-mux": Kind(
        "llm-mux",
        lambda document, _: llm_mux.read(document),
        frozenset(
            {
                "disable-auth",
                "auth-dir",
                "api-keys",
                "request-retry",
                "max-retry-interval",
                "quota-exceeded",
                "remote-management",
                "logging-to-file",
                "use-canonical-translator",
                "show-provider-prefixes",
                "oauth-excluded-models",
                "ampcode",
            }
        ),
    ),
    "litellm": Kind(
        "LiteLLM",
        lambda document, _: litellm.read(document),
        frozenset({"model_list", "litellm_settings", "general_settings", "router_settings"}),
    ),
    "truckllm": Kind(
        "TruckLLM", lambda document, _: truckllm.read(document), frozenset({"model_aliases", "policy", "server"})
    ),
    "llms": Kind("llms.py", llms.read, frozenset({"disable_extensions", "convert", "defaults"})),
    "codex": Kind(
        "codex-claude-proxy",
        lambda document, _: codex.read(document),
        frozenset({"haikuKiloModel", "accountStrategy", "activeAccount"}),
    ),
}


def recognized(document: object) -> str | None:
    """The kind of a document, by its shape; None for one of ours, or of nobody that is known."""
    if not isinstance(document, Mapping) or document.keys() & _OURS:
        return None
    for name, kind in KINDS.items():
        if kind.marks & document.keys():
            return name
    return _by_providers(document.get("providers"))


def _by_providers(providers: object) -> str | None:
    """Ours are a mapping whose entries are written with hyphens."""
    if isinstance(providers, list):
        first = providers[0] if providers and isinstance(providers[0], Mapping) else {}
        return "truckllm" if "id" in first or "base_url" in first else "llm-mux"
    return None
