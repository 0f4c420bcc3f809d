"""LiteLLM: the `config.yaml` of its proxy, with a deployment of a model for each item of `model_list`.

A value may be `os.environ/NAME`; what `environment_variables` says of such a name is put in its place.
"""

from collections.abc import Mapping
from functools import partial

from isthmus.config.imports.draft import (
    BESIDE,
    Draft,
    Table,
    below,
    items,
    lost,
    mapping,
    one_text,
    reads,
    same,
    take,
    text,
    texts,
    when_true,
    whole,
)
from isthmus.config.imports.hosts import types_of
from isthmus.config.imports.litellm_deployments import read_deployments
from isthmus.config.imports.litellm_others import (
    CACHE_OTHERS,
    GENERAL_OTHERS,
    LITELLM_OTHERS,
    ROUTER_OTHERS,
    TOP_OTHERS,
)
from isthmus.config.imports.report import Fit, Imported
from isthmus.config.imports.spelling import as_it_stands, environ_name, in_os_environ
from isthmus.config.problems import Path

PORT = 4000
MIB = 1024**2
WEEK = 7 * 86_400
"""Seconds that an answer is kept at most."""
_REDIS = ("host", "port", "password", "db", "url")
_STRATEGIES: Mapping[str, str] = {
    "simple-shuffle": "weighted",
    "least-busy": "least_busy",
    "usage-based-routing": "hybrid",
    "usage-based-routing-v2": "hybrid",
    "latency-based-routing": "fastest",
    "cost-based-routing": "cheapest",
}
_SHUFFLE = "simple-shuffle"
_USAGE: Mapping[str, int] = {"tokens": 1, "requests": 1, "errors": 0, "latency": 0, "cost": 0}
"""How `hybrid` weighs what strategies by usage look at."""


def read(document: object) -> Imported:
    """Our document for one of LiteLLM."""
    said = document if isinstance(document, Mapping) else {}
    draft = Draft(partial(_spelled, _section(said, "environment_variables")))
    strategy = one_text(_section(said, "router_settings").get("routing_strategy")) or _SHUFFLE
    draft.put(("routing", "strategy"), _STRATEGIES.get(strategy, "weighted"), ("router_settings", "routing_strategy"))
    read_deployments(draft, said.get("model_list"), ("model_list",), shuffles=strategy == _SHUFFLE)
    take(draft, TOP, document, ())
    _listen(draft)
    return draft.done()


