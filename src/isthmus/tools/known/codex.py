"""Codex CLI. Source: https://developers.openai.com/codex/config-reference (`model_provider`, `model_providers.<id>`,
`experimental_bearer_token`) and https://developers.openai.com/codex/config-advanced (`-c`). It speaks Responses only,
and takes no address from the environment."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from isthmus.tools.formats.documents import Format
from isthmus.tools.formats.values import Puts
from isthmus.tools.tool import NAME, Aim, Change, Home, Start, Tool
from isthmus.wire import json

KEY = "ISTHMUS_API_KEY"


def folder(home: Home) -> Path:
    return home.under("CODEX_HOME", ".codex")


def _provider(aim: Aim) -> Mapping[str, object]:
    return {"name": "Isthmus", "base_url": aim.v1, "wire_api": "responses"}


def _changes(aim: Aim, home: Home) -> Sequence[Change]:
    provider = {**_provider(aim), "experimental_bearer_token": aim.key.reveal()}
    puts: Puts = {("model",): aim.model, ("model_provider",): NAME, ("model_providers", NAME): provider}
    return (Change(folder(home) / "config.toml", Format.TOML, puts),)


def _start(aim: Aim, home: Home) -> Start:  # noqa: ARG001  as any tool's
    provider = {**_provider(aim), "env_key": KEY}
    wanted = {"model": aim.model, "model_provider": NAME}
    wanted |= {f"model_providers.{NAME}.{field}": str(value) for field, value in provider.items()}
    said = [("-c", f"{path}={json.encode(value).decode()}") for path, value in wanted.items()]
    return Start(tuple(word for pair in said for word in pair), {KEY: aim.key.reveal()})


TOOL = Tool(
    name="codex",
    title="Codex CLI",
    programs=("codex",),
    folders=lambda home: (folder(home),),
    changes=_changes,
    start=_start,
    likes=("gpt-*codex*", "gpt-[0-9]*"),
)
