"""Gemini CLI. Source: https://geminicli.com/docs/reference/configuration (`settings.json`, `.env` files,
`GEMINI_CLI_HOME`). Its address is without a path and can only be a variable, which it reads from `.env` in its folder;
how it signs in can only be a setting, and it takes settings from nobody else's file but root's."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from isthmus.tools.formats.documents import Format
from isthmus.tools.formats.values import Path as Inside
from isthmus.tools.formats.values import Puts, changed, look
from isthmus.tools.tool import FOLDER, Aim, Change, Home, Start, Tool
from isthmus.wire import json

ELSEWHERE = ("GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_GCA", "GOOGLE_API_KEY")
"""Variables with which it asks somebody else."""
SIGNS_IN = "gemini-api-key"
_SIGNING: Inside = ("security", "auth", "selectedType")


def folder(home: Home) -> Path:
    return home.under("GEMINI_CLI_HOME") / ".gemini" if home.get("GEMINI_CLI_HOME") else home.folder / ".gemini"


def _variables(aim: Aim) -> Mapping[str, str]:
    return {"GOOGLE_GEMINI_BASE_URL": aim.url, "GEMINI_API_KEY": aim.key.reveal()}


def _changes(aim: Aim, home: Home) -> Sequence[Change]:
    settings: Puts = {_SIGNING: SIGNS_IN, ("model", "name"): aim.model}
    variables: Puts = {(name,): value for name, value in _variables(aim).items()}
    return (
        Change(folder(home) / "settings.json", Format.JSONC, settings),
        Change(folder(home) / ".env", Format.ENV, variables),
    )


def _start(aim: Aim, home: Home) -> Start:
    """By variables. Where its settings have it sign in otherwise, it gets a home folder of its own: the settings in it
    are as a person's but for that, all else are links to theirs."""
    variables = {"GEMINI_MODEL": aim.model, **_variables(aim)}
    said = home.settings(folder(home) / "settings.json", Format.JSONC)
    if look(said, _SIGNING) == SIGNS_IN:
        return Start(variables=variables, without=ELSEWHERE)
    settings = changed(said, _SIGNING, SIGNS_IN)
    files: dict[str, str | Path] = {".gemini/settings.json": json.encode(settings).decode()}
    if folder(home).is_dir():
        others = (one for one in folder(home).iterdir() if one.name != "settings.json")
        files |= {f".gemini/{one.name}": one for one in others}
    return Start((), {**variables, "GEMINI_CLI_HOME": FOLDER}, ELSEWHERE, files)


TOOL = Tool(
    name="gemini",
    title="Gemini CLI",
    programs=("gemini",),
    folders=lambda home: (folder(home),),
    changes=_changes,
    start=_start,
    likes=("gemini-*-pro*", "gemini-*"),
)
