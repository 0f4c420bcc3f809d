"""Settings are changed by the characters that the change needs: what each kind of text looks like afterwards."""

import pytest

from isthmus.tools.formats.documents import Format, change, read
from isthmus.tools.formats.values import ABSENT, CannotChange, Item, Path, Puts, look

URL: Puts = {("env", "URL"): "http://x"}
CHANGES: tuple[tuple[Format, str, Puts, str], ...] = (
    (Format.JSON, "", URL, '{\n  "env": {\n    "URL": "http://x"\n  }\n}\n'),
    (Format.JSON, "{}\n", URL, '{\n  "env": {\n    "URL": "http://x"\n  }\n}\n'),
    (Format.JSON, '{"a":1}', URL, '{"a":1, "env": {\n  "URL": "http://x"\n}}'),
    (Format.JSON, '{"env":{"A":"b"}}', URL, '{"env":{"A":"b", "URL": "http://x"}}'),
    (Format.JSON, '{"env":{"URL":"y","A":"b"}}', URL, '{"env":{"URL":"http://x","A":"b"}}'),
    (Format.JSON, '{\n    "a": 1e3\n}', {("b",): [1]}, '{\n    "a": 1e3,\n    "b": [1]\n}'),
    (Format.JSON, '{\n  "env": null\n}', URL, '{\n  "env": {\n    "URL": "http://x"\n  }\n}'),
    (Format.JSONC, '{\n\t"a": 1 // one\n}', {("b",): 2}, '{\n\t"a": 1, // one\n\t"b": 2\n}'),
    (Format.JSONC, '{\n  "a": 1, // one\n  // end\n}', {("b",): 2}, '{\n  "a": 1, // one\n  "b": 2,\n  // end\n}'),
    (Format.JSONC, "// head\n{ /* none */ }", {("b",): 2}, '// head\n{ /* none */\n  "b": 2\n}'),
    (Format.JSONC, '{"a": "// no /* comment"}', {("a",): ABSENT}, "{}"),
    (
        Format.JSONC,
        '{\n  "a": 1,\n  "b": 2, // two\n  "c": 3\n}',
        {("b",): ABSENT},
        '{\n  "a": 1,\n  // two\n  "c": 3\n}',
    ),
    (Format.JSONC, '{\n  "a": 1,\n  "b": 2\n}', {("b",): ABSENT}, '{\n  "a": 1\n}'),
    (Format.JSONC, '{"a": 1, "b": 2, "c": 3}', {("a",): ABSENT, ("c",): ABSENT}, '{"b": 2}'),
    (Format.TOML, "", {("a",): 1, ("t", "x", "u"): "y"}, 'a = 1\n\n[t.x]\nu = "y"\n'),
    (Format.TOML, '# c\na = "b" # d\n\n[t]\n', {("b",): 1}, '# c\na = "b" # d\nb = 1\n\n[t]\n'),
    (Format.TOML, 'a = "b" # d\n', {("a",): "c"}, 'a = "c" # d\n'),
    (Format.TOML, "a = {b = 1}\n", {("a", "c"): 2}, "a = {b = 1,c = 2}\n"),
    (Format.YAML, "# c\n", {("a",): "b"}, "# c\na: b\n"),
    (Format.YAML, "a: 1 # one\n# end\n", {("b",): "yes"}, 'a: 1 # one\nb: "yes"\n# end\n'),
    (Format.YAML, "a: 'x'  # one\n", {("a",): "http://x"}, "a: http://x  # one\n"),
    (Format.YAML, "a:\nb: 1\n", {("a", "c"): 2}, 'a: {"c":2}\nb: 1\n'),
    (
        Format.YAML,
        "l:\n- n: a\n  x: |\n    t\n\nb: 1\n",
        {("l", Item("n", "b")): {"n": "b", "r": ["s"]}},
        "l:\n- n: a\n  x: |\n    t\n\n- n: b\n  r:\n    - s\nb: 1\n",
    ),
    (Format.YAML, "l: [{n: a}]\n", {("l", Item("n", "b")): {"n": "b"}}, 'l: [{n: a}, {"n":"b"}]\n'),
    (Format.YAML, "l:\n  - n: a\n  - n: b # two\n", {("l", Item("n", "b")): ABSENT}, "l:\n  - n: a\n"),
    (Format.ENV, "A=1", {("B",): "x y"}, "A=1\nB='x y'\n"),
    (Format.ENV, "export A='1' # one\nA=2\n", {("A",): "3"}, "export A='1' # one\nA=3\n"),
    (Format.ENV, "A=1\nB=2\nA=3\n", {("A",): ABSENT}, "B=2\n"),
)


@pytest.mark.parametrize(("kind", "text", "puts", "after"), CHANGES)
def test_only_what_is_meant_changes(kind: Format, text: str, puts: Puts, after: str) -> None:
    assert change(kind, text, puts) == after


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Format.JSON, "[1"),
        (Format.JSON, "{'a': 1}"),
        (Format.JSON, '{"a": 1,}'),
        (Format.JSONC, '{"a" 1}'),
        (Format.JSONC, '{"a": 1 "b": 2}'),
        (Format.JSONC, '{"a": /* 1}'),
        (Format.JSONC, '{"a": 1}}'),
        (Format.JSONC, '{"a": nil}'),
        (Format.JSONC, "[" * 100 + "]" * 100),
        (Format.TOML, "a = "),
        (Format.TOML, "a = 1\na = 2\n"),
        (Format.YAML, "a: [1\n"),
        (Format.YAML, "a: 1\n b: 2\n"),
        (Format.YAML, "a: !!python/object:os.system x\n"),
        (Format.ENV, "A=\0"),
    ],
)
def test_a_text_that_does_not_parse_is_refused(kind: Format, text: str) -> None:
    with pytest.raises(CannotChange, match="left as it is"):
        change(kind, text, {("b",): 1})


@pytest.mark.parametrize(
    ("kind", "text", "path"),
    [
        (Format.JSON, '{"env": []}', ("env", "URL")),
        (Format.JSON, "[]", ("env",)),
        (Format.TOML, 'model_providers = "x"', ("model_providers", "isthmus")),
        (Format.YAML, "models: {}", ("models", Item("name", "x"))),
        (Format.YAML, "text", ("a",)),
    ],
)
def test_what_is_in_the_way_is_not_written_over(kind: Format, text: str, path: Path) -> None:
    with pytest.raises(CannotChange, match="has something else where"):
        change(kind, text, {path: "x"})


def test_a_repeated_name_whose_change_would_show_another_is_refused() -> None:
    with pytest.raises(CannotChange, match="cannot be changed safely"):
        change(Format.JSON, '{"a": 1, "a": 2}', {("a",): ABSENT})


def test_an_alias_is_not_changed_through_its_anchor() -> None:
    text = "one: &x {k: 1}\ntwo: *x\n"
    with pytest.raises(CannotChange, match="left as it is"):
        change(Format.YAML, text, {("two", "k"): 2})


def test_a_path_leads_to_what_it_names() -> None:
    said = read(Format.JSON, '{"l": [{"n": "a", "x": 1}, {"n": "b", "x": null}], "t": "text"}')
    assert look(said, ("l", Item("n", "a"), "x")) == 1
    assert look(said, ("l", Item("n", "b"), "x")) is None
    assert look(said, ("l", Item("n", "c"))) is ABSENT
    assert look(said, ("t", "x")) is ABSENT
    assert look(said, ("t", Item("n", "a"))) is ABSENT
