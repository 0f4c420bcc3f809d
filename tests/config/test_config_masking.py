"""A configuration's text goes out without its secrets, and comes back whole."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.config.load import Found, parse
from isthmus.config.masking import HIDDEN, Stale, mask, mask_beside, recall, shown, spans, unmask
from isthmus.config.nodes import compose
from isthmus.config.secrets import Environment

TEXT = """\
# Who may ask.
client-keys:
  - key: isk-planted-one   # Ada's
    name: ada
  - "isk-planted-two"
management-key: 'planted-three'
providers:
  openai:
    api-key: ${OPENAI_KEY}
    api-keys: [planted-four, {key: planted-five, name: second}]
  ours:
    type: compatible
    base-url: https://llm.example.com/v1
    headers:
      x-team: planted-six
    api-key: >-
      planted-seven
"""
PLANTED = ("one", "two", "three", "four", "five", "six", "seven")


def test_no_secret_that_is_written_out_is_shown() -> None:
    assert "planted" not in mask(TEXT)


def test_what_is_no_secret_is_shown_as_it_was_written() -> None:
    hidden = mask(TEXT)
    for words in ("# Who may ask.", "  # Ada's", "name: ada", "${OPENAI_KEY}", "https://llm.example.com/v1", "second"):
        assert words in hidden


def test_every_secret_is_found_once_in_the_order_of_the_text() -> None:
    written = [span.written for span in spans(TEXT)]
    assert len(written) == len(PLANTED)
    for found, word in zip(written, PLANTED, strict=True):
        assert word in found


def test_what_is_masked_is_yaml_of_the_same_shape() -> None:
    assert compose(mask(TEXT)) is not None


def test_a_masked_text_comes_back_whole() -> None:
    assert unmask(mask(TEXT), TEXT) == TEXT


def test_a_masked_text_may_be_edited_and_rearranged() -> None:
    lines = mask(TEXT).splitlines()
    moved = "\n".join([lines[5], *lines[:5], *lines[6:]]).replace("name: ada", "name: grace")
    whole = unmask(moved, TEXT)
    assert whole.startswith("management-key: 'planted-three'\n")
    assert "key: isk-planted-one   # Ada's\n    name: grace" in whole


def test_a_text_that_was_read_before_another_change_is_refused() -> None:
    with pytest.raises(Stale, match="read it again"):
        unmask(mask(TEXT), TEXT.replace("name: ada", "name: grace"))


@pytest.mark.parametrize("elsewhere", ["log: {file: MARK}", "aliases: {MARK: a/b}", "# MARK", "log: {file: 'x MARK'}"])
def test_a_mark_where_no_secret_stands_is_refused(elsewhere: str) -> None:
    """What it stands for would be shown in the difference that a plan tells."""
    mark = re.search("<hidden:[^>]*>", mask(TEXT))
    assert mark is not None
    with pytest.raises(Stale, match="where no secret does"):
        unmask(elsewhere.replace("MARK", mark[0]), TEXT)


def test_a_mark_that_stands_for_nothing_is_refused() -> None:
    stamp = mask(TEXT).partition("<hidden:")[2].partition("/")[0]
    with pytest.raises(Stale):
        unmask(f"management-key: <hidden:{stamp}/8>", TEXT)


def test_a_change_of_a_secret_shows_without_showing_it() -> None:
    changed = TEXT.replace("planted-three", "another-three")
    before, after = mask_beside(TEXT, TEXT), mask_beside(changed, TEXT)
    assert before != after
    assert "three" not in before + after


def test_a_secret_behind_an_alias_is_hidden_where_it_is_written() -> None:
    text = "management-key: &it planted-anchor\nproviders: {openai: {api-key: *it}}\n"
    assert "planted" not in mask(text)


def test_eight_stars_stand_for_the_secret_that_is_there() -> None:
    sent = "providers:\n  openai:\n    api-keys:\n      - {name: second, key: '********'}\n"
    assert recall(sent, TEXT) == sent.replace("'********'", "planted-five")


def test_eight_stars_stand_for_a_reference_that_is_there() -> None:
    assert recall("providers: {openai: {api-key: '********'}}", TEXT) == "providers: {openai: {api-key: ${OPENAI_KEY}}}"


def test_eight_stars_where_there_is_no_secret_are_refused() -> None:
    with pytest.raises(Stale, match=r"providers\.openai\.api-keys\.third\.key"):
        recall("providers:\n  openai:\n    api-keys:\n      - {name: third, key: '********'}\n", TEXT)


def test_plain_values_of_a_configuration_hide_its_secrets() -> None:
    loaded = parse(TEXT, Found(None, "a test"), Environment({"OPENAI_KEY": "planted-zero"}))
    told = shown(loaded.config)
    assert "planted" not in repr(told)
    assert isinstance(told, dict)
    assert told["management-key"] == HIDDEN
    assert told["providers"]["ours"]["base-url"] == "https://llm.example.com/v1"


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=30))
def test_any_quoted_secret_is_hidden_and_comes_back(secret: str) -> None:
    quoted = secret.replace("'", "''")
    text = f"# é before\nproviders: {{openai: {{api-key: '{quoted}'}}}} # after\n"
    if compose(text) is None or "${" in secret:
        return
    hidden = mask(text)
    assert "api-key: <hidden:" in hidden
    assert unmask(hidden, text) == text
