"""llm-mux: its `config.yaml`, in the form of today and in that with a list for each kind of key.

Values are taken as they stand: llm-mux fills in no variables. Its accounts are not in this file but in a folder
of their own.
"""

from collections.abc import Mapping
from functools import partial

from isthmus.config.imports.draft import (
    BESIDE,
    Draft,
    Table,
    below,
    is_empty,
    items,
    lost,
    mapping,
    number,
    reads,
    same,
    take,
    text,
    texts,
    when_true,
    whole,
)
from isthmus.config.imports.hosts import free_name, type_of, types_of, with_version
from isthmus.config.imports.report import Fit, Imported
from isthmus.config.imports.spelling import as_it_stands
from isthmus.config.problems import Path

PORT = 8317
_ACCOUNTS = "is about accounts that were signed in to, which are not taken over"
_NOT_WRITTEN = "parameters are not written into requests here"
_AMP = "Amp is treated like any client; put names of your own under aliases"
_OWN_RESTS = "how long a key rests follows from what its provider answers"

_SPOKEN: Mapping[str, tuple[str, str]] = {
    "gemini": ("gemini", "v1beta"),
    "anthropic": ("anthropic", "v1"),
    "vertex-compat": ("gemini", "v1beta"),
}
"""By llm-mux's type: ours, and the version at the end of its address. Others speak OpenAI's dialect."""


def read(document: object) -> Imported:
    """Our document for one of llm-mux."""
    draft = Draft(as_it_stands)
    take(draft, TOP, document, ())
    said = document if isinstance(document, Mapping) else {}
    _listen(draft, said)
    for key, ours in (("proxy-url", ("proxy-url",)), ("stream-timeout", ("deadlines", "between-bytes"))):
        if not is_empty(said.get(key)) and said[key] != 0:
            _for_all_providers(draft, said[key], ours, (key,))
    return draft.done()


def _listen(draft: Draft, said: Mapping[str, object]) -> None:
    """llm-mux listens on every address. Where it asks for no key, this machine's own has to do."""
    port = PORT if is_empty(said.get("port")) else said["port"]
    asks = said.get("disable-auth", True) is False and draft.get("client-keys") is not None
    host = "0.0.0.0" if asks else "127.0.0.1"  # noqa: S104  as llm-mux does, and with keys
    draft.append(("listeners",), {"host": host, "port": port, "compat": "mux"}, ("port",))
    if asks:
        words = "programs on this machine are asked for a key too; llm-mux lets one in that sends none"
        draft.note(Fit.DIFFERS, ("api-keys",), words)
        return
    draft.note(Fit.DIFFERS, ("port",), "without keys to ask for, it listens on this machine's own address alone")
    if draft.get("client-keys") is not None:
        draft.put(("auth",), "off", ("disable-auth",))


def _for_all_providers(draft: Draft, value: object, ours: tuple[str, ...], path: Path) -> None:
    """What llm-mux says once, and we of each provider that does not say it itself."""
    for name in types_of(draft.get("providers")):
        if draft.get("providers", name, *ours) is None:
            draft.put(("providers", name, *ours), value, path)


def _client_keys(draft: Draft, value: object, path: Path) -> None:
    for key in texts(draft, value, path):
        draft.append(("client-keys",), key, path)


def _access(draft: Draft, value: object, path: Path) -> None:
    for item, at in items(draft, value, path):
        take(draft, ACCESS, item, at)


def _attempts(draft: Draft, value: object, path: Path) -> None:
    if (repeated := whole(draft, value, path, least=0, most=49)) is not None:
        draft.put(("limits", "attempts"), repeated + 1, path)


def _size(draft: Draft, value: object, path: Path, *, ours: str) -> None:
    if (size := whole(draft, value, path, least=1024, most=1024**3)) is not None:
        draft.put(("limits", ours), size, path)


def _management_key(draft: Draft, value: object, path: Path) -> None:
    key = text(draft, value, path)
    if key.startswith("$2"):
        draft.note(
            Fit.NO_EQUAL, path, "is kept as a digest, from which no key can be had; isthmus init gives a new one"
        )
    elif key:
        draft.put(("management-key",), key, path)


def _aliases(draft: Draft, value: object, path: Path) -> None:
    for name, to in mapping(draft, value, path):
        draft.put(("aliases", name), text(draft, to, (*path, name)), (*path, name))


def _fallbacks(draft: Draft, value: object, path: Path) -> None:
    for name, names in mapping(draft, value, path):
        if found := texts(draft, names, (*path, name)):
            draft.put(("routing", "fallbacks", name), found, (*path, name))


def _priority(draft: Draft, value: object, path: Path) -> None:
    known = types_of(draft.get("providers"))
    for name, rank in mapping(draft, value, path):
        if name not in known:
            draft.note(Fit.NO_EQUAL, (*path, name), "is no provider of this file; accounts are not taken over")
        elif (found := number(draft, rank, (*path, name))) is not None:
            draft.put(("routing", "priority", name), max(0.0, found), (*path, name))


def _providers(draft: Draft, value: object, path: Path, *, kind: str = "") -> None:
    """A list of providers, which all are of one kind where the file has a list for each."""
    for item, at in items(draft, value, path):
        _provider(draft, {"api-key": item} if isinstance(item, str) else item, at, kind)


