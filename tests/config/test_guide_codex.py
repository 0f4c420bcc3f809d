"""The guide to Codex: its configuration can be used, and its tables say what is so."""

import re
from pathlib import Path

import pytest

from isthmus.config.compile import compile_config
from isthmus.engine.live import Live
from isthmus.providers import codex
from support.configured import config_of

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "codex.md").read_text()


def test_the_configuration_is_one() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    provider = compile_config(config_of(text)).providers["codex"]
    assert provider.stand_ins == {"claude-opus-*": "gpt-5.3-codex", "claude-sonnet-*": "gpt-5.2"}


@pytest.mark.parametrize(
    ("names", "model"), re.findall(r"^\| (`(?:opus|sonnet|haiku)`.*?) \| `([^`]+)` \|$", GUIDE, re.MULTILINE)
)
def test_each_name_of_claude_leads_where_the_guide_says(names: str, model: str) -> None:
    directory = Live(compile_config(config_of("providers: {codex: {}}"))).take().directory
    for name in re.findall(r"`([^`-][^`]*)`", names):
        assert [target.model for target in directory.plan(name).targets] == [model], name


@pytest.mark.parametrize("name", sorted(codex.QUIRKS.drop))
def test_every_field_that_is_lost_stands_in_the_guide(name: str) -> None:
    (line,) = [line for line in GUIDE.splitlines() if f"`{name}`" in line and line.startswith("|")]
    assert "told as lost" in line
