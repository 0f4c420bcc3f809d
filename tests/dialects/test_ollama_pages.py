"""The pages about models that Ollama's clients ask for, its errors, and requests that only load a model."""

from datetime import datetime
from typing import Any

import pytest

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.facts import Ability
from isthmus.core.models import ModelEntry
from isthmus.core.profile import UNKNOWN, ModelProfile, ReasoningStyle
from isthmus.dialects.codec import Codec
from isthmus.dialects.ollama import models
from isthmus.dialects.ollama.chat import CODEC
from isthmus.dialects.ollama.errors import TOO_LONG
from isthmus.dialects.ollama.generate import CODEC as GENERATE
from isthmus.dialects.ollama.load import answer_load
from isthmus.dialects.openai.chat import CODEC as OPENAI
from isthmus.wire import json

ENTRY = ModelEntry("aurora-1", "openai", created=1_700_000_000, label="Aurora", input_limit=128_000, output_limit=4096)
BARE = ModelEntry("m", "local")
BLIND = ModelProfile(images=False, reasoning=ReasoningStyle.NONE)


def decoded(body: bytes) -> Any:
    return json.decode(body)


# ---------------------------------------------------------------- models


def test_the_list_names_every_model_twice() -> None:
    listed = decoded(models.write_models([ENTRY, BARE]))["models"]
    assert [(item["name"], item["model"]) for item in listed] == [("aurora-1", "aurora-1"), ("m", "m")]


def test_every_entry_has_the_fields_that_clients_read() -> None:
    entry = decoded(models.write_model(ENTRY))
    assert entry.keys() == {"name", "model", "modified_at", "size", "digest", "details"}
    assert datetime.fromisoformat(entry["modified_at"]).timestamp() == ENTRY.created
    assert len(entry["digest"]) == 64
    assert entry["details"]["families"] == ["openai"]


def test_digests_tell_models_apart() -> None:
    listed = decoded(models.write_models([ENTRY, BARE, BARE]))["models"]
    assert len({item["digest"] for item in listed}) == 2


def test_what_is_served_is_loaded_and_stays_so() -> None:
    (loaded,) = decoded(models.write_loaded([ENTRY]))["models"]
    assert (loaded["name"], loaded["size_vram"], loaded["context_length"]) == ("aurora-1", 0, 128_000)
    assert datetime.fromisoformat(loaded["expires_at"]).year == 9999
    assert "modified_at" not in loaded


def test_a_version_is_one_that_clients_accept() -> None:
    assert decoded(models.write_version()) == {"version": models.VERSION}
    assert decoded(models.write_version("0.1.2")) == {"version": "0.1.2"}


def test_a_model_is_shown_with_its_limits() -> None:
    shown = decoded(models.write_show(ENTRY, UNKNOWN))
    assert shown["model_info"] == {
        "general.architecture": "openai",
        "general.basename": "Aurora",
        "openai.context_length": 128_000,
    }
    assert shown["parameters"] == "num_predict 4096"
    assert shown["details"]["family"] == "openai"


def test_a_model_of_which_nothing_is_known_is_shown_too() -> None:
    shown = decoded(models.write_show(BARE, UNKNOWN))
    assert shown["model_info"] == {"general.architecture": "local", "general.basename": "m"}
    assert shown["modified_at"] == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("abilities", "profile", "words"),
    [
        ({}, UNKNOWN, ["completion", "tools", "vision", "thinking"]),
        ({}, BLIND, ["completion", "tools"]),
        ({Ability.VISION: True}, BLIND, ["completion", "tools", "vision"]),
        ({Ability.REASONING: True, Ability.TOOLS: False}, BLIND, ["completion", "thinking"]),
        ({Ability.VISION: False, Ability.REASONING: False}, UNKNOWN, ["completion", "tools"]),
    ],
)
def test_what_is_known_of_a_model_outranks_its_profile(
    abilities: dict[Ability, bool], profile: ModelProfile, words: list[str]
) -> None:
    entry = ModelEntry("m", "local", abilities=abilities)
    assert models.capabilities(entry, profile) == words


@pytest.mark.parametrize("body", [{"model": "m"}, {"name": "m"}, {"model": "m", "name": "old", "verbose": True}])
def test_a_model_is_asked_for_under_either_name(body: Any) -> None:
    assert models.read_show(json.encode(body)) == "m"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"model":""}', b'{"model":7}'])
def test_a_question_about_no_model_is_refused(body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        models.read_show(body)
    assert caught.value.kind is Kind.INVALID


def test_our_own_list_can_be_read() -> None:
    assert models.read_models(models.write_models([ENTRY, BARE])) == ("aurora-1", "m")


def test_older_servers_lists_can_be_read() -> None:
    assert models.read_models(b'{"models":[{"name":"a:latest","size":7},{"model":"b"},{}]}') == ("a:latest", "b")
    assert models.read_models(b'{"models":[]}') == ()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"models":{}}', b'{"models":[7]}'])
