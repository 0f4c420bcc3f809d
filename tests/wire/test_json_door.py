"""The door to JSON: fields taken one by one, values carried word for word, every fault named by its path."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.text(max_size=4), VALUES, max_size=5)


@given(VALUES)
def test_what_is_encoded_is_decoded(value: Any) -> None:
    assert json.decode(json.encode(value)) == value


@given(VALUES)
def test_a_line_holds_no_line_break(value: Any) -> None:
    carried = Raw(b"\n[\r\n" + json.encode(value) + b"\n]")
    line = json.encode_line({"carried": carried})
    assert b"\n" not in line
    assert b"\r" not in line
    assert json.decode(line) == {"carried": [value]}


@given(OBJECTS, OBJECTS, st.sets(st.text(max_size=4), max_size=3))
def test_splicing_changes_what_it_was_told_and_nothing_else(
    fields: dict[str, Any], changes: dict[str, Any], gone: set[str]
) -> None:
    told = {name: json.raw(value) for name, value in changes.items()} | dict.fromkeys(gone)
    spliced = json.splice(json.encode(fields), told)
    assert json.decode(spliced) == {name: value for name, value in (fields | changes).items() if name not in gone}


def test_splicing_keeps_every_byte_of_the_other_values() -> None:
    body = b'{"model": "a", "n": 1.50, "x": {"b" : 1e2,\n"a":"\\u00e9"}, "m": 10000000000000000000000}'
    spliced = json.splice(body, {"model": Raw(b'"b"')})
    assert spliced == b'{"model":"b","n":1.50,"x":{"b" : 1e2,\n"a":"\\u00e9"},"m":10000000000000000000000}'


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b'{"a":}', b"nul", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        Fields(body)


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_but_malformed(body: bytes) -> None:
    for read in (json.decode, json.read_fields, json.read_items, lambda data: json.splice(data, {})):
        with suppress(Malformed):
            read(body)


def test_a_field_is_taken_once_and_the_rest_is_kept() -> None:
    fields = Fields(b'{"a":"x","b":[1, 2],"c":null,"d":{}}')
    assert fields.text("a") == "x"
    assert fields.text("a") is None
    extra = fields.rest("x")
    assert extra is not None
    assert {name: bytes(value) for name, value in extra.fields.items()} == {"b": b"[1, 2]", "d": b"{}"}


def test_nothing_is_left_of_a_whole_reading() -> None:
    fields = Fields(b'{"a":1,"b":null}')
    assert fields.integer("a") == 1
    assert fields.rest("x") is None


def test_looking_takes_nothing() -> None:
    fields = Fields(b'{"a":"x"}')
    assert fields.look("a") == Raw(b'"x"')
    assert fields.text("a") == "x"


TAKES = {
    "text": (Fields.text, b'"x"', b"1"),
    "integer": (Fields.integer, b"7", b'"7"'),
    "number": (Fields.number, b"7.5", b'"7"'),
    "flag": (Fields.flag, b"true", b'"true"'),
    "texts": (Fields.texts, b'["x"]', b'"x"'),
    "fields": (Fields.fields, b"{}", b"[]"),
    "items": (Fields.items, b"[{}]", b"{}"),
}


@pytest.mark.parametrize(("take", "good", "bad"), TAKES.values(), ids=TAKES)
def test_a_field_of_the_wrong_type_is_named(take: Any, good: bytes, bad: bytes) -> None:
    assert take(Fields(b'{"a":%b}' % good), "a") is not None
    assert take(Fields(b'{"a":null}'), "a") is None
    assert take(Fields(b"{}"), "a") is None
    with pytest.raises(Malformed, match=r"messages\[1\]\.a must be") as caught:
        take(Fields(b'{"a":%b}' % bad, "messages[1]"), "a")
    assert caught.value.path == "messages[1].a"


def test_the_place_of_an_item_is_part_of_the_path() -> None:
    with pytest.raises(Malformed) as caught:
        Fields(b'{"a":[{},7]}').items("a")
    assert caught.value.path == "a[1]"


def test_a_missing_field_is_named() -> None:
    fields = Fields(b"{}", "tools[0]")
    with pytest.raises(Malformed, match=r"tools\[0\]\.name is required"):
        fields.need("name", fields.text("name"))


def test_nesting_without_end_is_refused_and_named() -> None:
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    with pytest.raises(Malformed, match="nested too deeply"):
        Fields(b'{"x":%b}' % deep).fields("x")
