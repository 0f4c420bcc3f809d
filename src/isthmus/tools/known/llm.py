"""llm. Source: https://llm.datasette.io/en/stable/other-models.html (`extra-openai-models.yaml`) and .../setup.html
(`keys.json`, `LLM_USER_PATH`, the folder's place)."""

from collections.abc import Sequence
from pathlib import Path

from isthmus.tools.formats.documents import Format
from isthmus.tools.formats.values import Item, Puts
from isthmus.tools.tool import GOOD, NAME, Aim, Change, Home, Tool


def folder(home: Home) -> Path:
    return home.under("LLM_USER_PATH", ".config", "io.datasette.llm")


def _changes(aim: Aim, home: Home) -> Sequence[Change]:
    name = f"{NAME}/{aim.model}"
    model = {"model_id": name, "model_name": aim.model, "api_base": aim.v1, "api_key_name": NAME}
    puts: Puts = {(Item("model_id", name),): model}
    return (
        Change(folder(home) / "extra-openai-models.yaml", Format.YAML, puts),
        Change(folder(home) / "keys.json", Format.JSON, {(NAME,): aim.key.reveal()}),
    )


def _steps(aim: Aim) -> Sequence[str]:
    return (f"ask with: llm -m {NAME}/{aim.model} PROMPT",)


TOOL = Tool(
    name="llm",
    title="llm",
    programs=("llm",),
    folders=lambda home: (folder(home),),
    changes=_changes,
    steps=_steps,
    likes=GOOD,
)
