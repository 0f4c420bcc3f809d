"""TruckLLM: its YAML, in which any text may hold `${NAME}` of the environment, as ours may."""

from functools import partial
from urllib.parse import urlsplit

from isthmus.config.imports.draft import (
    BESIDE,
    Draft,
    Table,
    below,
    items,
    lost,
    mapping,
    number,
    reads,
    same,
    take,
    text,
    whole,
)
from isthmus.config.imports.hosts import free_name, type_of, types_of
from isthmus.config.imports.prices import per_million
from isthmus.config.imports.report import Fit, Imported
from isthmus.config.imports.spelling import in_braces
from isthmus.config.problems import Path

PORT = 8080
PER_THOUSAND = 1000
"""What a price for a thousand tokens is multiplied with, for a million."""
_STRATEGIES = {"round_robin": "round_robin", "least_error": "least_error", "hybrid": "hybrid"}
_SHIPPED = "log lines are not sent to a web address; they are in the file, or on standard error"
_CLIENTS = (
    "a client that sends the secret of one of a provider's keys is let in, as TruckLLM lets it in, and known by that "
    "key's id; which key serves it is chosen for each request"
)


def read(document: object) -> Imported:
    """Our document for one of TruckLLM."""
    draft = Draft(in_braces)
    take(draft, TOP, document, ())
    if draft.get("listeners") is None:
        _listen(draft, f":{PORT}", ("server", "listen"))
    return draft.done()


def _listen(draft: Draft, value: object, path: Path) -> None:
    """`HOST:PORT`, or `:PORT` for every address."""
    try:
        parts = urlsplit(f"//{text(draft, value, path)}")
        host, port = parts.hostname or "", parts.port or PORT
    except ValueError:
        draft.wrong(path, "must be an address such as :8080 or 127.0.0.1:8080")
        return
    keyed = draft.get("client-keys") is not None
    if not host and not keyed:
        words = "without keys to ask for, it listens on this machine's own address alone"
        draft.note(Fit.DIFFERS, path, words)
    everywhere = "0.0.0.0" if keyed else "127.0.0.1"  # noqa: S104  as TruckLLM does, and with keys
    draft.append(("listeners",), {"host": host or everywhere, "port": port, "compat": "truck"}, path)


def _providers(draft: Draft, value: object, path: Path) -> None:
    for item, at in items(draft, value, path):
        said = dict(mapping(draft, item, at))
        name = free_name(text(draft, said.get("id"), (*at, "id")), types_of(draft.get("providers")))
        entry = draft.under("providers", name, theirs=at)
        for key, found in type_of(name, text(draft, said.get("base_url"), (*at, "base_url"))).items():
            entry.put((key,), found, (*at, "base_url"))
        take(entry, PROVIDER, said, at)
    if draft.get("client-keys") is not None:
        draft.note(Fit.DIFFERS, path, _CLIENTS)


def _keys(draft: Draft, value: object, path: Path) -> None:
    seen = {str(one.get("key")) for one in _listed(draft.top().get("client-keys"))}
    names = {str(one.get("name")) for one in _listed(draft.top().get("client-keys"))}
    for item, at in items(draft, value, path):
        made = draft.scratch()
        take(made, KEY, item, at)
        key = made.done().document
        if not (secret := str(key.get("key", ""))):
            continue
        draft.append(("api-keys",), key, at)
        if secret not in seen:
            name = free_name(str(key.get("name", "client")), names)
            draft.top().append(("client-keys",), {"name": name, "key": secret}, at)
            seen.add(secret)
            names.add(name)


