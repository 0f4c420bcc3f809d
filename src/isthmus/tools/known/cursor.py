"""Cursor. Source: https://docs.cursor.com/settings/api-keys (a key and a base URL of one's own, among the settings of
its window). It keeps both in a database of its own, which is not for others to write; and its servers send the
requests, so they must be able to reach the gateway."""

from collections.abc import Sequence

from isthmus.tools.tool import Aim, Tool


def _steps(aim: Aim) -> Sequence[str]:
    return (
        "Cursor has no file for this. In its settings, under Models, API Keys:",
        f"  1. turn on OpenAI API Key, and paste a client key: {'isthmus keys create cursor'}",
        "  2. turn on Override OpenAI Base URL, and write the address at which the gateway is reached from outside,",
        f"     with /v1 at its end. Cursor's own servers ask there: they cannot reach {aim.v1} on this machine",
        f"  3. add the models by their names here, such as {aim.model}",
    )


TOOL = Tool(
    name="cursor",
    title="Cursor",
    programs=("cursor",),
    folders=lambda home: (home.folder / ".cursor", home.under("XDG_CONFIG_HOME", ".config") / "Cursor"),
    steps=_steps,
)
