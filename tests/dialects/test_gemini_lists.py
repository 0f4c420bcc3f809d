"""Lists of models, and counts of tokens, as Gemini has them; and Google's schemas."""

from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import Text
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.facts import Ability, Mode, ModelFacts
from isthmus.core.losses import Losses
from isthmus.core.models import ModelEntry
from isthmus.core.profile import UNKNOWN
from isthmus.dialects.gemini import models
from isthmus.dialects.gemini.count_tokens import CODEC as COUNT
from isthmus.dialects.gemini.schema import adapt_schema, read_schema
from isthmus.wire import json

LISTED = {
    "models": [
        {
            "name": "models/gemini-2.5-pro",
            "inputTokenLimit": 1048576,
            "output_token_limit": 65536,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
            "thinking": True,
        },
        {"name": "tunedModels/mine"},
        {"name": "models/gemini-embedding-001", "supportedGenerationMethods": ["embedContent"]},
    ],
    "nextPageToken": "abc",
}


def test_models_are_listed_by_their_ids() -> None:
    assert models.read_models(json.encode(LISTED)) == ("gemini-2.5-pro", "tunedModels/mine", "gemini-embedding-001")


def test_a_list_of_publishers_is_one_too() -> None:
    body = {"publisherModels": [{"name": "publishers/google/models/gemini-2.5-pro"}]}
    assert models.read_models(json.encode(body)) == ("gemini-2.5-pro",)


def test_nothing_at_all_is_an_empty_list() -> None:
    assert models.read_models(b"{}") == ()