def _listed(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _limit(draft: Draft, value: object, path: Path, *, ours: str) -> None:
    """No limit where it is nothing."""
    if value != 0:
        draft.put((ours,), value, path)


def _price(draft: Draft, value: object, path: Path) -> None:
    said = dict(mapping(draft, value, path))
    currency = text(draft, said.get("currency"), (*path, "currency")) or "USD"
    if currency.upper() != "USD":
        draft.note(Fit.NO_EQUAL, path, "is not in US dollars, in which every price is written here")
        return
    take(draft, PRICING, value, path)
    for missing in {"input", "output"} - draft.under("price").known():
        draft.put(("price", missing), 0, path)


def _cost(draft: Draft, value: object, path: Path, *, ours: str) -> None:
    if (cost := number(draft, value, path)) is not None:
        draft.put(("price", ours), per_million(cost, PER_THOUSAND), path)


def _aliases(draft: Draft, value: object, path: Path) -> None:
    """`provider:model`. What stands left of the colon is a provider's id."""
    for name, to in mapping(draft, value, path):
        at = (*path, name)
        provider, colon, model = text(draft, to, at).partition(":")
        if not colon or not model:
            draft.wrong(at, "must be written provider:model")
        else:
            draft.put(("aliases", name), f"{free_name(provider, ())}/{model}", at)


def _strategy(draft: Draft, value: object, path: Path) -> None:
    said = text(draft, value, path)
    if said not in _STRATEGIES:
        draft.wrong(path, f"must be one of {', '.join(_STRATEGIES)}")
    elif draft.get("routing", "strategy") is None:
        draft.put(("routing", "strategy"), _STRATEGIES[said], path)


def _runtime(draft: Draft, value: object, path: Path) -> None:
    """Counters are shared through Redis here too; of other ways there is none."""
    said = {key: text(draft, one, (*path, key)) for key, one in mapping(draft, value, path)}
    for key in said.keys() - {"type", "addr", "password", "api_key"}:
        draft.note(Fit.UNKNOWN, (*path, key), "is not a key that is known of that system")
    if said.get("type", "redis") != "redis":
        draft.note(Fit.NO_EQUAL, (*path, "type"), "counters are kept in memory, or shared through Redis")
    elif said.get("addr"):
        password = f":{said['password']}@" if said.get("password") else ""
        draft.put(("state", "url"), f"redis://{password}{said['addr']}", (*path, "addr"))
    if said.get("api_key"):
        draft.note(Fit.NO_EQUAL, (*path, "api_key"), "is for a way to keep counters that is not there")


def _log_file(draft: Draft, value: object, path: Path) -> None:
    said = dict(mapping(draft, value, path))
    if said.get("enabled") is not False:
        take(draft, LOG_FILE, value, path)


def _log_size(draft: Draft, value: object, path: Path) -> None:
    if (size := whole(draft, value, path, least=0)) is not None:
        draft.put(("log", "max-size"), f"{size}MiB", path)


PRICING: Table = {
    "input_token_cost": reads(partial(_cost, ours="input")),
    "output_token_cost": reads(partial(_cost, ours="output")),
    "currency": BESIDE,
}
KEY: Table = {
    "id": same("name"),
    "secret": same("key"),
    "limit_req_per_min": reads(partial(_limit, ours="requests-per-minute")),
    "limit_tokens_per_min": reads(partial(_limit, ours="tokens-per-minute")),
    "pricing": reads(_price),
}
PROVIDER: Table = {
    "id": BESIDE,
    "base_url": BESIDE,
    "name": lost("a provider is called by its id"),
    "keys": reads(_keys),
}
LOG_FILE: Table = {
    "enabled": BESIDE,
    "path": same("log", "file"),
    "max_size_mb": reads(_log_size),
    "max_backups": same("log", "backups"),
}
LOGGING: Table = {
    "file": reads(_log_file),
    "prometheus": below({"enabled": same("metrics", "enabled"), "endpoint": same("metrics", "path")}),
    "providers": lost(_SHIPPED),
}
WEIGHTS: Table = {
    "token_ratio": same("routing", "hybrid-weights", "tokens"),
    "req_ratio": same("routing", "hybrid-weights", "requests"),
    "error_score": same("routing", "hybrid-weights", "errors"),
    "latency": same("routing", "hybrid-weights", "latency"),
    "cost_ratio": same("routing", "hybrid-weights", "cost"),
}
POLICY: Table = {
    "cost_first": reads(
        lambda draft, value, path: draft.put(("routing", "strategy"), "cheapest", path) if value is True else None
    ),
    "strategy": reads(_strategy),
    "hybrid_weights": below(WEIGHTS),
}
TOP: Table = {
    "version": BESIDE,
    "providers": reads(_providers),
    "server": below({"admin_api_key": same("management-key"), "listen": reads(_listen)}),
    "model_aliases": reads(_aliases),
    "policy": below(POLICY),
    "logging": below(LOGGING),
    "storage": below(
        {
            "config": below(
                {
                    "type": lost("the configuration is a file", "file"),
                    "path": lost("the configuration is the file that was named"),
                }
            ),
            "runtime": reads(_runtime),
        }
    ),
}
"""Providers come first: whether clients are asked for keys decides where it may listen."""
