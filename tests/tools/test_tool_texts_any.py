"""Whatever a settings file says, and however it is written: what is put in comes out again, and all else stays."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.tools.formats.documents import Format, change, read
from isthmus.tools.formats.values import ABSENT, CannotChange, Item, Puts, changed, look
from isthmus.tools.merging import leaves, mark_of, undone
from support.settings_texts import KINDS

URL = "http://127.0.0.1:8317/v1"
TREE: Puts = {
    ("model",): "claude-é",
    ("env", "ISTHMUS_URL"): URL,
    ("providers", "isthmus"): {"base_url": URL, "options": {"key": 'k "1"', "on": True}},
}
LISTED: Puts = {**TREE, ("list", Item("name", "Isthmus")): {"name": "Isthmus", "roles": ["chat"], "apiBase": URL}}
FLAT: Puts = {("A",): URL, ("ISTHMUS_KEY",): "with space # and 'quote'"}
PUTS: dict[Format, Puts] = {Format.JSONC: LISTED, Format.TOML: TREE, Format.YAML: LISTED, Format.ENV: FLAT}
THEIRS: dict[Format, Puts] = {kind: {("theirs",): "new"} for kind in PUTS}


def connected(kind: Format, text: str) -> str | None:
    """The text with ours in it; None where something else is in the way, which is refused."""
    settings = read(kind, text)
    for path, value in leaves(PUTS[kind]).items():
        try:
            settings = changed(settings, path, value)
        except CannotChange:
            return None
    return change(kind, text, leaves(PUTS[kind]))


def marks(kind: Format) -> dict[Any, str]:
    return {path: mark_of(value) for path, value in leaves(PUTS[kind]).items()}


def plain(value: object) -> object:
    return value or {}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_is_put_is_there_and_all_else_is_as_it_was(kind: Format, data: st.DataObject) -> None:
    text, remarks = data.draw(KINDS[kind])
    after = connected(kind, text)
    if after is None:
        return
    wanted = read(kind, text)
    for path, value in leaves(PUTS[kind]).items():
        wanted = changed(wanted, path, value)
    assert read(kind, after) == wanted
    assert [word for word in remarks if word not in after and not _replaced(kind, text)] == []


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_was_put_is_taken_out_again(kind: Format, data: st.DataObject) -> None:
    text, remarks = data.draw(KINDS[kind])
    after = connected(kind, text)
    if after is None:
        return
    back = undone(kind, after, text, marks(kind))
    assert plain(read(kind, back)) == plain(read(kind, text))
    assert [word for word in remarks if word not in back and not _replaced(kind, text)] == []


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_somebody_else_changed_meanwhile_stays(kind: Format, data: st.DataObject) -> None:
    text, _ = data.draw(KINDS[kind])
    after = connected(kind, text)
    if after is None:
        return
    theirs = change(kind, after, {**THEIRS[kind], next(iter(PUTS[kind])): "changed"})
    back = read(kind, undone(kind, theirs, text, marks(kind)))
    assert look(back, ("theirs",)) == "new"
    assert look(back, next(iter(PUTS[kind]))) == "changed", "what they made of ours is theirs"
    rest = changed(changed(back, ("theirs",), ABSENT), next(iter(PUTS[kind])), ABSENT)
    assert plain(rest) == plain(changed(read(kind, text) or {}, next(iter(PUTS[kind])), ABSENT))


def _replaced(kind: Format, text: str) -> bool:
    """Did a value that held something stand where ours goes? Its comments go with it."""
    return any(isinstance(look(read(kind, text), path), dict | list) for path in leaves(PUTS[kind]))
