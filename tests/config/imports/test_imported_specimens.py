"""What holds of every file of another system: it loads, it is recognized, and nothing of it is dropped in silence."""

from pathlib import Path

import pytest
import yaml

from isthmus.config.foreign import translated
from isthmus.config.imports.documents import Document
from isthmus.config.imports.kinds import KINDS
from isthmus.config.imports.report import Fit
from isthmus.config.load import load
from isthmus.config.secrets import Environment
from support.importing import FILES, SPECIMENS, VARIABLES, foreign, problems, said, taken_over, text_of


@pytest.mark.parametrize("file", FILES)
def test_it_loads_without_problems(file: str) -> None:
    assert problems(text_of(file)) == ()


@pytest.mark.parametrize(("file", "kind"), FILES.items())
def test_it_is_known_by_its_shape(file: str, kind: str) -> None:
    assert foreign(text_of(file)).kind == kind


@pytest.mark.parametrize("file", FILES)
def test_every_key_of_it_is_known(file: str) -> None:
    assert said(foreign(text_of(file)), Fit.UNKNOWN) == set()


@pytest.mark.parametrize("file", FILES)
def test_a_key_that_nobody_knows_is_told_of(file: str) -> None:
    whole = Document(text_of(file)).whole
    assert isinstance(whole, dict)
    assert "zork" in said(foreign(yaml.safe_dump({**whole, "zork": 1}, allow_unicode=True)), Fit.UNKNOWN)


@pytest.mark.parametrize("file", FILES)
def test_what_is_made_of_it_is_a_file_of_ours(file: str) -> None:
    ours = foreign(text_of(file)).text
    assert translated(ours, Environment(VARIABLES), lambda _: "") is None
    assert taken_over(ours).config == taken_over(text_of(file)).config


@pytest.mark.parametrize("file", FILES)
def test_no_remark_repeats_a_value(file: str) -> None:
    found = foreign(text_of(file))
    secrets = [one for one in _texts(Document(text_of(file)).whole) if "key" in one and len(one) > 12]
    assert not [one for one in secrets for line in found.notes() if one in line]


@pytest.mark.parametrize("file", FILES)
def test_the_log_is_told_whose_file_it_is(file: str) -> None:
    assert KINDS[FILES[file]].system in taken_over(text_of(file)).notes[0]


def test_every_kind_has_a_specimen() -> None:
    assert set(FILES.values()) == set(KINDS)
    assert {path.name for path in SPECIMENS.iterdir()} == {*FILES, "providers.json"}


def test_a_file_of_ours_is_not_taken_for_another() -> None:
    for text in ("", "providers: {openai: {api-key: a}}", "limits: {attempts: 3}", "sevrer: 1", "- a list", "{}"):
        assert translated(text, Environment({}), lambda _: "") is None


def test_the_file_beside_it_is_read_where_it_stands(tmp_path: Path) -> None:
    for name in ("llms.json", "providers.json"):
        (tmp_path / name).write_text(text_of(name))
    loaded = load(tmp_path / "llms.json", Environment({**VARIABLES, "ZHIPU_API_KEY": "zhipu-0123456789"}))
    assert loaded.config.providers["zai-coding-plan"].models == ("glm-4.6",)


def _texts(value: object) -> list[str]:
    """Every text that is a value in a document."""
    if isinstance(value, dict):
        return [one for item in value.values() for one in _texts(item)]
    if isinstance(value, list):
        return [one for item in value for one in _texts(item)]
    return [value] if isinstance(value, str) else []
