"""codex-claude-proxy: its `settings.json`, and its `accounts.json`, of which nothing can be taken over."""

from collections.abc import Mapping

from isthmus.config.hosts import COMPATIBLE
from isthmus.config.imports.draft import BESIDE, Draft, Table, items, lost, reads, take, text
from isthmus.config.imports.report import Fit, Imported
from isthmus.config.imports.spelling import as_it_stands
from isthmus.config.problems import Path

PORT = 8081
LANE = "kilo"
"""The provider behind the lane for Haiku, which takes requests without a key of one's own."""
LANE_URL = "https://api.kilo.ai/api/openrouter"
LANE_KEY = "anonymous"
LANE_NAMES = ("haiku", "claude-haiku-*", "claude-*-haiku", "claude-*-haiku-*")
LANE_MODELS: Mapping[str, str] = {
    "minimax-2.5": "minimax/minimax-m2.5:free",
    "glm-5": "z-ai/glm-5:free",
    "kimi-k2.5": "moonshotai/kimi-k2.5:free",
}
"""Short names of the settings. Any other is the name that the provider has."""
_STRATEGIES = {"sticky": "sticky", "round-robin": "round_robin"}
_ACCOUNTS = "accounts are not taken over; sign in to them again"


def read(document: object) -> Imported:
    """Our document for one of codex-claude-proxy."""
    draft = Draft(as_it_stands)
    draft.append(("listeners",), {"host": "127.0.0.1", "port": PORT, "compat": "codex"}, ())
    take(draft, TOP, document, ())
    return draft.done()


def _lane(draft: Draft, value: object, path: Path) -> None:
    """The names of Haiku lead to one model at one provider."""
    said = text(draft, value, path)
    model = LANE_MODELS.get(said, said)
    entry = draft.under("providers", LANE, theirs=path)
    for key, found in (("type", COMPATIBLE), ("base-url", LANE_URL), ("api-key", LANE_KEY)):
        entry.put((key,), found, path)
    entry.append(("models",), model, path)
    for name in LANE_NAMES:
        draft.put(("aliases", name), f"{LANE}/{model}", path)


def _strategy(draft: Draft, value: object, path: Path) -> None:
    said = text(draft, value, path)
    if said in _STRATEGIES:
        draft.put(("routing", "strategy"), _STRATEGIES[said], path)
    else:
        draft.wrong(path, f"must be one of {', '.join(_STRATEGIES)}")


def _accounts(draft: Draft, value: object, path: Path) -> None:
    for _, at in items(draft, value, path):
        draft.note(Fit.NO_EQUAL, at, _ACCOUNTS)


TOP: Table = {
    "haikuKiloModel": reads(_lane),
    "accountStrategy": reads(_strategy, "is the order of all keys, since there are no accounts yet"),
    "accounts": reads(_accounts),
    "activeAccount": lost(_ACCOUNTS),
    "version": BESIDE,
}
