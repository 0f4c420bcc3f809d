"""Lists of models, as OpenAI's clients read them and as its look-alikes send them."""

import json

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.models import ModelEntry
from isthmus.dialects.openai.models import read_models, write_model, write_models

ENTRY = ModelEntry("gpt", "openai", created=7, label="GPT")


def test_an_entry_has_exactly_the_fields_that_clients_know() -> None:
    assert json.loads(write_model(ENTRY)) == {"id": "gpt", "object": "model", "created": 7, "owned_by": "openai"}
    assert json.loads(write_model(ModelEntry("m", "local")))["created"] == 0


def test_the_list_holds_every_entry() -> None:
    listed = json.loads(write_models([ENTRY, ModelEntry("m", "local")]))
    assert listed["object"] == "list"
    assert [item["id"] for item in listed["data"]] == ["gpt", "m"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"object":"list","data":[{"id":"a"},{"id":"b","context":1}]}',
        b'[{"id":"a"},{"name":"b"}]',
        b'["a","b"]',
        b'{"models":[{"name":"a"},{"model":"b"},{}]}',
        b'{"models":["a","b"],"data":null}',
    ],
)
def test_names_are_found_in_any_list(body: bytes) -> None:
    assert read_models(body) == ("a", "b")


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data":{"id":"a"}}', b'{"data":[7]}'])
def test_what_is_no_list_is_garbled(body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        read_models(body)
    assert caught.value.kind is Kind.GARBLED
