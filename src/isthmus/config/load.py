"""From a file, or none, to a checked configuration. Everything that is wrong is raised together."""

from pathlib import Path

from msgspec.structs import replace

from isthmus.config.checks import check
from isthmus.config.environment import complete
from isthmus.config.foreign import Foreign, translated
from isthmus.config.listening import AS_CONFIGURED, Listen, compat_of, listening
from isthmus.config.nodes import MAX_BYTES, Broken, compose
from isthmus.config.other_variables import Heard, found_files, heard
from isthmus.config.problems import ConfigProblems, Problem
from isthmus.config.reading import Reading
from isthmus.config.schema import Config
from isthmus.config.schema_accounts import AccountsEntry, IssuerEntry
from isthmus.config.schema_providers import ProviderEntry
from isthmus.config.secrets import Environment
from isthmus.core.value import Value

FILE = "isthmus.yaml"


class Found(Value, frozen=True):
    """A file to read, or None, and in words how it was come by."""

    path: Path | None
    how: str


class Loaded(Value, frozen=True):
    """A checked configuration, and where it is from.

    `automatic`: it names no provider, so those are used that were found. `listen` is what the command line
    put in place of the configured listeners, for reading the file again. `notes` are for the log. `system` is
    whose file it is, where it is another system's.
    """

    config: Config
    path: Path | None
    environment: Environment
    found: str
    automatic: bool
    listen: Listen
    notes: tuple[str, ...] = ()
    system: str = ""

    @property
    def source(self) -> str:
        """The configuration's name, for people."""
        return str(self.path) if self.path else self.found


def load(
    given: Path | None, environment: Environment, *, here: Path | None = None, listen: Listen = AS_CONFIGURED
) -> Loaded:
    """Find the file, read it, check it. `given` is the file that the user named. Raises ConfigProblems."""
    found = find(given, environment, here or Path())
    text = read_text(found.path) if found.path else ""
    return parse(text, found, environment, listen)


def reload(before: Loaded) -> Loaded:
    """The same file as it is now. Raises ConfigProblems."""
    found = Found(before.path, before.found)
    text = read_text(found.path) if found.path else ""
    return parse(text, found, before.environment, before.listen)


def find(given: Path | None, environment: Environment, here: Path) -> Found:
    """The file to use: the one that was named, else the first that exists where one is looked for."""
    if given is not None:
        return Found(given, "--config")
    if named := environment.get("ISTHMUS_CONFIG"):
        return Found(Path(named), "ISTHMUS_CONFIG")
    for path in _usual_places(environment, here):
        if path.is_file():
            return Found(path, "the usual place")
    for name, variable in found_files(environment):
        if Path(name).is_file():
            return Found(Path(name), variable)
    return Found(None, "no file; the environment was looked at")


def read_text(path: Path) -> str:
    """The file's text. Raises ConfigProblems where it cannot be read, is too long, or is not UTF-8."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise _whole(path, f"is longer than {MAX_BYTES // 1024**2} MiB")
        return content.decode()
    except OSError as error:
        raise _whole(path, f"cannot be read: {error.strerror or type(error).__name__}") from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigProblems(str(path), [Problem(line, 1, "", "is not UTF-8 text")]) from error


def parse(text: str, found: Found, environment: Environment, listen: Listen = AS_CONFIGURED) -> Loaded:
    """A configuration from its text, or from that of another system. Raises ConfigProblems with all there are."""
    if (other := _foreign(text, found.path, environment, None)) is None:
        return _parsed(text, found, environment, listen)
    try:
        loaded = _parsed(other.text, found, environment, listen)
    except ConfigProblems as bad:
        raise ConfigProblems(bad.file, [other.told_back(one) for one in bad.problems]) from bad
    return replace(loaded, notes=other.notes() + loaded.notes, system=other.system)


def import_file(path: Path, environment: Environment, kind: str | None = None) -> Foreign | None:
    """The file of another system in our words, which may have problems of its own; None for one of ours.

    `kind` is a key of KINDS; without it the file's shape tells. Raises ConfigProblems for a file that cannot be read.
    """
    return _foreign(read_text(path), path, environment, kind)


def _foreign(text: str, path: Path | None, environment: Environment, kind: str | None) -> Foreign | None:
    name = str(path) if path else "environment"
    try:
        other = translated(text, environment, lambda beside: _read_beside(path, beside), kind=kind)
    except Broken as broken:
        raise ConfigProblems(name, [broken.problem]) from broken
    if other is not None and (problems := other.problems()):
        raise ConfigProblems(name, problems)
    return other


def _parsed(text: str, found: Found, environment: Environment, listen: Listen) -> Loaded:
    name = str(found.path) if found.path else "environment"
    reading = Reading(environment)
    read = reading.config(compose(text))
    automatic = not any(path[:1] == ("providers",) and len(path) == 2 for path in reading.keys)
    told = heard(read, environment, compat_of(read, listen))
    where = _first_said(listen, told)
    if where != AS_CONFIGURED:
        reading.forget("listeners")
    config = told.of_all(complete(listening(told.config, where), environment, automatic=automatic))
    folder = found.path.parent if found.path else Path()
    check(config, reading, folder)
    if problems := [*reading.problems, *told.problems]:
        raise ConfigProblems(name, problems)
    return Loaded(_placed(config, folder), found.path, environment, found.how, automatic, listen, told.notes)


def _first_said(listen: Listen, told: Heard) -> Listen:
    """The command line comes before the variables of other systems."""
    if told.host is None and told.port is None:
        return listen
    host = told.host if listen.host is None else listen.host
    return replace(listen, host=host, port=told.port if listen.port is None else listen.port)


def _read_beside(path: Path | None, name: str) -> str:
    """The text of a file in the same folder; "" where there is none."""
    beside = path.with_name(name) if path else None
    return read_text(beside) if beside and beside.is_file() else ""


def _usual_places(environment: Environment, here: Path) -> list[Path]:
    places = [here / FILE]
    home = environment.get("HOME")
    if settings := environment.get("XDG_CONFIG_HOME"):
        places.append(Path(settings) / "isthmus" / FILE)
    elif home:
        places.append(Path(home) / ".config" / "isthmus" / FILE)
    return places


def _whole(path: Path, message: str) -> ConfigProblems:
    return ConfigProblems(str(path), [Problem(1, 1, "", message)])


def _placed(config: Config, folder: Path) -> Config:
    """Files that are named relative to the configuration's own folder, where they are."""
    providers = {name: _placed_entry(entry, folder) for name, entry in config.providers.items()}
    log = replace(config.log, file=str(folder / config.log.file)) if config.log.file else config.log
    return replace(config, providers=providers, log=log, accounts=_placed_accounts(config.accounts, folder))


def _placed_entry(entry: ProviderEntry, folder: Path) -> ProviderEntry:
    files = {"ca_file": entry.ca_file, "credentials_file": entry.credentials_file}
    return replace(entry, **{field: str(folder / file) for field, file in files.items() if file})


def _placed_accounts(entry: AccountsEntry, folder: Path) -> AccountsEntry:
    issuers = {name: _placed_issuer(issuer, folder) for name, issuer in entry.issuers.items()}
    return replace(entry, key_file=str(folder / entry.key_file) if entry.key_file else None, issuers=issuers)


def _placed_issuer(entry: IssuerEntry, folder: Path) -> IssuerEntry:
    return replace(entry, ca_file=str(folder / entry.ca_file)) if entry.ca_file else entry
