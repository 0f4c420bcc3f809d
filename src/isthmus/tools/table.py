"""The tools, by the names that commands know them by."""

from collections.abc import Mapping

from isthmus.tools.known import (
    aider,
    claude_code,
    codex,
    continue_dev,
    cursor,
    gemini_cli,
    llm,
    open_webui,
    opencode,
    pi,
    qwen_code,
    zed,
)
from isthmus.tools.tool import Tool

TOOLS: Mapping[str, Tool] = {
    one.TOOL.name: one.TOOL
    for one in (
        claude_code,
        codex,
        gemini_cli,
        opencode,
        qwen_code,
        aider,
        continue_dev,
        zed,
        cursor,
        open_webui,
        llm,
        pi,
    )
}
