"""The deployments of LiteLLM's `model_list`: a model at a provider, under a name that several may share.

What reaches the same place with the same key is one provider here. A deployment with limits of its own is one for
itself, since limits here are a provider's.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from isthmus.catalog.litellm import KINDS
from isthmus.config.hosts import COMPATIBLE
from isthmus.config.imports.draft import Draft, items, mapping, number, one_text, take, text
from isthmus.config.imports.hosts import free_name, is_home, makers_of, types_of, with_version
from isthmus.config.imports.litellm_tables import DEPLOYMENT, FACTS, PARAMS
from isthmus.config.imports.report import Fit
from isthmus.config.problems import Path
from isthmus.providers.table import PROVIDERS
from isthmus.routing.naming import is_pattern

HOSTS: Mapping[str, str] = {
    **KINDS,
    "anthropic_text": "anthropic",
    "azure_ai": COMPATIBLE,
    "custom_openai": COMPATIBLE,
    "hosted_vllm": "vllm",
    "litellm_proxy": COMPATIBLE,
    "llamafile": COMPATIBLE,
    "lm_studio": "lmstudio",
    "nvidia_nim": "nvidia",
    "ollama_chat": "ollama",
    "openai_like": COMPATIBLE,
    "vertex_ai_beta": "vertex",
}
"""LiteLLM's names of providers that are other names here."""
_SHELVES = ("converse", "converse_like", "invoke", "responses", "o_series", "gpt5_series")
"""What may stand between a provider and a model there, and says how to ask."""
_VERSIONS: Mapping[str, str] = {"anthropic": "v1", "gemini": "v1beta"}
_OWN_LIMITS = ("requests-per-minute", "tokens-per-minute", "concurrency", "dollars-per-day")
_RATES = ("weight", "rpm", "tpm")
"""What LiteLLM shares requests by, the first that is said."""
LAST = 10**6
"""The order of a deployment that says none."""


class Deployment(NamedTuple):
    """`name` is what clients ask for, `model` what the provider is asked, `kind` LiteLLM's word for the provider."""

    name: str
    kind: str
    model: str
    entry: Draft
    params: Mapping[str, object]
    path: Path


def read_deployments(draft: Draft, value: object, path: Path, *, shuffles: bool) -> None:
    """Providers, and a route for every name. `shuffles`: requests are shared by weights."""
    groups: dict[str, list[tuple[Deployment, str]]] = {}
    places: dict[str, str] = {}
    for item, at in items(draft, value, path):
        if (found := _deployment(draft, item, at)) is not None:
            groups.setdefault(found.name, []).append((found, _provider(draft, found, places)))
    for name, group in groups.items():
        if not any(is_pattern(one.model) for one, _ in group):
            _route(draft, name, group, shuffles=shuffles)
        elif not is_pattern(name):
            draft.note(Fit.NO_EQUAL, group[0][0].path, "one name cannot lead to many models")


def _deployment(draft: Draft, item: object, path: Path) -> Deployment | None:
    said = dict(mapping(draft, item, path))
    take(draft.scratch(), DEPLOYMENT, said, path)
    params = dict(mapping(draft, said.get("litellm_params"), (*path, "litellm_params")))
    limits = {key: said[key] for key in ("rpm", "tpm") if key in said}
    params.update({key: value for key, value in limits.items() if key not in params})
    at = (*path, "litellm_params")
    model, name = text(draft, params.get("model"), (*at, "model")), text(draft, said.get("model_name"), path)
    kind, bare = _split(model, one_text(params.get("custom_llm_provider")))
    url = one_text(params.get("api_base")) or one_text(params.get("base_url"))
    here = HOSTS.get(kind, kind.replace("_", "-"))
    if here not in PROVIDERS and url:
        here = COMPATIBLE
    if here not in PROVIDERS or not bare or not name or (here == COMPATIBLE and not url):
        draft.note(Fit.NO_EQUAL, path, "is at a provider that is not known here, or has none, and is left out")
        return None
    entry = draft.scratch()
    _place(entry, here, url, (*at, "api_base"))
    take(entry, PARAMS, params, at)
    _facts(entry, said, params, path)
    return Deployment(name, kind or here, bare, entry, params, path)


