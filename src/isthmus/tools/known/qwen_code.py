"""Qwen Code. Source: https://qwenlm.github.io/qwen-code-docs/en/users/configuration/settings (`settings.json`, `env`,
`QWEN_CODE_SYSTEM_SETTINGS_PATH`) and .../model-providers (`modelProviders`, where a model's own address wins over all
others, and its key can only be a variable)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from isthmus.tools.formats.documents import Format
from isthmus.tools.formats.values import Item, Puts
from isthmus.tools.tool import FOLDER, GOOD, Aim, Change, Home, Start, Tool
from isthmus.wire import json

KEY = "ISTHMUS_API_KEY"
SIGNS_IN = "openai"


def folder(home: Home) -> Path:
    return home.under("QWEN_HOME", ".qwen")


def _model(aim: Aim, name: str) -> Mapping[str, object]:
    return {"id": name, "name": f"{name} (Isthmus)", "baseUrl": aim.v1, "envKey": KEY}


def _changes(aim: Aim, home: Home) -> Sequence[Change]:
    puts: Puts = {
        ("env", KEY): aim.key.reveal(),
        ("security", "auth", "selectedType"): SIGNS_IN,
        ("model", "name"): aim.model,
    }
    models: Puts = {("modelProviders", SIGNS_IN, Item("id", name)): _model(aim, name) for name in aim.some}
    return (Change(folder(home) / "settings.json", Format.JSONC, {**puts, **models}),)


def _start(aim: Aim, home: Home) -> Start:  # noqa: ARG001  as any tool's
    settings = {
        "security": {"auth": {"selectedType": SIGNS_IN}},
        "model": {"name": aim.model},
        "modelProviders": {SIGNS_IN: [_model(aim, name) for name in aim.some]},
    }
    variables = {KEY: aim.key.reveal(), "QWEN_CODE_SYSTEM_SETTINGS_PATH": f"{FOLDER}/settings.json"}
    return Start((), variables, files={"settings.json": json.encode(settings).decode()})


TOOL = Tool(
    name="qwen",
    title="Qwen Code",
    programs=("qwen",),
    folders=lambda home: (folder(home),),
    changes=_changes,
    start=_start,
    likes=("qwen*coder*", "qwen*", *GOOD),
)
