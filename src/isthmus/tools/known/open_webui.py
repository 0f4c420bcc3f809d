"""Open WebUI. Source: https://docs.openwebui.com/getting-started/env-configuration (`OPENAI_API_BASE_URL`,
`OPENAI_API_KEY`; after its first start they come from its database, unless `ENABLE_PERSISTENT_CONFIG` says no)."""

from collections.abc import Sequence

from isthmus.tools.tool import Aim, Home, Start, Tool


def _start(aim: Aim, home: Home) -> Start:  # noqa: ARG001  as any tool's
    variables = {
        "ENABLE_OPENAI_API": "true",
        "OPENAI_API_BASE_URL": aim.v1,
        "OPENAI_API_KEY": aim.key.reveal(),
        "ENABLE_PERSISTENT_CONFIG": "false",
    }
    return Start(variables=variables, without=("OPENAI_API_BASE_URLS", "OPENAI_API_KEYS"))


def _steps(aim: Aim) -> Sequence[str]:
    return (
        "Open WebUI keeps its connections in a database. As its administrator, under Settings, Connections:",
        f"  1. add an OpenAI API connection with the URL {aim.v1}",
        "     (in a container: http://host.docker.internal in place of http://127.0.0.1)",
        "  2. paste a client key: isthmus keys create open-webui; any text where none is asked for",
        "or start it with both: isthmus run open-webui serve",
    )


TOOL = Tool(
    name="open-webui",
    title="Open WebUI",
    programs=("open-webui",),
    folders=lambda home: (),  # noqa: ARG005  it has none that tells
    start=_start,
    steps=_steps,
)