@pytest.mark.parametrize("body", [b"no", b"[]", b'{"data":[]}', b'{"models":[{}]}', b'{"models":7}'])
def test_what_is_no_list_of_models_is_garbled(body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        models.read_models(body)
    assert caught.value.kind is Kind.GARBLED


def test_a_list_tells_limits_and_what_a_model_is_for() -> None:
    assert models.read_facts(json.encode(LISTED)) == {
        "gemini-2.5-pro": ModelFacts(
            mode=Mode.CHAT, input_limit=1_048_576, output_limit=65_536, abilities={Ability.REASONING: True}
        ),
        "gemini-embedding-001": ModelFacts(mode=Mode.EMBEDDING),
    }


@pytest.mark.parametrize("body", [b"no", b'{"models":7}', b'{"models":[{"thinking":7}]}'])
def test_facts_that_cannot_be_read_are_not_told(body: bytes) -> None:
    assert models.read_facts(body) == {}


def test_clients_are_told_names_and_known_limits() -> None:
    entry = ModelEntry("gpt-x", "openai", label="GPT X", input_limit=1000, output_limit=100)
    told = json.decode(models.write_models((entry, ModelEntry("b", "me"))))["models"]
    assert [model["name"] for model in told] == ["models/gpt-x", "models/b"]
    assert (told[0]["displayName"], told[0]["inputTokenLimit"], told[0]["outputTokenLimit"]) == ("GPT X", 1000, 100)
    assert "inputTokenLimit" not in told[1]
    assert "generateContent" in told[1]["supportedGenerationMethods"]
    assert json.decode(models.write_model(entry)) == told[0]


CONTENTS = [{"role": "user", "parts": [{"text": "Hello?"}]}]


@pytest.mark.parametrize(
    "body",
    [
        {"contents": CONTENTS},
        {"generateContentRequest": {"model": "models/m", "contents": CONTENTS}},
        {"generate_content_request": {"contents": CONTENTS}},
    ],
)
def test_the_contents_are_counted_alone_or_as_a_whole_request(body: dict[str, Any]) -> None:
    assert COUNT.peek(json.encode(body)).model == ""
    assert COUNT.read_request(json.encode(body)).messages == (Message(Role.USER, (Text("Hello?"),)),)


@pytest.mark.parametrize("body", [b"{}", b'{"contents":[]}', b"no", b'{"generateContentRequest":{}}'])
def test_nothing_to_count_is_refused(body: bytes) -> None:
    for reader in (COUNT.peek, COUNT.read_request):
        with pytest.raises(GatewayError) as caught:
            reader(body)
        assert caught.value.kind is Kind.INVALID


@pytest.mark.parametrize("model", ["m", "models/m"])
def test_a_provider_is_asked_for_the_whole_request(model: str) -> None:
    request = ChatRequest(model=model, messages=(Message(Role.USER, (Text("Hello?"),)),), max_output=9)
    assert json.decode(COUNT.write_request(request, UNKNOWN, Losses())) == {
        "generateContentRequest": {
            "model": "models/m",
            "contents": CONTENTS,
            "generationConfig": {"maxOutputTokens": 9},
        }
    }


def test_a_count_is_read_and_told() -> None:
    assert COUNT.read_reply(COUNT.write_reply(12)) == 12
    assert COUNT.read_reply(b"{}") == 0


@pytest.mark.parametrize("body", [b"no", b'{"name":"cachedContents/a"}', b'{"totalTokens":"many"}'])
def test_what_is_no_count_is_garbled(body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        COUNT.read_reply(body)
    assert caught.value.kind is Kind.GARBLED


@pytest.mark.parametrize(
    ("google", "schema"),
    [
        ({"type": "STRING"}, {"type": "string"}),
        ({"type": "INTEGER", "nullable": True}, {"type": ["integer", "null"]}),
        ({"type": "STRING", "format": "enum", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        (
            {"type": "STRING", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        (
            {"any_of": [{"type": "STRING"}, {"type": "NUMBER"}], "nullable": True},
            {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]},
        ),
        (
            {"type": "ARRAY", "items": {"type": "OBJECT"}, "min_items": "2", "nullable": False},
            {"type": "array", "items": {"type": "object"}, "minItems": 2},
        ),
        (
            {"type": "OBJECT", "properties": {"any_of": {"type": "STRING"}}, "property_ordering": ["any_of"]},
            {"type": "object", "properties": {"any_of": {"type": "string"}}, "propertyOrdering": ["any_of"]},
        ),
        ({"nullable": True}, {}),
        ({"type": ["STRING", "NULL"], "nullable": True}, {"type": ["string", "null"]}),
    ],
)
def test_googles_schema_is_read_as_json_schema(google: object, schema: object) -> None:
    assert json.decode(read_schema(json.raw(google))) == schema


def test_a_schema_that_is_json_schema_stays_word_for_word() -> None:
    schema = Raw(b'{ "type": "object", "properties": {"a": {"const": 1}} }')
    assert bytes(read_schema(schema)) == bytes(schema)


@pytest.mark.parametrize(
    ("schema", "adapted"),
    [
        ({"properties": {"const": {"const": "a"}}}, {"properties": {"const": {"enum": ["a"]}}}),
        (
            {"definitions": {"A": {"const": 1}}, "items": {"$ref": "#/definitions/A"}},
            {"$defs": {"A": {"enum": [1]}}, "items": {"$ref": "#/$defs/A"}},
        ),
        ({"properties": {"a": True}}, {"properties": {"a": {}}}),
        (True, {}),
        (False, {}),
        (
            {"anyOf": [{"const": 1}], "additionalProperties": {"const": 2}},
            {"anyOf": [{"enum": [1]}], "additionalProperties": {"enum": [2]}},
        ),
    ],
)
def test_what_google_would_pass_over_is_spelled_otherwise(schema: object, adapted: object) -> None:
    losses = Losses()
    told = json.decode(adapt_schema(json.raw(schema), "tools[0].schema", losses))
    assert told == adapted
    assert [(loss.path, loss.deed.value) for loss in losses.found] == [("tools[0].schema", "rewritten")]


def test_all_else_of_a_schema_is_left_alone() -> None:
    losses = Losses()
    schema = Raw(
        b'{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,'
        b'"properties":{"a":{"type":["string","null"],"pattern":"x","default":{"const":1},"exclusiveMinimum":0}}}'
    )
    assert adapt_schema(schema, "tools[0].schema", losses) is schema
    assert losses.found == []
