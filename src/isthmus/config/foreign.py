"""A configuration file of another system as a text of ours, and its problems told where they stand in that file."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import yaml

from isthmus.config.environment import complete
from isthmus.config.hosts import LOCAL, OLLAMA
from isthmus.config.imports.beside import Beside
from isthmus.config.imports.documents import Document, Places
from isthmus.config.imports.hosts import at_home_by_name, placed, served
from isthmus.config.imports.kinds import KINDS, recognized
from isthmus.config.imports.report import Fit, Imported, Remark
from isthmus.config.names import lost_names
from isthmus.config.nodes import compose
from isthmus.config.problems import Path, Problem, write_path
from isthmus.config.reading import Reading
from isthmus.config.secrets import Environment
from isthmus.core.value import Value
from isthmus.wire import json

CATALOGUE: Final = "providers.json"
"""What llms.py keeps beside its file."""
ROUNDS = 10
"""How often names are looked at that lead to names which led nowhere."""
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_FRACTION = re.compile(r"(0|[1-9][0-9]{0,9})\.[0-9]{1,4}")
_NOWHERE = "leads to no model of a provider here, and is left out; a model can be named as provider/model"


class Foreign(Value, frozen=True):
    """`text` is ours. `remarks` are in the order in which they were found, `system` is the other's name."""

    kind: str
    system: str
    text: str
    remarks: tuple[Remark, ...]
    origins: Mapping[str, Path]
    places: Places

    def problems(self) -> list[Problem]:
        """What is wrong with the other system's file itself."""
        return [self._problem(one.path, one.note) for one in self.remarks if one.what is Fit.WRONG]

    def notes(self) -> tuple[str, ...]:
        """For the log: whose file it is, and what is not as it was there."""
        first = f"this is a file of {self.system}; isthmus config import writes one of ours"
        return (first, *(one.line for one in self.remarks))

    def told_back(self, problem: Problem) -> Problem:
        """A problem of our text, where it came from."""
        found = max((key for key in self.origins if _is_below(problem.key, key)), key=len, default=None)
        path = () if found is None else self.origins[found]
        return self._problem(path, f"{problem.message} (as {problem.key})" if problem.key else problem.message)

    def _problem(self, path: Path, message: str) -> Problem:
        line, column = next((self.places[at] for at in _upwards(path) if at in self.places), (1, 1))
        return Problem(line, column, write_path(path), message)


def translated(
    text: str, environment: Environment, beside: Callable[[str], str], *, kind: str | None = None
) -> Foreign | None:
    """The text in our words; None for a text that is ours, unless it is said to be of a `kind`.

    `beside` gives the text of a file in the same folder, "" for none. Raises Broken.
    """
    document = Document(text)
    kind = kind or recognized(document.whole)
    if kind is None:
        return None
    if document.fault is not None:
        raise document.fault
    catalogue = json_document(beside(CATALOGUE)) if kind == "llms" else {}
    imported = KINDS[kind].read(document.whole, Beside(lambda name: environment.secret(name) is not None, catalogue))
    ours = _settled(imported, environment)
    return Foreign(kind, KINDS[kind].system, written(ours.document), ours.remarks, ours.origins, document.places)


def json_document(text: str) -> Mapping[str, object]:
    """A JSON object; nothing of what is none."""
    try:
        found = json.decode(text.encode()) if text else {}
    except json.Malformed:
        return {}
    return found if isinstance(found, dict) else {}


def written(document: Mapping[str, object]) -> str:
    """Our document as YAML."""
    return yaml.safe_dump(_bare(document), sort_keys=False, allow_unicode=True, width=120)


def _bare(value: object) -> object:
    """Numbers and switches without quotes, where that does not change what is read."""
    if isinstance(value, Mapping):
        return {name: _bare(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if isinstance(value, str):
        if value in ("true", "false"):
            return value == "true"
        if _WHOLE.fullmatch(value):
            return int(value)
        if _FRACTION.fullmatch(value) and str(float(value)) == value:
            return float(value)
    return value


def _settled(imported: Imported, environment: Environment) -> Imported:
    """Every name that leads on is written so that it can be found; one that leads nowhere is left out, and told."""
    document, remarks = dict(imported.document), list(imported.remarks)
    providers = document.get("providers")
    known = {*served(providers), *_named(document, "routes"), *_named(document, "aliases")}
    for name, entry in providers.items() if isinstance(providers, dict) else ():
        if home := at_home_by_name(entry, name):
            entry["base-url"] = home
    for holder, key in _leading(document):
        said = holder[key]
        one = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        names = [name if name in known else placed(str(name), providers) for name in one]
        holder[key] = names[0] if isinstance(said, str) else names
    for _ in range(ROUNDS):
        if not (lost := _lost(document, environment)):
            break
        for path in lost:
            _remove(document, path)
            origin = imported.origins.get(write_path(path)) or imported.origins.get(write_path(path[:-1])) or ()
            remark = Remark(origin, Fit.NO_EQUAL, _NOWHERE)
            remarks += [] if remark in remarks else [remark]
    return Imported(document, tuple(remarks), imported.origins)


def _named(document: Mapping[str, object], section: str) -> Iterator[str]:
    found = document.get(section)
    yield from found if isinstance(found, Mapping) else ()


def _leading(document: Mapping[str, object]) -> Iterator[tuple[dict[str, object], str]]:
    """Each place in our document whose value is a name, or names, of something else."""
    routing = document.get("routing")
    fallbacks = routing.get("fallbacks") if isinstance(routing, dict) else None
    for section in (document.get("aliases"), fallbacks):
        if isinstance(section, dict):
            yield from ((section, name) for name in section)


def _lost(document: Mapping[str, object], environment: Environment) -> list[Path]:
    """The names in it that lead nowhere; of one list, the last first."""
    read = Reading(environment).config(compose(written(document)))
    config = complete(read, environment, automatic="providers" not in document)
    found = [path for path, _ in lost_names(config, (*config.providers, OLLAMA, LOCAL))]
    return sorted(set(found), key=lambda path: tuple(map(str, path)), reverse=True)


def _remove(document: Mapping[str, object], path: Path) -> None:
    """Take out a key, or an item of a list; and the key above it that holds no other."""
    *above, last = path
    holder: object = document
    for step in above:
        holder = holder.get(str(step)) if isinstance(holder, Mapping) else None
    if isinstance(holder, dict):
        holder.pop(str(last), None)
    elif isinstance(holder, list) and isinstance(last, int) and len(holder) > 1:
        del holder[last]
    else:
        _remove(document, tuple(above))


def _is_below(key: str, above: str) -> bool:
    return key == above or key.startswith((f"{above}.", f"{above}["))


def _upwards(path: Path) -> Iterator[Path]:
    return (path[:length] for length in range(len(path), 0, -1))
