"""pi. Source: its package's docs/models.md and docs/settings.md (`models.json`, `settings.json`), and
docs/custom-provider.md (an extension that adds a provider)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from isthmus.tools.formats.documents import Format
from isthmus.tools.formats.values import Puts
from isthmus.tools.tool import FOLDER, GOOD, NAME, Aim, Change, Home, Start, Tool
from isthmus.wire import json

KEY = "ISTHMUS_API_KEY"


def folder(home: Home) -> Path:
    return home.under("PI_CODING_AGENT_DIR", ".pi", "agent")


def _provider(aim: Aim) -> Mapping[str, object]:
    return {"baseUrl": aim.v1, "api": "openai-completions"}


def _changes(aim: Aim, home: Home) -> Sequence[Change]:
    provider = {**_provider(aim), "apiKey": aim.key.reveal(), "models": [{"id": name} for name in aim.some]}
    default: Puts = {("defaultProvider",): NAME, ("defaultModel",): aim.model}
    return (
        Change(folder(home) / "models.json", Format.JSON, {("providers", NAME): provider}),
        Change(folder(home) / "settings.json", Format.JSON, default),
    )


def _start(aim: Aim, home: Home) -> Start:  # noqa: ARG001  as any tool's
    known = {"reasoning": False, "input": ["text"], "contextWindow": 128_000, "maxTokens": 16_384}
    free = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}
    models = [{"id": name, "name": name, "cost": free, **known} for name in aim.some]
    provider = json.encode({**_provider(aim), "apiKey": KEY, "models": models}).decode()
    extension = f"export default (pi) => pi.registerProvider({json.encode(NAME).decode()}, {provider});\n"
    arguments = ("--extension", f"{FOLDER}/isthmus.js", "--provider", NAME, "--model", aim.model)
    return Start(arguments, {KEY: aim.key.reveal()}, files={"isthmus.js": extension})


TOOL = Tool(
    name="pi",
    title="pi",
    programs=("pi",),
    folders=lambda home: (folder(home),),
    changes=_changes,
    start=_start,
    likes=GOOD,
)
