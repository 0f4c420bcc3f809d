"""Variables of the environment that systems before this one read, and the key of ours that each stands for.

They come before the file, as they do there. Those whose names could mean anything count only where a listener has the
manners of the system that they belong to.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from isthmus.config.foreign import written
from isthmus.config.imports.spelling import as_it_stands
from isthmus.config.nodes import compose
from isthmus.config.problems import Path, Problem, write_path
from isthmus.config.reading import Reading
from isthmus.config.schema import Config
from isthmus.config.schema_providers import DeadlinesEntry, ProviderEntry
from isthmus.config.secrets import Environment
from isthmus.core.value import Value
from isthmus.engine.compat import Compat

EVERY = "*"
"""Stands for every provider that does not say the key itself."""


class Variable(NamedTuple):
    """`key` is ours, () where there is no equal, for the reason in `note`. `says` makes our value of the text, None
    where it says nothing. `compat`: whose it is, where it counts only there.
    """

    key: Path
    note: str = ""
    says: Callable[[str], object] = as_it_stands
    compat: Compat | None = None


class Heard(Value, frozen=True):
    """A configuration with what variables say, what to tell of them, and what is wrong with them.

    What they say of listening, and of every provider, is kept apart: it is for those that there will be.
    """

    config: Config
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    host: str | None = None
    port: int | None = None
    every: ProviderEntry | None = None

    def of_all(self, config: Config) -> Config:
        """The configuration with what is said of every provider, where it says nothing itself."""
        if self.every is None:
            return config
        return replace(config, providers={name: _under(one, self.every) for name, one in config.providers.items()})


def _when_true(worth: str) -> Callable[[str], object]:
    return lambda said: worth if said.strip().lower() in ("1", "true", "yes", "on") else None


def _tries(said: str) -> object:
    """One more than repetitions; what is no number is told of as it is."""
    return str(int(said) + 1) if said.isdecimal() else said


def _listed(said: str) -> object:
    return [as_it_stands(one.strip()) for one in said.split(",") if one.strip()]


_ACCOUNTS = "accounts are not kept in files of that kind"
VARIABLES: Mapping[str, Variable] = {
    "LLM_MUX_PORT": Variable(("listeners", 0, "port")),
    "LLM_MUX_DEBUG": Variable(("log", "level"), says=_when_true("debug")),
    "LLM_MUX_DISABLE_AUTH": Variable(("auth",), says=_when_true("off")),
    "LLM_MUX_API_KEYS": Variable(("client-keys",), says=_listed),
    "LLM_MUX_PROXY_URL": Variable(("providers", EVERY, "proxy-url")),
    "LLM_MUX_LOGGING_TO_FILE": Variable(("log", "file"), says=_when_true("main.log")),
    "LLM_MUX_REQUEST_RETRY": Variable(("limits", "attempts"), says=_tries),
    "LLM_MUX_MAX_RETRY_INTERVAL": Variable(("limits", "wait")),
    "LLM_MUX_STREAM_TIMEOUT": Variable(("providers", EVERY, "deadlines", "between-bytes")),
    "LLM_MUX_MANAGEMENT_KEY": Variable(("management-key",)),
    "LLM_MUX_ALLOW_REMOTE": Variable(("admin", "remote"), says=_when_true("true")),
    "LLM_MUX_AUTH_DIR": Variable((), _ACCOUNTS),
    "LLM_MUX_STORE_TYPE": Variable((), _ACCOUNTS),
    "LLM_MUX_USAGE_DSN": Variable((), "usage that was recorded is not taken over; see the section store"),
    "LLM_MUX_USAGE_RETENTION_DAYS": Variable(("store", "keep-days")),
    "GATEWAY_HOST": Variable(("listeners", 0, "host"), compat=Compat.BEDROCK),
    "GATEWAY_PORT": Variable(("listeners", 0, "port"), compat=Compat.BEDROCK),
    "PORT": Variable(("listeners", 0, "port"), compat=Compat.CODEX),
    "VERBOSE": Variable(("log", "level"), says=_when_true("debug"), compat=Compat.LLMS),
    "DEBUG": Variable(("log", "level"), says=_when_true("debug"), compat=Compat.LLMS),
}
FILES = ("LLMS_CONFIG_PATH",)
"""Variables that name a configuration file."""
HOMES: Mapping[str, str] = {"LLMS_HOME": "llms.json"}
"""Variables that name a folder, and the file there."""


def heard(config: Config, environment: Environment, compat: frozenset[Compat]) -> Heard:
    """The configuration with what the variables say that are set. `compat`: whose manners its listeners have."""
    document: dict[str, object] = {}
    origins: dict[str, str] = {}
    notes = []
    for name, row in VARIABLES.items():
        said = environment.get(name)
        if said is None or (row.compat is not None and row.compat not in compat):
            continue
        if not row.key:
            notes.append(f"the variable {name} has no equal here: {row.note}")
        elif (value := row.says(said)) is not None:
            _put(document, row.key, value)
            origins[write_path(row.key)] = name
            notes.append(f"the variable {name} says {write_path(row.key)}, before the file")
    if not document:
        return Heard(config, tuple(notes))
    reading = Reading(Environment({}))
    read = reading.config(compose(written(document)))
    problems = tuple(_problem(one, origins) for one in reading.problems)
    return _joined(Heard(config, tuple(notes), problems), read, document)


def found_files(environment: Environment) -> Iterator[tuple[str, str]]:
    """The files that variables of other systems name, each with the variable's name."""
    for name in FILES:
        if path := environment.get(name):
            yield path, name
    for name, file in HOMES.items():
        if home := environment.get(name):
            yield f"{home}/{file}", name


