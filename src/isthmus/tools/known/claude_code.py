"""Claude Code. Sources: https://code.claude.com/docs/en/settings (`env`, precedence, `--settings`) and
https://code.claude.com/docs/en/env-vars (the variables). Its address is without a path. `ANTHROPIC_AUTH_TOKEN` is a
bearer token that it uses without asking; an `ANTHROPIC_API_KEY`, also of the shell, is sent beside it, unless the
settings say that it is empty (seen of 2.1.329)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from isthmus.tools.formats.documents import Format
from isthmus.tools.formats.values import ABSENT, Puts, look
from isthmus.tools.tool import FOLDER, Aim, Change, Home, Start, Tool
from isthmus.wire import json

URL, KEY, TOKEN, MODEL = "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_MODEL"
FAMILIES = ("opus", "sonnet", "haiku")
ELSEWHERE = ("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY", "CLAUDE_CODE_OAUTH_TOKEN")
"""Variables with which it asks somebody else."""


def folder(home: Home) -> Path:
    return home.under("CLAUDE_CONFIG_DIR", ".claude")


def settings(home: Home) -> Path:
    return folder(home) / "settings.json"


def _variables(aim: Aim) -> Mapping[str, str]:
    families = {f"ANTHROPIC_DEFAULT_{family.upper()}_MODEL": aim.best(f"claude*{family}*") for family in FAMILIES}
    return {URL: aim.url, TOKEN: aim.key.reveal(), MODEL: aim.model, **families}


def _changes(aim: Aim, home: Home) -> Sequence[Change]:
    gone: Puts = {("env", name): ABSENT for name in ELSEWHERE}
    puts: Puts = {("env", name): value for name, value in {**_variables(aim), KEY: ""}.items()}
    return (Change(settings(home), Format.JSON, {**puts, **gone}),)


def _start(aim: Aim, home: Home) -> Start:
    """By variables. Where its settings set any of them, those would win; then by settings that win over them."""
    variables, gone = _variables(aim), (KEY, *ELSEWHERE)
    said = look(home.settings(settings(home), Format.JSON), ("env",))
    if not isinstance(said, Mapping) or not any(name in said for name in (*variables, *gone)):
        return Start(variables=variables, without=gone)
    wanted = {"env": {**variables, **{name: "" for name in gone if name in said}}}
    files = {"settings.json": json.encode(wanted).decode()}
    return Start(("--settings", f"{FOLDER}/settings.json"), variables, gone, files)


TOOL = Tool(
    name="claude",
    title="Claude Code",
    programs=("claude",),
    folders=lambda home: (folder(home),),
    changes=_changes,
    start=_start,
    likes=("claude-*sonnet*", "claude-*"),
)
