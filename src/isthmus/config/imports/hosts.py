"""Which of our providers another system's provider is: by its kind, its address, and a name that is free."""

import re
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlsplit

from isthmus.config.hosts import COMPATIBLE
from isthmus.providers.table import PROVIDERS
from isthmus.routing.naming import any_matches

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_MAKERS: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("claude-*",),
    "gemini": ("gemini-*", "gemma-*"),
    "openai": ("gpt-*", "chatgpt-*", "o1*", "o3*", "o4*", "codex-*", "text-embedding-*"),
    "deepseek": ("deepseek-*",),
    "xai": ("grok-*",),
    "mistral": ("mistral-*", "codestral-*", "ministral-*"),
    "moonshot": ("kimi-*", "moonshot-*"),
    "zai": ("glm-*",),
    "alibaba": ("qwen*",),
}
"""Whose models are called what, by the type of the provider that is their maker's."""


def free_name(wanted: str, taken: Collection[str]) -> str:
    """A name that a provider of ours can have, as near to the wanted one as it can be."""
    plain = _NOT_IN_NAMES.sub("-", wanted).strip("._-")[:90] or "provider"
    if plain not in taken:
        return plain
    return next(name for number in range(2, len(taken) + 3) if (name := f"{plain}-{number}") not in taken)


def is_home(kind: str, url: str) -> bool:
    """Is this the usual address of that type of provider, whatever its path?"""
    host = PROVIDERS.get(kind)
    return host is not None and host.base_url is not None and _origin(host.base_url) == _origin(url) != ""


def type_of(kind: str, url: str | None) -> dict[str, str]:
    """`type` and `base-url` of a provider that another system calls `kind`: a host we know, else a compatible one."""
    if kind in PROVIDERS and (not url or is_home(kind, url)):
        return {"type": kind}
    return {"type": COMPATIBLE, "base-url": url or ""}


def with_version(url: str, version: str) -> str:
    """The address with the version at its end that our providers of this dialect begin at."""
    bare = url.rstrip("/")
    return bare if re.search(r"/v\d\w*$", bare) else f"{bare}/{version}"


def placed(model: str, providers: object) -> str:
    """`provider/model` for a bare model that only one provider of a document of ours can mean.

    That is one that lists no models, so that it may have it.
    """
    types = {name: kind for name, kind in types_of(providers).items() if not _lists(providers, name)}
    if model.partition("/")[0] in types_of(providers):
        return model
    makers = makers_of(model)
    fitting = [name for name, kind in types.items() if kind in makers or not makers]
    return f"{fitting[0]}/{model}" if len(fitting) == 1 else model


def at_home_by_name(entry: Mapping[str, object], name: str) -> str | None:
    """The usual address of a provider that has a list of keys and says no address.

    Where the address is said, no key is read from the environment besides those of the file.
    """
    host = PROVIDERS.get(str(entry.get("type", name)))
    listed = bool(entry.get("api-keys")) and not entry.get("api-key") and not entry.get("base-url")
    return host.base_url if host is not None and host.key_env and listed else None


def _lists(providers: object, name: str) -> bool:
    entry = providers.get(name) if isinstance(providers, Mapping) else None
    return isinstance(entry, Mapping) and bool(entry.get("models"))


def makers_of(model: str) -> list[str]:
    """The types of the providers that make models of such a name."""
    return [kind for kind, names in _MAKERS.items() if any_matches(model, names)]


def types_of(providers: object) -> dict[str, str]:
    """By name, the types of the providers in a document of ours."""
    found = providers.items() if isinstance(providers, Mapping) else ()
    return {name: str(entry.get("type", name)) for name, entry in found if isinstance(entry, Mapping)}


def served(providers: object) -> Iterable[str]:
    """The models that providers in a document of ours are said to serve, and their further names."""
    for entry in providers.values() if isinstance(providers, Mapping) else ():
        if isinstance(entry, Mapping):
            yield from (*(entry.get("models") or ()), *(entry.get("aliases") or ()))


def _origin(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
