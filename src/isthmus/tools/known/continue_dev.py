"""Continue, in editors and as `cn`. Source: https://docs.continue.dev/reference (`config.yaml`: `name`, `version` and
`schema` must be there; `models` with `provider`, `apiBase`, `apiKey`, `roles`) and its `cn --help` (`--config`)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from isthmus.tools.formats.documents import Format
from isthmus.tools.formats.values import Item, Puts
from isthmus.tools.tool import FOLDER, GOOD, Aim, Change, Home, Start, Tool
from isthmus.wire import json

HEAD: Mapping[str, str] = {"name": "Local Config", "version": "1.0.0", "schema": "v1"}


def folder(home: Home) -> Path:
    return home.under("CONTINUE_GLOBAL_DIR", ".continue")


def _model(aim: Aim) -> Mapping[str, object]:
    return {
        "name": f"Isthmus {aim.model}",
        "provider": "openai",
        "model": aim.model,
        "apiBase": aim.v1,
        "apiKey": aim.key.reveal(),
        "roles": ["chat", "edit", "apply"],
    }


def _changes(aim: Aim, home: Home) -> Sequence[Change]:
    model = _model(aim)
    puts: Puts = {("models", Item("name", str(model["name"]))): model}
    head: Puts = {(name,): value for name, value in HEAD.items()}
    return (Change(folder(home) / "config.yaml", Format.YAML, puts, head),)


def _start(aim: Aim, home: Home) -> Start:  # noqa: ARG001  as any tool's
    wanted = {**HEAD, "models": [_model(aim)]}
    return Start(("--config", f"{FOLDER}/config.yaml"), files={"config.yaml": json.encode(wanted).decode()})


TOOL = Tool(
    name="continue",
    title="Continue",
    programs=("cn",),
    folders=lambda home: (folder(home),),
    changes=_changes,
    start=_start,
    likes=GOOD,
)
