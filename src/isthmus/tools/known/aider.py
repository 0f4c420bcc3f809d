"""aider. Source: https://aider.chat/docs/config/aider_conf.html (`.aider.conf.yml` in the home folder, a repository and
the current folder, the last of which wins), https://aider.chat/docs/config/options.html (a variable for each option)
and https://aider.chat/docs/llms/openai-compat.html (`openai/` before a model's name)."""

from collections.abc import Mapping, Sequence

from isthmus.tools.formats.documents import Format
from isthmus.tools.formats.values import Puts
from isthmus.tools.tool import GOOD, Aim, Change, Home, Start, Tool


def _options(aim: Aim) -> Mapping[str, str]:
    return {"openai-api-base": aim.v1, "openai-api-key": aim.key.reveal(), "model": f"openai/{aim.model}"}


def _changes(aim: Aim, home: Home) -> Sequence[Change]:
    puts: Puts = {(name,): value for name, value in _options(aim).items()}
    return (Change(home.folder / ".aider.conf.yml", Format.YAML, puts),)


def _start(aim: Aim, home: Home) -> Start:  # noqa: ARG001  as any tool's
    variables = {f"AIDER_{name.upper().replace('-', '_')}": value for name, value in _options(aim).items()}
    return Start(variables=variables)


TOOL = Tool(
    name="aider",
    title="aider",
    programs=("aider",),
    folders=lambda home: (home.folder / ".aider.conf.yml", home.folder / ".aider"),
    changes=_changes,
    start=_start,
    likes=GOOD,
)
