"""Which model a tool asks for where nobody said which."""

import pytest

from isthmus.tools.models import newest
from isthmus.tools.table import TOOLS

LISTED = (
    "smollm2-135m",
    "claude-3-5-sonnet-20241022",
    "claude-sonnet-4-20250514",
    "claude-sonnet-4-5-20250929",
    "claude-opus-4-1",
    "claude-haiku-4-5",
    "anthropic/claude-sonnet-9",
    "gpt-4o",
    "gpt-4o-realtime-preview",
    "gpt-5.2",
    "gpt-5.2-pro",
    "gpt-5.3-codex",
    "gpt-image-9",
    "text-embedding-9-large",
    "gemini-2.5-pro",
    "gemini-3-pro-preview",
    "gemini-3-flash",
    "gemini-embedding-001",
    "qwen3-coder-plus",
)


@pytest.mark.parametrize(
    ("tool", "model"),
    [
        ("claude", "claude-sonnet-4-5-20250929"),
        ("codex", "gpt-5.3-codex"),
        ("gemini", "gemini-3-pro-preview"),
        ("qwen", "qwen3-coder-plus"),
        ("opencode", "claude-sonnet-4-5-20250929"),
    ],
)
def test_each_tool_gets_the_newest_of_those_that_it_is_at_its_best_with(tool: str, model: str) -> None:
    assert TOOLS[tool].liked(LISTED) == model


def test_of_one_version_the_plainest_is_taken() -> None:
    assert newest(LISTED, "gpt-5.2*") == "gpt-5.2"


def test_without_a_likely_one_any_that_may_chat_is_taken() -> None:
    assert TOOLS["gemini"].liked(("text-embedding-9", "smollm2-135m")) == "smollm2-135m"


def test_where_only_others_are_listed_the_first_is_taken_and_where_none_is_none() -> None:
    assert TOOLS["gemini"].liked(("openai/gpt-5.2", "tts-1")) == "openai/gpt-5.2"
    assert TOOLS["gemini"].liked(()) is None
