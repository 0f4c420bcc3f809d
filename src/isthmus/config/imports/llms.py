"""llms.py: its `llms.json`, with the `providers.json` beside it, where addresses, key variables and models stand.

A value may be `$NAME` of the environment. A provider whose variable is not set is off there, so it is here.
"""

from collections.abc import Mapping

from isthmus.config.hosts import COMPATIBLE
from isthmus.config.imports.beside import NOTHING, Beside
from isthmus.config.imports.draft import (
    BESIDE,
    Draft,
    Row,
    Table,
    below,
    items,
    lost,
    mapping,
    number,
    one_text,
    reads,
    same,
    take,
    text,
    whole,
)
from isthmus.config.imports.hosts import free_name, is_home, types_of, with_version
from isthmus.config.imports.llms_models import read_models
from isthmus.config.imports.report import Fit, Imported
from isthmus.config.imports.spelling import after_a_dollar
from isthmus.config.problems import Path
from isthmus.providers.table import PROVIDERS

PORT = 8000
HOSTS: Mapping[str, str] = {
    "google": "gemini",
    "moonshotai": "moonshot",
    "fireworks-ai": "fireworks",
    "togetherai": "together",
    "github-models": "github",
}
"""Names that llms.py has for hosts that are called otherwise here."""
_ACCOUNTS = frozenset({"github-copilot", "llmspy"})
"""Providers that are reached by signing in."""
_DIALECTS: Mapping[str, tuple[str, str]] = {
    "@ai-sdk/anthropic": ("anthropic", "v1"),
    "@ai-sdk/anthropic-cli": ("anthropic", "v1"),
    "@ai-sdk/google": ("gemini", "v1beta"),
    "ollama": ("ollama", ""),
}
"""By the module that speaks to a provider: the dialect, and the version at the end of our address."""
_NOT_WRITTEN = "parameters are not written into requests here"
_WHOLE_CALL = "counts from the request's first byte to the answer's last"


def read(document: object, beside: Beside = NOTHING) -> Imported:
    """Our document for one of llms.py."""
    draft = Draft(after_a_dollar)
    said = document if isinstance(document, Mapping) else {}
    draft.append(("listeners",), {"host": "127.0.0.1", "port": PORT, "compat": "llms"}, ())
    for name, value in mapping(draft, said.get("providers"), ("providers",)):
        _provider(draft, name, value, beside)
    take(draft, TOP, document, ())
    return draft.done()


def _provider(draft: Draft, name: str, value: object, beside: Beside) -> None:
    path: Path = ("providers", name)
    if name in _ACCOUNTS:
        draft.note(Fit.NO_EQUAL, path, "is reached by signing in, which is not taken over")
        return
    own = dict(mapping(draft, value, path))
    known = beside.catalogue.get(name)
    more = known if isinstance(known, Mapping) else {}
    ours = free_name(name, types_of(draft.get("providers")))
    draft.put(("routing", "priority", ours), len(types_of(draft.get("providers"))) + 1, path)
    entry = draft.under("providers", ours, theirs=path)
    for key, found in _place(name, {**more, **own}).items():
        entry.put((key,), found, path)
    _key(entry, {**more, **own}, path, beside)
    take(entry, PROVIDER, own, path)
    read_models(draft, ours, own, path)
    if entry.get("models") is None and name not in PROVIDERS and HOSTS.get(name) is None:
        read_models(draft, ours, {"models": more.get("models")}, path)


def _place(name: str, said: Mapping[str, object]) -> dict[str, str]:
    """The type, and where it is if that is not its usual place."""
    kind, url = HOSTS.get(name, name), one_text(said.get("api"))
    if kind in PROVIDERS and (not url or is_home(kind, url)):
        return {"type": kind}
    dialect, version = _DIALECTS.get(one_text(said.get("npm")), ("openai", ""))
    found = {"type": COMPATIBLE, "dialect": dialect}
    return {**found, "base-url": with_version(url, version) if url and version else url}


