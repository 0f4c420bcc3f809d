"""Single values are set in a configuration's text, and what people wrote around them stays."""

import pytest

from isthmus.config.editing import CannotEdit, edit

TEXT = """\
# Ours.
limits:
  attempts: 3  # not more

providers:
  openai:
    enabled: true
client-keys:
  - key: one  # Ada's
  - key: two
"""


def test_a_value_is_set_and_the_comments_stay() -> None:
    assert edit(TEXT, {("limits", "attempts"): 4}) == TEXT.replace("attempts: 3 ", "attempts: 4 ")


def test_what_is_missing_on_the_way_is_made() -> None:
    assert edit("", {("log", "level"): "debug"}) == "log:\n  level: debug\n"


def test_nothing_takes_a_key_away() -> None:
    assert "attempts" not in edit(TEXT, {("limits", "attempts"): None})


def test_what_is_not_there_is_taken_away_without_a_word() -> None:
    assert edit(TEXT, {("log", "level"): None}) == TEXT


def test_an_item_is_added_at_the_end_of_a_list() -> None:
    assert edit(TEXT, {("client-keys", 2): {"key": "three"}}) == TEXT + "  - key: three\n"


def test_an_item_of_a_list_is_taken_away_with_its_comment() -> None:
    assert edit(TEXT, {("client-keys", 0): None}).endswith("client-keys:\n  - key: two\n")


@pytest.mark.parametrize("path", [("client-keys", 5, "key"), ("limits", 0), ("limits", "attempts", "more"), ()])
def test_a_path_that_leads_nowhere_is_refused(path: tuple[str | int, ...]) -> None:
    with pytest.raises(CannotEdit):
        edit(TEXT, {path: 1})


def test_a_file_that_is_no_yaml_is_not_edited() -> None:
    with pytest.raises(CannotEdit, match="valid YAML"):
        edit("a: [", {("b",): 1})
