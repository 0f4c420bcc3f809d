"""opencode. Source: https://opencode.ai/docs/config (places and their order, `OPENCODE_CONFIG_CONTENT`) and
https://opencode.ai/docs/providers (a provider of one's own). It offers the models that are listed, and no others."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from isthmus.tools.formats.documents import Format
from isthmus.tools.formats.values import Puts
from isthmus.tools.tool import GOOD, NAME, Aim, Change, Home, Start, Tool
from isthmus.wire import json

FILES = ("opencode.jsonc", "opencode.json", "config.json")
"""What its settings may be called, the one that wins first."""


def folder(home: Home) -> Path:
    return home.under("XDG_CONFIG_HOME", ".config") / "opencode"


def _settings(aim: Aim) -> Mapping[str, object]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Isthmus",
        "options": {"baseURL": aim.v1, "apiKey": aim.key.reveal()},
        "models": {name: {} for name in aim.some},
    }
    return {"model": f"{NAME}/{aim.model}", "small_model": f"{NAME}/{aim.model}", "provider": {NAME: provider}}


def _changes(aim: Aim, home: Home) -> Sequence[Change]:
    there = [name for name in FILES if (folder(home) / name).exists()]
    puts: Puts = {(name,): value for name, value in _settings(aim).items()}
    return (Change(folder(home) / (there[0] if there else "opencode.json"), Format.JSONC, puts),)


def _start(aim: Aim, home: Home) -> Start:  # noqa: ARG001  as any tool's
    return Start(variables={"OPENCODE_CONFIG_CONTENT": json.encode(_settings(aim)).decode()})


TOOL = Tool(
    name="opencode",
    title="opencode",
    programs=("opencode",),
    folders=lambda home: (folder(home),),
    changes=_changes,
    start=_start,
    likes=GOOD,
)
