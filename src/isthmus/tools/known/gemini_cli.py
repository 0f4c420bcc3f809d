"""Gemini CLI. Source: https://geminicli.com/docs/reference/configuration (`settings.json`, `.env` files,
`GEMINI_CLI_SYSTEM_SETTINGS_PATH`). Its address is without a path and can only be a variable, which it reads from `.env`
in its folder; how it signs in can only be a setting, and one that a person has chosen wins over variables."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from isthmus.tools.formats.documents import Format
from isthmus.tools.formats.values import Puts
from isthmus.tools.tool import FILE, Aim, Change, Home, Start, Tool
from isthmus.wire import json

ELSEWHERE = ("GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_GCA", "GOOGLE_API_KEY")
"""Variables with which it asks somebody else."""
SIGNS_IN = "gemini-api-key"


def folder(home: Home) -> Path:
    return home.under("GEMINI_CLI_HOME") / ".gemini" if home.get("GEMINI_CLI_HOME") else home.folder / ".gemini"


def _variables(aim: Aim) -> Mapping[str, str]:
    return {"GOOGLE_GEMINI_BASE_URL": aim.url, "GEMINI_API_KEY": aim.key.reveal()}


def _changes(aim: Aim, home: Home) -> Sequence[Change]:
    settings: Puts = {("security", "auth", "selectedType"): SIGNS_IN, ("model", "name"): aim.model}
    variables: Puts = {(name,): value for name, value in _variables(aim).items()}
    return (
        Change(folder(home) / "settings.json", Format.JSONC, settings),
        Change(folder(home) / ".env", Format.ENV, variables),
    )


def _start(aim: Aim, home: Home) -> Start:  # noqa: ARG001  as any tool's
    settings = {"security": {"auth": {"selectedType": SIGNS_IN}}}
    variables = {"GEMINI_MODEL": aim.model, "GEMINI_CLI_SYSTEM_SETTINGS_PATH": FILE, **_variables(aim)}
    return Start((), variables, ELSEWHERE, json.encode(settings).decode())


TOOL = Tool(
    name="gemini",
    title="Gemini CLI",
    programs=("gemini",),
    folders=lambda home: (folder(home),),
    changes=_changes,
    start=_start,
    likes=("gemini",),
)