def test_what_is_no_list_is_garbled(body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        models.read_models(body)
    assert caught.value.kind is Kind.GARBLED


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (400, "model is required", Kind.INVALID),
        (400, "registry.ollama.ai/library/gemma:2b does not support tools", Kind.UNSUPPORTED),
        (400, '"llama3.2" does not support thinking', Kind.UNSUPPORTED),
        (400, 'think value "high" is not supported for this model', Kind.UNSUPPORTED),
        (400, "the input length exceeds the context length", Kind.CONTEXT_EXCEEDED),
        (404, "model 'nope:latest' not found", Kind.UNKNOWN_MODEL),
        (404, "model 'nope' not found, try pulling it first", Kind.UNKNOWN_MODEL),
        (401, "unauthorized", Kind.CREDENTIAL_REJECTED),
        (429, "too many requests", Kind.UPSTREAM_LIMITED),
        (429, "you have reached your hourly usage limit", Kind.QUOTA_SPENT),
        (500, "model requires more system memory (8.4 GiB) than is available (4.6 GiB)", Kind.UPSTREAM_FAULT),
        (503, "server busy, please try again.  maximum pending requests exceeded", Kind.OVERLOADED),
    ],
)
def test_the_servers_words_tell_what_went_wrong(status: int, words: str, kind: Kind) -> None:
    error = CODEC.read_error(status, (), json.encode({"error": words}))
    assert (error.kind, error.message, error.upstream_status) == (kind, words, status)


def test_a_wrong_address_is_not_a_missing_model() -> None:
    assert CODEC.read_error(404, (), b"404 page not found").kind is Kind.UPSTREAM_FAULT


@pytest.mark.parametrize("codec", [CODEC, GENERATE], ids=["chat", "generate"])
def test_exact_words_are_kept_for_callers_of_the_same_dialect(codec: Codec) -> None:
    body = b'{"error":"model is required"}'
    upstream = codec.read_error(400, (), body).upstream
    assert upstream is not None
    assert (upstream.dialect, upstream.status, upstream.body) == (codec.dialect, 400, body)


def test_an_error_in_another_shape_is_read_and_not_passed_on() -> None:
    error = CODEC.read_error(400, (), b'{"error":{"message":"no","type":"x"}}')
    assert (error.message, error.upstream) == ("no", None)


def test_a_conversation_that_is_too_long_is_told_in_words_that_clients_know() -> None:
    long = GatewayError(Kind.CONTEXT_EXCEEDED, "200001 tokens are too many")
    assert decoded(CODEC.write_error(long)) == {"error": f"{TOO_LONG}: 200001 tokens are too many"}
    known = GatewayError(Kind.CONTEXT_EXCEEDED, "The input length exceeds the context length")
    assert decoded(CODEC.write_error(known)) == {"error": known.message}


# ---------------------------------------------------------------- loading


@pytest.mark.parametrize(
    ("codec", "body"),
    [
        (CODEC, {}),
        (CODEC, {"messages": []}),
        (CODEC, {"messages": None, "keep_alive": "10m"}),
        (GENERATE, {}),
        (GENERATE, {"prompt": ""}),
        (GENERATE, {"prompt": "", "system": "Be brief.", "images": []}),
    ],
)
def test_a_request_without_a_word_loads_the_model(codec: Codec, body: Any) -> None:
    told = answer_load(codec, json.encode({"model": "m", **body}), 1_700_000_000)
    assert told is not None
    assert told.endswith(b"\n")
    answer = decoded(told)
    assert (answer["model"], answer["done"], answer["done_reason"]) == ("m", True, "load")
    assert answer["created_at"] == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize("keep", [0, "0", "0s"])
def test_a_model_that_need_not_be_kept_is_unloaded(keep: Any) -> None:
    told = answer_load(GENERATE, json.encode({"model": "m", "keep_alive": keep}), 0)
    assert told is not None
    assert decoded(told)["done_reason"] == "unload"


@pytest.mark.parametrize(
    ("codec", "body"),
    [
        (CODEC, {"messages": [{"role": "user", "content": ""}]}),
        (CODEC, {"messages": "x"}),
        (GENERATE, {"prompt": "Hello?"}),
        (GENERATE, {"images": ["AAAA"]}),
        (OPENAI, {"messages": []}),
    ],
)
def test_whoever_asks_anything_is_answered_by_a_model(codec: Codec, body: Any) -> None:
    assert answer_load(codec, json.encode({"model": "m", **body}), 0) is None


def test_a_body_that_cannot_be_read_is_left_to_whoever_reads_it() -> None:
    assert answer_load(CODEC, b"no", 0) is None
