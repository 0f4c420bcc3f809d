"""The models of one provider in llms.py's files: which it serves, under which names, and what is known of them."""

from collections.abc import Iterable, Mapping
from functools import partial

from isthmus.config.imports.draft import (
    BESIDE,
    Draft,
    Row,
    Table,
    below,
    lost,
    mapping,
    number,
    one_text,
    reads,
    take,
    text,
    texts,
    whole,
)
from isthmus.config.imports.prices import per_million
from isthmus.config.problems import Path
from isthmus.core.facts import Ability

_UNUSED = "is not asked for when a request is routed"
_TAKEN_IN: Mapping[str, Ability] = {
    "image": Ability.VISION,
    "audio": Ability.AUDIO,
    "video": Ability.VIDEO,
    "pdf": Ability.PDF,
}
_PUT_OUT: Mapping[str, Ability] = {"image": Ability.IMAGES, "audio": Ability.SPEECH}


def read_models(draft: Draft, provider: str, said: Mapping[str, object], path: Path) -> None:
    """`models` and `map_models`. Where names are mapped, only what they are mapped to is served."""
    named = dict(mapping(draft, said.get("map_models"), (*path, "map_models")))
    models = dict(mapping(draft, said.get("models"), (*path, "models")))
    entry = draft.under("providers", provider)
    for name, to in named.items():
        at = (*path, "map_models", name)
        if model := text(draft, to, at):
            _serve(entry, model, at)
            if model != name:
                entry.put(("aliases", name), model, at)
    for model, facts in models.items():
        at = (*path, "models", model)
        if not named:
            _serve(entry, model, at)
            _call_by_name(entry, model, facts, at)
        take(draft.under("models", f"{provider}/{model}", theirs=at), FACTS, facts, at)


def _serve(entry: Draft, model: str, path: Path) -> None:
    if not entry.holds(model, "models"):
        entry.append(("models",), model, path)


def _call_by_name(entry: Draft, model: str, facts: object, path: Path) -> None:
    """A model can be asked for by the name that it is shown with, too."""
    name = one_text(facts.get("name")) if isinstance(facts, Mapping) else ""
    if name and name != model and name.isprintable() and "*" not in name:
        entry.put(("aliases", name), model, (*path, "name"))


def _can(draft: Draft, abilities: Iterable[Ability], path: Path) -> None:
    for ability in abilities:
        if not draft.holds(ability, "can"):
            draft.append(("can",), str(ability), path)


def _ability(ability: Ability) -> Row:
    def read(draft: Draft, value: object, path: Path) -> None:
        if text(draft, value, path) == "true":
            _can(draft, [ability], path)
        elif not draft.holds(ability, "cannot"):
            draft.append(("cannot",), str(ability), path)

    return reads(read)


def _kinds(draft: Draft, value: object, path: Path, *, known: Mapping[str, Ability]) -> None:
    _can(draft, [known[one] for one in texts(draft, value, path) if one in known], path)


def _tokens(draft: Draft, value: object, path: Path, *, ours: str) -> None:
    """A limit of zero is none."""
    if value != 0 and (tokens := whole(draft, value, path)) is not None:
        draft.put((ours,), tokens, path)


def _price(draft: Draft, value: object, path: Path) -> None:
    take(draft, COST, value, path)
    for missing in {"input", "output"} - draft.under("price").known():
        draft.put(("price", missing), 0, path)


def _cost(draft: Draft, value: object, path: Path, *, ours: str) -> None:
    if (cost := number(draft, value, path)) is not None:
        draft.put(("price", ours), per_million(cost, 1), path)


COST: Table = {
    "input": reads(partial(_cost, ours="input")),
    "output": reads(partial(_cost, ours="output")),
    "cache_read": reads(partial(_cost, ours="cache-read")),
    "cache_write": reads(partial(_cost, ours="cache-write")),
    "reasoning": reads(partial(_cost, ours="reasoning")),
    "input_audio": reads(partial(_cost, ours="audio-input")),
    "output_audio": reads(partial(_cost, ours="audio-output")),
    "context_over_200k": lost("a price that depends on the length is not written here; the catalogue may know it"),
}
FACTS: Table = {
    "id": BESIDE,
    "name": BESIDE,
    "provider": BESIDE,
    "cost": reads(_price),
    "limit": below(
        {
            "context": reads(partial(_tokens, ours="context-limit")),
            "input": reads(partial(_tokens, ours="input-limit")),
            "output": reads(partial(_tokens, ours="output-limit")),
        }
    ),
    "modalities": below(
        {
            "input": reads(partial(_kinds, known=_TAKEN_IN)),
            "output": reads(partial(_kinds, known=_PUT_OUT)),
        }
    ),
    "tool_call": _ability(Ability.TOOLS),
    "reasoning": _ability(Ability.REASONING),
    "structured_output": _ability(Ability.SCHEMA),
    **{
        name: Row()
        for name in (
            "attachment",
            "description",
            "family",
            "interleaved",
            "knowledge",
            "last_updated",
            "open_weights",
            "release_date",
            "status",
            "temperature",
        )
    },
    "experimental": lost(_UNUSED),
    "reasoning_options": lost(_UNUSED),
}
"""The fields of models.dev. Those without a reader describe a model to people."""
