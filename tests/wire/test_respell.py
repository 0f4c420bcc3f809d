"""A field respelt by its place is the field respelt by reading everything, or left to that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.wire import json
from isthmus.wire.respell import WINDOW, respell, respell_any

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
OTHERS = st.dictionaries(st.text() | st.sampled_from(["messages", "model ", 'x"model', "stream"]), VALUES, max_size=5)


def bodies(before: dict[str, object], model: str, after: dict[str, object]) -> bytes:
    before = {name: value for name, value in before.items() if name != "model"}
    after = {name: value for name, value in after.items() if name != "model" and name not in before}
    return json.encode({**before, "model": model, **after})


@given(OTHERS, st.text(), OTHERS, st.text())
def test_what_it_respells_is_what_splicing_gives(
    before: dict[str, object], old: str, after: dict[str, object], new: str
) -> None:
    body = bodies(before, old, after)
    respelt = respell(body, "model", old, new)
    assert respelt is None or respelt == json.splice(body, {"model": json.raw(new)})


@given(OTHERS, st.text(), OTHERS, st.text())
def test_whatever_the_field_holds_is_respelt_in_the_same_places(
    before: dict[str, object], old: str, after: dict[str, object], new: str
) -> None:
    body = bodies(before, old, after)
    respelt = respell_any(body, "model", new)
    assert respelt is None or respelt == json.splice(body, {"model": json.raw(new)})
    assert respelt is not None or respell(body, "model", old, new) is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","messages":[{"model":"a"}]}',
        b'{"stream":true,"max_tokens": 5 , "model" : "a","messages":[]}',
        b'{"messages":[{"role":"user","content":"x"}],"model":"a"}',
        b'{"messages":[{}],"model":"a","stream":true,"temperature":0.50, "user":"u"} \n',
        b' { "model":"a"}',
    ],
)
def test_it_finds_the_field_where_clients_put_it(body: bytes) -> None:
    assert respell(body, "model", "a", "b") == body.replace(b'"a"', b'"b"', 1) or body.count(b'"model"') > 1
    assert respell(body, "model", "a", "b") is not None


@pytest.mark.parametrize(
    "body",
    [
        b'{"metadata":{"model":"a"}}',
        b'{"metadata":{"model":"a"},"stream":true}',
        b'{"x":[{"model":"a"}]}',
        b'{"content":"foo \\"model\\":\\"a\\""}',
        b'{"x\\"model":"a"}',
        b'{"x":{"y":"z","model":"a"},"messages":[]}',
        b'{"messages":[1],"model":"a","tools":[]}',
    ],
)
def test_it_leaves_alone_what_it_cannot_tell_apart(body: bytes) -> None:
    assert respell(body, "model", "a", "b") is None


def test_it_looks_at_the_ends_only() -> None:
    far = b'{"a":"' + b"x" * WINDOW + b'","model":"a","z":[' + b"1," * WINDOW + b"1]}"
    assert respell(far, "model", "a", "b") is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"a,","model":"a","x":1}',
        b'{"model":"a"}',
        b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"a","choices":[{"model":"a"}]}',
        b'{"id":",","n":-1.5e3,"t":null,"model":"a"}',
    ],
)
def test_the_first_of_plain_fields_is_found_at_once(body: bytes) -> None:
    assert respell(body, "model", "a", "b") == body.replace(b'"model":"a"', b'"model":"b"', 1)


@pytest.mark.parametrize(
    ("body", "held"),
    [
        (b'{"user":"\\"model\\":\\"x","model":"a"}', "a"),
        (b'{"user":"say \\",\\"model\\":\\"x\\"","model":"a"}', "a"),
        (b'{"x":{"model":"b"},"model":"a"}', "a"),
        (b'{"x":["model","b"],"model":"a"}', "a"),
        (b'{"model":"a\\"b","n":1}', 'a"b'),
    ],
)
def test_what_only_looks_like_the_field_is_not_taken_for_it(body: bytes, held: str) -> None:
    respelt = respell_any(body, "model", "new")
    assert respelt in (None, json.splice(body, {"model": json.raw("new")}))
    assert json.decode(body)["model"] == held