def _section(said: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = said.get(name)
    return found if isinstance(found, Mapping) else {}


def _spelled(variables: Mapping[str, object], said: str) -> str:
    told = variables.get(environ_name(said) or "")
    return in_os_environ(said) if not isinstance(told, str) or environ_name(told) else as_it_stands(told)


def _listen(draft: Draft) -> None:
    """LiteLLM listens on every address. Without a key to ask for, this machine's own has to do."""
    keyed = draft.get("client-keys") is not None
    host = "0.0.0.0" if keyed else "127.0.0.1"  # noqa: S104  as LiteLLM does, and with a key
    draft.append(("listeners",), {"host": host, "port": PORT}, ("general_settings",))
    if not keyed:
        words = "without a master_key to ask for, it listens on this machine's own address alone"
        draft.note(Fit.DIFFERS, ("general_settings",), words)


def _master_key(draft: Draft, value: object, path: Path) -> None:
    """Who manages, and the one client that there is without a database."""
    draft.put(("management-key",), value, path)
    draft.append(("client-keys",), {"name": "master", "key": value}, path)


def _strategy(draft: Draft, value: object, path: Path) -> None:
    said = text(draft, value, path)
    if said not in _STRATEGIES:
        draft.note(Fit.NO_EQUAL, path, f"is not one of {', '.join(_STRATEGIES)}; requests are shared by weights")
    elif _STRATEGIES[said] == "hybrid":
        draft.put(("routing", "hybrid-weights"), dict(_USAGE), path)


def _retries(draft: Draft, value: object, path: Path) -> None:
    if (repeated := whole(draft, value, path, least=0, most=49)) is not None:
        draft.put(("limits", "attempts"), repeated + 1, path)


def _fallbacks(draft: Draft, value: object, path: Path) -> None:
    """A list of mappings, each of one name to the names that come after it."""
    for item, at in items(draft, value, path):
        for name, names in mapping(draft, item, at):
            _come_after(draft, name, texts(draft, names, (*at, name)), (*at, name))


def _default_fallbacks(draft: Draft, value: object, path: Path) -> None:
    _come_after(draft, "*", texts(draft, value, path), path)


def _come_after(draft: Draft, name: str, names: list[str], path: Path) -> None:
    for one in names:
        if not draft.holds(one, "routing", "fallbacks", name):
            draft.append(("routing", "fallbacks", name), one, path)


def _aliases(draft: Draft, value: object, path: Path) -> None:
    """A name for a group, or a mapping that may also hide the name, which is not done here."""
    for name, to in mapping(draft, value, path):
        at = (*path, name)
        group = to.get("model") if isinstance(to, Mapping) else to
        if isinstance(to, Mapping) and to.get("hidden"):
            draft.note(Fit.DIFFERS, (*at, "hidden"), "names are listed; a client key can say which it may ask")
        if found := text(draft, group, at):
            draft.put(("aliases", name), found, at)


def _timeout(draft: Draft, value: object, path: Path, *, ours: str) -> None:
    for name in types_of(draft.get("providers")):
        if draft.get("providers", name, "deadlines", ours) is None:
            draft.put(("providers", name, "deadlines", ours), value, path)


def _size(draft: Draft, value: object, path: Path, *, ours: str) -> None:
    if (many := whole(draft, value, path, most=1024)) is not None:
        draft.put(("limits", ours), many * MIB, path)


def _parallel(draft: Draft, value: object, path: Path) -> None:
    for name in types_of(draft.get("providers")):
        if draft.get("providers", name, "concurrency") is None:
            draft.put(("providers", name, "concurrency"), value, path)


def _redis(draft: Draft, value: object, path: Path) -> None:
    """The parts of an address, which are one here."""
    said = {key: one for key, one in mapping(draft, value, path) if key.startswith("redis_")}
    found = {key: str(draft.spelled(text(draft, one, (*path, key)))) for key, one in said.items()}
    if url := found.get("redis_url"):
        draft.put_spelled(("state", "url"), url, (*path, "redis_url"))
    elif host := found.get("redis_host"):
        password = f":{found['redis_password']}@" if found.get("redis_password") else ""
        port = f":{found['redis_port']}" if found.get("redis_port") else ""
        number = f"/{found['redis_db']}" if found.get("redis_db") else ""
        draft.put_spelled(("state", "url"), f"redis://{password}{host}{port}{number}", (*path, "redis_host"))


def _router(draft: Draft, value: object, path: Path) -> None:
    _redis(draft, value, path)
    take(draft, ROUTER, value, path)


def _cache(draft: Draft, value: object, path: Path) -> None:
    draft.put(("cache", "enabled"), value, path)


def _cache_params(draft: Draft, value: object, path: Path) -> None:
    """A Redis for the cache is one for all that instances share."""
    said = {f"redis_{key}": one for key, one in mapping(draft, value, path) if key in _REDIS}
    if draft.get("state", "url") is None:
        _redis(draft, said, path)
    take(draft, CACHE_PARAMS, value, path)


def _kept(draft: Draft, value: object, path: Path) -> None:
    if (seconds := whole(draft, value, path, most=WEEK)) is not None:
        draft.put(("cache", "seconds"), seconds, path)


def _days(draft: Draft, value: object, path: Path) -> None:
    """A time such as `30d`."""
    said = text(draft, value, path)
    if said.endswith("d") and said[:-1].isdecimal():
        draft.put(("store", "keep-days"), said[:-1], path)
    else:
        draft.note(Fit.NO_EQUAL, path, "is not said in days; see store.keep-days")


def _on_loss(draft: Draft, value: object, path: Path) -> None:
    draft.put(("on-loss",), "allow" if text(draft, value, path) == "true" else "refuse", path)


def _metrics(draft: Draft, value: object, path: Path) -> None:
    for name in [value] if isinstance(value, str) else texts(draft, value, path):
        if name == "otel":
            draft.note(Fit.DIFFERS, path, "is switched on by otel: true, which takes the extra otel")
        elif name != "prometheus":
            draft.note(Fit.NO_EQUAL, path, "of whom requests are told to, only Prometheus and OpenTelemetry are known")


_NUM_RETRIES = reads(_retries, "counts the tries at all providers together")
_AFTER_ALL = "comes after every failure that another model may mend, not after this one alone"
_WHOLE = "is for the whole of one request"
RELIABILITY: Table = {
    "fallbacks": reads(_fallbacks),
    "context_window_fallbacks": reads(_fallbacks, _AFTER_ALL),
    "content_policy_fallbacks": reads(_fallbacks, _AFTER_ALL),
    "default_fallbacks": reads(_default_fallbacks),
    "num_retries": _NUM_RETRIES,
}
"""What may stand in either of two sections."""
CACHE_PARAMS: Table = {
    **{name: BESIDE for name in _REDIS},
    "type": lost("answers are kept in memory, or where instances share theirs", "local", "redis"),
    "ttl": reads(_kept),
    "mode": lost("a route or a client key says whether its answers are kept", "default_on"),
    "namespace": lost("see state.prefix"),
    "max_connections": lost("connections are made as they are needed"),
    "supported_call_types": lost("answers of chat are kept, and no others"),
    "ssl": lost("write rediss:// in state.url", False),
    "similarity_threshold": lost("only the same request is given a kept answer"),
    **CACHE_OTHERS,
}
GENERAL: Table = {
    "master_key": reads(_master_key),
    "maximum_spend_logs_retention_period": reads(_days),
    "global_max_parallel_requests": same("limits", "exchanges"),
    "max_parallel_requests": reads(_parallel),
    "max_request_size_mb": reads(partial(_size, ours="request-body")),
    "max_response_size_mb": reads(partial(_size, ours="reply-body")),
    **GENERAL_OTHERS,
}
LITELLM: Table = {
    **RELIABILITY,
    "request_timeout": reads(partial(_timeout, ours="total"), _WHOLE),
    "drop_params": reads(_on_loss),
    "json_logs": when_true("json", "log", "format"),
    "set_verbose": when_true("debug", "log", "level"),
    "success_callback": reads(_metrics),
    "failure_callback": reads(_metrics),
    "callbacks": reads(_metrics),
    "service_callbacks": reads(_metrics),
    "model_alias_map": reads(_aliases),
    "cache": reads(_cache, "an answer is given to the client again that it was made for; see cache.shared-by"),
    "cache_params": reads(_cache_params),
    **LITELLM_OTHERS,
}
ROUTER: Table = {
    "routing_strategy": reads(_strategy),
    **RELIABILITY,
    "model_group_alias": reads(_aliases),
    "timeout": reads(partial(_timeout, ours="total"), _WHOLE),
    "stream_timeout": reads(partial(_timeout, ours="first-byte"), "is the time to the first byte"),
    "default_max_parallel_requests": reads(_parallel),
    "set_verbose": when_true("debug", "log", "level"),
    **{name: BESIDE for name in ("redis_host", "redis_port", "redis_password", "redis_db", "redis_url")},
    **ROUTER_OTHERS,
}
TOP: Table = {
    "model_list": BESIDE,
    "environment_variables": lost("is put in place of what names it; other programs are not given it"),
    "general_settings": below(GENERAL),
    "router_settings": reads(_router),
    "litellm_settings": below(LITELLM),
    **TOP_OTHERS,
}
"""router_settings come before litellm_settings, as they do there."""
