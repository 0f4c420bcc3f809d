"""Lists of models in Anthropic's form."""

import json

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.models import ModelEntry
from isthmus.dialects.anthropic.models import read_models, write_model, write_models


def test_a_list_is_one_page() -> None:
    told = json.loads(write_models([ModelEntry("a", "x", 86400, "Model A"), ModelEntry("b", "x")]))
    assert (told["has_more"], told["first_id"], told["last_id"]) == (False, "a", "b")
    assert told["data"] == [
        {"type": "model", "id": "a", "display_name": "Model A", "created_at": "1970-01-02T00:00:00Z"},
        {"type": "model", "id": "b", "display_name": "b", "created_at": "1970-01-01T00:00:00Z"},
    ]


def test_an_empty_list_has_no_ends() -> None:
    assert json.loads(write_models([])) == {"data": [], "has_more": False, "first_id": None, "last_id": None}


def test_what_is_written_is_read() -> None:
    entries = [ModelEntry("a", "x"), ModelEntry("b", "y")]
    assert read_models(write_models(entries)) == ("a", "b")
    assert json.loads(write_model(entries[0]))["id"] == "a"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"data": [{"name": "a"}]}', b'{"data": [3]}'])
def test_what_is_no_list_is_garbled(body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        read_models(body)
    assert caught.value.kind is Kind.GARBLED
