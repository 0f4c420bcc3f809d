"""codex-claude-proxy: its `settings.json`, and its `accounts.json`, whose accounts are no configuration."""

from isthmus.config.imports.draft import BESIDE, Draft, Table, items, lost, reads, take, text
from isthmus.config.imports.report import Fit, Imported
from isthmus.config.imports.spelling import as_it_stands
from isthmus.config.problems import Path
from isthmus.engine.haiku_lane import KILO, KILO_ENTRY, MODELS, aliases_to

PORT = 8081
CODEX = "codex"
"""The provider that its accounts are asked under at."""
_STRATEGIES = ("sticky", "round-robin")
_ACCOUNTS = "accounts are no part of a configuration; isthmus accounts import takes them in"


def read(document: object) -> Imported:
    """Our document for one of codex-claude-proxy."""
    draft = Draft(as_it_stands)
    draft.append(("listeners",), {"host": "127.0.0.1", "port": PORT, "compat": "codex"}, ())
    draft.put(("providers", CODEX), {}, ())
    take(draft, TOP, document, ())
    return draft.done()


def _lane(draft: Draft, value: object, path: Path) -> None:
    """The names of Haiku lead to one model at one provider."""
    said = text(draft, value, path)
    entry = draft.under("providers", KILO, theirs=path)
    for key, found in KILO_ENTRY.items():
        entry.put((key,), found, path)
    entry.append(("models",), MODELS.get(said, said), path)
    for name, target in aliases_to(said, ()).items():
        draft.put(("aliases", name), target, path)


def _strategy(draft: Draft, value: object, path: Path) -> None:
    said = text(draft, value, path)
    if said in _STRATEGIES:
        draft.put(("providers", CODEX, "pool"), said, path)
    else:
        draft.wrong(path, f"must be one of {', '.join(_STRATEGIES)}")


def _accounts(draft: Draft, value: object, path: Path) -> None:
    for _, at in items(draft, value, path):
        draft.note(Fit.NO_EQUAL, at, _ACCOUNTS)


TOP: Table = {
    "haikuKiloModel": reads(_lane),
    "accountStrategy": reads(_strategy),
    "accounts": reads(_accounts),
    "activeAccount": lost(_ACCOUNTS),
    "version": BESIDE,
}