def _split(model: str, told: str) -> tuple[str, str]:
    """The provider, and the model's name there. Without a provider before it, a model's name tells whose it is."""
    first, slash, rest = model.partition("/")
    if not told and not slash:
        return next(iter(makers_of(model)), ""), model
    kind = told or first
    bare = rest if slash and first == kind else model
    shelf, _, behind = bare.partition("/")
    return kind, behind if shelf in _SHELVES and behind else bare


def _place(entry: Draft, kind: str, url: str, path: Path) -> None:
    foreign = kind == "openai" and url and not is_home("openai", url)
    entry.put(("type",), COMPATIBLE if foreign else kind, path)
    if not url or (kind in ("openai", "anthropic", "gemini") and is_home(kind, url)):
        return
    if kind in _VERSIONS and not url.startswith("os.environ/"):
        url = with_version(url, _VERSIONS[kind])
    entry.put(("base-url",), url.partition("/openai")[0] if kind == "azure" else url, path)


def _facts(entry: Draft, said: Mapping[str, object], params: Mapping[str, object], path: Path) -> None:
    """What is said of the model; it is kept beside the provider until the provider's name is known."""
    costs = {key: value for key, value in params.items() if key in FACTS}
    for facts, at in ((said.get("model_info"), (*path, "model_info")), (costs, (*path, "litellm_params"))):
        take(entry.under("facts"), FACTS, facts, at)


def _provider(draft: Draft, found: Deployment, places: dict[str, str]) -> str:
    """The name of the provider that the deployment is at, which is put down when it is the first there."""
    facts = found.entry.get("facts")
    found.entry.drop("facts")
    own = [found.model] if found.entry.known() & set(_OWN_LIMITS) else []
    place = repr((found.entry.done().document, own))
    if place not in places:
        places[place] = free_name(found.kind, types_of(draft.get("providers")))
        draft.adopt(("providers", places[place]), found.entry, found.path)
        if (
            found.entry.get("type") == "azure"
            and found.entry.get("api-key") is None
            and found.entry.get("tenant-id") is None
        ):
            draft.put(("providers", places[place], "api-key"), "os.environ/AZURE_API_KEY", found.path)
    name = places[place]
    entry = draft.under("providers", name)
    if is_pattern(found.model):
        entry.drop("models")
        places[f"{name} serves all"] = name
    elif f"{name} serves all" not in places and not entry.holds(found.model, "models"):
        entry.append(("models",), found.model, found.path)
    if facts:
        draft.put(("models", f"{name}/{found.model}"), facts, (*found.path, "model_info"))
    return name


def _route(draft: Draft, name: str, group: Sequence[tuple[Deployment, str]], *, shuffles: bool) -> None:
    """One tier for every order, the lowest first."""
    weights = _weights(group) if shuffles else {}
    tiers: dict[float, list[object]] = {}
    for found, provider in group:
        at = (*found.path, "litellm_params")
        order = found.params.get("order")
        rank = LAST if order is None else number(draft, order, (*at, "order"))
        target: dict[str, object] = {"provider": provider, "model": found.model}
        if found.path in weights:
            target["weight"] = max(0.001, weights[found.path])
        elif found.params.get("weight") is not None and len(group) > 1:
            draft.note(Fit.NO_EQUAL, (*at, "weight"), "means nothing to the strategy that is chosen")
        tiers.setdefault(LAST if rank is None else rank, []).append(target)
    ordered = [tiers[rank] for rank in sorted(tiers)]
    where = ("routes", name, "targets" if len(ordered) == 1 else "tiers")
    draft.put(where, ordered[0] if len(ordered) == 1 else [{"targets": one} for one in ordered], group[0][0].path)


def _weights(group: Sequence[tuple[Deployment, str]]) -> Mapping[Path, float]:
    for rate in _RATES:
        found = dict(_said(group, rate))
        if len(group) > 1 and found:
            return {one.path: found.get(one.path, 1.0) for one, _ in group}
    return {}


def _said(group: Sequence[tuple[Deployment, str]], rate: str) -> Iterator[tuple[Path, float]]:
    for one, _ in group:
        value = one.params.get(rate)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            yield one.path, float(value)
