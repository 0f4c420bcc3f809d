"""What a tool is: how it is found, what its files must say, and how it is started without them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from isthmus.core.secret import Secret
from isthmus.core.value import Value
from isthmus.tools.formats import values
from isthmus.tools.formats.documents import Format, read
from isthmus.tools.formats.values import CannotChange
from isthmus.tools.models import newest

ANY_KEY = "any-key"
"""What is sent where no client key is asked for: most tools do not start without one."""
NAME = "isthmus"
"""What the gateway is called in files that name whom they ask."""
FOLDER = "{isthmus-folder}"
"""In a start's own arguments and variables: the path of the folder that holds its files."""
SOME = 50
"""Models that are written into a file which lists them."""
GOOD = ("claude-sonnet-*", "gpt-[0-9]*", "claude-*", "gemini-*-pro*")
"""Models that most tools are at their best with."""


class Aim(Value, frozen=True):
    """Where a tool is pointed: the gateway's address without a path, a client key, and a model by its name there.

    `models` are all names that the gateway lists, none where it could not be asked.
    """

    url: str
    key: Secret
    model: str
    models: tuple[str, ...] = ()

    @property
    def v1(self) -> str:
        """The address as most tools want it."""
        return f"{self.url}/v1"

    @property
    def some(self) -> tuple[str, ...]:
        """The model, and others to choose from."""
        return (self.model, *(name for name in self.models[:SOME] if name != self.model))

    def best(self, *patterns: str) -> str:
        """The newest listed model that fits the first pattern that any fits; else the model itself."""
        return newest(self.models, *patterns) or self.model


class Home(Value, frozen=True):
    """A person's home folder, and `get`, which tells a variable of the environment."""

    folder: Path
    get: Callable[[str], str | None]

    def under(self, variable: str, *otherwise: str) -> Path:
        """The folder that a variable names, else the one below the home folder."""
        said = self.get(variable)
        return Path(said) if said else self.folder.joinpath(*otherwise)

    def settings(self, path: Path, kind: Format) -> object:
        """What a file says; ABSENT where it cannot be read."""
        try:
            return read(kind, path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, CannotChange):
            return values.ABSENT


class Change(Value, frozen=True):
    """What one file must say. `head` is for a new one."""

    path: Path
    kind: Format
    puts: values.Puts
    head: Mapping[values.Path, object] = {}


class Start(Value, frozen=True):
    """How a program is started: what stands before the person's own arguments, variables that are set and those that
    are taken away, and files in a folder that is there as long as the program runs: texts, and links to other files."""

    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}
    without: tuple[str, ...] = ()
    files: Mapping[str, str | Path] = {}


def _no_changes(aim: Aim, home: Home) -> Sequence[Change]:  # noqa: ARG001  as any tool's
    return ()


class Tool(Value, frozen=True):
    """One tool. `programs` are looked for on the path, `folders` on the disk; what is there first tells that it is.

    `likes` are patterns of the models that it is at its best with, the best first. `steps` tells what its person has
    to do by hand, after a file was changed or where none can be.
    """

    name: str
    title: str
    programs: tuple[str, ...]
    folders: Callable[[Home], Sequence[Path]]
    changes: Callable[[Aim, Home], Sequence[Change]] = _no_changes
    start: Callable[[Aim, Home], Start] | None = None
    steps: Callable[[Aim], Sequence[str]] | None = None
    likes: tuple[str, ...] = ()

    def liked(self, models: Sequence[str]) -> str | None:
        """The model to use where nobody said which. None where the gateway lists none."""
        return newest(models, *self.likes, "*") or (models[0] if models else None)
