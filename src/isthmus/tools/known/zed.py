"""Zed. Source: https://zed.dev/docs/ai/use-api-access (`language_models.openai_compatible`, keys in the keychain or a
variable made of the provider's name, never in the file) and https://zed.dev/docs/configuring-zed (the file's place)."""

from collections.abc import Sequence
from pathlib import Path

from isthmus.tools.formats.documents import Format
from isthmus.tools.formats.values import Puts
from isthmus.tools.tool import GOOD, Aim, Change, Home, Tool

PROVIDER = "Isthmus"
WINDOW = 128_000
"""Tokens of a conversation after which Zed shortens it. It asks for a number, and lists of models tell none."""


def folder(home: Home) -> Path:
    return home.under("XDG_CONFIG_HOME", ".config") / "zed"


def _changes(aim: Aim, home: Home) -> Sequence[Change]:
    models = [{"name": name, "max_tokens": WINDOW} for name in aim.some]
    puts: Puts = {
        ("language_models", "openai_compatible", PROVIDER): {"api_url": aim.v1, "available_models": models},
        ("agent", "default_model"): {"provider": PROVIDER, "model": aim.model},
    }
    return (Change(folder(home) / "settings.json", Format.JSONC, puts),)


def _steps(aim: Aim) -> Sequence[str]:  # noqa: ARG001  as any tool's
    return (
        "Zed keeps keys in the keychain: open its agent settings, LLM Providers, Isthmus, and paste a client key",
        "(any text where none is asked for); or start Zed with it in the variable ISTHMUS_API_KEY",
    )


TOOL = Tool(
    name="zed",
    title="Zed",
    programs=("zed", "zeditor"),
    folders=lambda home: (folder(home),),
    changes=_changes,
    steps=_steps,
    likes=GOOD,
)