def _provider(draft: Draft, value: object, path: Path, kind: str) -> None:
    said = dict(mapping(draft, value, path))
    kind = kind or text(draft, said.get("type"), (*path, "type"))
    name = free_name(text(draft, said.get("name"), (*path, "name")) or kind, types_of(draft.get("providers")))
    entry = draft.under("providers", name, theirs=path)
    url = text(draft, said.get("base-url"), (*path, "base-url"))
    if (spoken := _SPOKEN.get(kind)) is not None:
        entry.put(("type",), spoken[0], path)
        if url:
            entry.put(("base-url",), with_version(url, spoken[1]), (*path, "base-url"))
    else:
        for key, found in type_of("openai" if kind == "openai" else name, url).items():
            entry.put((key,), found, (*path, "base-url"))
    take(entry, PROVIDER, said, path)


def _keys(draft: Draft, value: object, path: Path) -> None:
    for item, at in items(draft, value, path):
        if isinstance(item, str):
            draft.append(("api-keys",), {"key": item}, at)
            continue
        found = {key: text(draft, one, (*at, key)) for key, one in mapping(draft, item, at)}
        for unknown in found.keys() - {"key", "api-key", "proxy-url"}:
            draft.note(Fit.UNKNOWN, (*at, unknown), "is not a key that is known of that system")
        key = found.get("key") or found.get("api-key")
        if key:
            proxy = {"proxy-url": found["proxy-url"]} if found.get("proxy-url") else {}
            draft.append(("api-keys",), {"key": key, **proxy}, at)


def _models(draft: Draft, value: object, path: Path) -> None:
    """The models that a provider serves, and its further names for them."""
    for item, at in items(draft, value, path):
        found = {key: text(draft, one, (*at, key)) for key, one in mapping(draft, item, at)}
        if not found.get("name"):
            continue
        draft.append(("models",), found["name"], at)
        if found.get("alias") and found["alias"] != found["name"]:
            draft.put(("aliases", found["alias"]), found["name"], at)


PROVIDER: Table = {
    "type": BESIDE,
    "name": BESIDE,
    "base-url": BESIDE,
    "enabled": same("enabled"),
    "api-key": same("api-key"),
    "api-keys": reads(_keys),
    "api-key-entries": reads(_keys),
    "proxy-url": same("proxy-url"),
    "headers": same("headers"),
    "models": reads(_models),
    "excluded-models": same("models-excluded"),
}
ACCESS: Table = {
    "name": lost("access providers have no names here"),
    "type": lost("only keys that stand in the file are taken over", "config-api-key", "config-inline"),
    "api-keys": reads(_client_keys),
    "config": lost("only keys that stand in the file are taken over"),
}
QUOTA_EXCEEDED: Table = {
    "switch-project": lost(_ACCOUNTS),
    "switch-preview-model": lost("a preview is another model; name it under routing.fallbacks"),
}
TLS: Table = {
    "enable": lost("TLS is for a server in front, such as nginx or Caddy", False),
    "cert": lost("TLS is for a server in front"),
    "key": lost("TLS is for a server in front"),
}
ROUTING: Table = {
    "provider-priority": reads(_priority),
    "aliases": reads(_aliases),
    "fallbacks": reads(_fallbacks),
}
USAGE: Table = {
    "dsn": lost("usage that was recorded is not taken over; see the section store"),
    "batch-size": lost("how usage is written is not configured"),
    "flush-interval": lost("how usage is written is not configured"),
    "retention-days": same("store", "keep-days"),
}
REMOTE: Table = {
    "allow-remote": same("admin", "remote"),
    "secret-key": reads(_management_key),
    "disable-control-panel": lost("there is no such panel", True, False),
}
TOP: Table = {
    "port": BESIDE,
    "disable-auth": BESIDE,
    "stream-timeout": reads(lambda *_: None, "taken as the longest silence inside an answer"),
    "proxy-url": BESIDE,
    "providers": reads(_providers),
    "gemini-api-key": reads(partial(_providers, kind="gemini")),
    "generative-language-api-key": reads(partial(_providers, kind="gemini")),
    "claude-api-key": reads(partial(_providers, kind="anthropic")),
    "codex-api-key": reads(partial(_providers, kind="openai")),
    "vertex-api-key": reads(partial(_providers, kind="vertex-compat")),
    "openai-compatibility": reads(partial(_providers, kind="openai-compatibility")),
    "auth-dir": lost(_ACCOUNTS),
    "api-keys": reads(_client_keys),
    "auth": below({"providers": reads(_access)}),
    "debug": when_true("debug", "log", "level"),
    "logging-to-file": when_true("main.log", "log", "file"),
    "request-log": lost("requests are not written to files; the log has a line for each", False),
    "request-retry": reads(_attempts, "counts the tries at all providers together"),
    "max-retry-interval": same("limits", "wait"),
    "quota-window": lost(_OWN_RESTS),
    "disable-cooling": lost(_OWN_RESTS, False),
    "quota-exceeded": below(QUOTA_EXCEEDED),
    "tls": below(TLS),
    "routing": below(ROUTING),
    "oauth-excluded-models": lost(_ACCOUNTS),
    "payload": below({"default": lost(_NOT_WRITTEN), "override": lost(_NOT_WRITTEN)}),
    "usage": below(USAGE),
    "usage-statistics-enabled": lost("what is used is always counted", True),
    "remote-management": below(REMOTE),
    "ws-auth": lost("there is no WebSocket for clients", False),
    "use-canonical-translator": lost("requests are always translated through one inner language", True),
    "show-provider-prefixes": lost("models are listed under their own names", False),
    "max-request-size": reads(partial(_size, ours="request-body")),
    "max-response-size": reads(partial(_size, ours="reply-body")),
    "ampcode": below(
        {
            "upstream-url": lost(_AMP),
            "upstream-api-key": lost(_AMP),
            "restrict-management-to-localhost": lost(_AMP, True),
            "model-mappings": lost(_AMP),
        }
    ),
}
"""Read in the order of the file; `providers` are known to `routing` where they stand before it."""
