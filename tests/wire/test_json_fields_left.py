"""What stays of an object when its known fields were read, and how carried JSON is put on one line."""

from msgspec import Raw

from isthmus.core.value import Extra
from isthmus.wire import json
from isthmus.wire.json import Fields


def test_what_nobody_claimed_is_left_without_its_nulls() -> None:
    fields = Fields(b'{"known":1,"new":[2],"unset":null}')
    fields.integer("known")
    assert fields.rest("d") == Extra("d", {"new": Raw(b"[2]")})


def test_nothing_but_nulls_is_nothing() -> None:
    assert Fields(b'{"unset":null}').rest("d") is None


def test_a_field_can_be_looked_at_without_claiming_it() -> None:
    fields = Fields(b'{"a":1,"b":null}')
    assert fields.look("a") == Raw(b"1")
    assert fields.look("b") is None
    assert fields.rest("d") == Extra("d", {"a": Raw(b"1")})


def test_carried_json_is_put_on_one_line() -> None:
    assert json.encode_line({"a": Raw(b'{\r\n "b":\n"c\\n"}')}) == b'{"a":{   "b": "c\\n"}}'