def _put(document: dict[str, object], key: Path, value: object) -> None:
    """Put a value below its keys. There is one listener, which is the first."""
    here = document
    if key[0] == "listeners":
        listeners = document.setdefault("listeners", [{}])
        assert isinstance(listeners, list)  # noqa: S101  as it was put there
        listeners[0][key[2]] = value
        return
    for step in key[:-1]:
        below = here.setdefault(str(step), {})
        assert isinstance(below, dict)  # noqa: S101  as it was put there
        here = below
    here[str(key[-1])] = value


def _problem(found: Problem, origins: Mapping[str, str]) -> Problem:
    name = next((name for key, name in origins.items() if found.key.startswith(key)), "")
    return Problem(1, 1, "", f"the variable {name}: {found.message}")


def _joined(before: Heard, read: Config, document: Mapping[str, object]) -> Heard:
    """What was read of the variables, in the places of what the file says."""
    config, host, port = before.config, None, None
    for section, said in document.items():
        field = section.replace("-", "_")
        if isinstance(said, list) and section == "listeners":
            host = read.listeners[0].host if "host" in said[0] else None
            port = read.listeners[0].port if "port" in said[0] else None
        elif isinstance(said, Mapping) and section != "providers":
            config = replace(config, **{field: _with(getattr(config, field), getattr(read, field), said)})
        elif section != "providers":
            config = replace(config, **{field: getattr(read, field)})
    return replace(before, config=config, host=host, port=port, every=read.providers.get(EVERY))


def _with(entry: Struct, read: Struct, said: Mapping[str, object]) -> Struct:
    """The entry with the fields of another that were said."""
    fields = [name.replace("-", "_") for name in said]
    return replace(entry, **{field: getattr(read, field) for field in fields})


def _under(entry: ProviderEntry, whole: ProviderEntry) -> ProviderEntry:
    usual = DeadlinesEntry().between_bytes
    patient = entry.deadlines.between_bytes == usual
    deadlines = replace(entry.deadlines, between_bytes=whole.deadlines.between_bytes) if patient else entry.deadlines
    return replace(entry, proxy_url=entry.proxy_url or whole.proxy_url, deadlines=deadlines)