def _key(entry: Draft, said: Mapping[str, object], path: Path, beside: Beside) -> None:
    """The key, or the variable that it is in. Without one that is set, the provider is off."""
    key = one_text(said.get("api_key"))
    names = [key[1:]] if key.startswith("$") else [] if key else _variables(said, str(entry.get("type")))
    found = next(filter(beside.is_set, names), None)
    if key and not names:
        entry.put(("api-key",), key, (*path, "api_key"))
    elif found is not None:
        entry.put(("api-key",), f"${found}", (*path, "api_key"))
    elif names:
        entry.put(("enabled",), False, (*path, "enabled"))
        entry.note(Fit.DIFFERS, path, f"is off, because {' or '.join(names)} is not set")


def _variables(said: Mapping[str, object], kind: str) -> list[str]:
    env = said.get("env")
    named = [one for one in env if isinstance(one, str)] if isinstance(env, list) else []
    return named or list(PROVIDERS[kind].key_env if kind in PROVIDERS else ())


def _enabled(draft: Draft, value: object, path: Path) -> None:
    if text(draft, value, path) != "true":
        draft.put(("enabled",), False, path)


def _retries(draft: Draft, value: object, path: Path) -> None:
    if (rounds := whole(draft, value, path, most=50)) is not None:
        many = len(types_of(draft.get("providers")))
        draft.put(("limits", "attempts"), max(1, min(50, rounds * many)), path)


def _size(draft: Draft, value: object, path: Path) -> None:
    if (size := whole(draft, value, path, least=1024, most=1024**3)) is not None:
        draft.put(("limits", "request-body"), size, path)


def _timeout(draft: Draft, value: object, path: Path) -> None:
    if seconds := number(draft, value, path):
        for name in types_of(draft.get("providers")):
            draft.put(("providers", name, "deadlines", "total"), seconds, path)


def _headers(draft: Draft, value: object, path: Path) -> None:
    """What every request is sent with there, where it is not what HTTP clients say anyway."""
    for name, one in mapping(draft, value, path):
        if name.lower() not in ("content-type", "user-agent"):
            for provider in types_of(draft.get("providers")):
                draft.put(("providers", provider, "headers", name), text(draft, one, (*path, name)), (*path, name))


def _env(draft: Draft, value: object, path: Path) -> None:
    for item, at in items(draft, value, path):
        text(draft, item, at)


def _asked_for(name: str) -> Row:
    return lost(f"a request says which model it wants; what a {name} asks by default is the client's matter")


PROVIDER: Table = {
    "enabled": reads(_enabled),
    "id": BESIDE,
    "name": BESIDE,
    "npm": BESIDE,
    "api": BESIDE,
    "api_key": BESIDE,
    "env": reads(_env),
    "doc": BESIDE,
    "models": BESIDE,
    "map_models": BESIDE,
    "headers": same("headers"),
    "include_models": lost("is a pattern of another kind; write names with * under models"),
    "exclude_models": lost("is a pattern of another kind; write names with * under models-excluded"),
    "check": lost("providers are not asked a question to check them; isthmus models asks what they list"),
    "modalities": lost("images and speech are not asked for apart from chat"),
    "server_tools": lost("a client names the tools it wants"),
    "safety_settings": lost(_NOT_WRITTEN),
    "thinking_config": lost(_NOT_WRITTEN),
    "speech_config": lost(_NOT_WRITTEN),
    **{
        name: lost(_NOT_WRITTEN)
        for name in (
            "enable_thinking",
            "frequency_penalty",
            "logprobs",
            "max_completion_tokens",
            "max_tokens",
            "n",
            "parallel_tool_calls",
            "presence_penalty",
            "prompt_cache_key",
            "reasoning_effort",
            "safety_identifier",
            "seed",
            "service_tier",
            "stop",
            "store",
            "stream",
            "temperature",
            "tools",
            "top_logprobs",
            "top_p",
            "verbosity",
        )
    },
}
DEFAULTS: Table = {
    "headers": reads(_headers),
    **{
        name: _asked_for(name)
        for name in ("text", "image", "audio", "file", "out:image", "out:audio", "out:video", "check", "compact")
    },
}
TOP: Table = {
    "version": BESIDE,
    "providers": BESIDE,
    "limits": below(
        {
            "client_timeout": reads(_timeout, _WHOLE_CALL),
            "client_max_size": reads(_size),
            "retries": reads(_retries, "its rounds over all providers are counted as tries"),
        }
    ),
    "defaults": below(DEFAULTS),
    "convert": lost("images are sent as they are"),
    "disable_extensions": lost("there are no extensions"),
    "loading": lost("there is no page for chats"),
}
