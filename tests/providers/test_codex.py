"""What the Codex backend is asked, and what it takes of a Responses request."""

from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.dialects.listings import LISTINGS
from isthmus.providers import codex
from isthmus.providers.build import build
from isthmus.providers.provider import Aim
from isthmus.providers.quirks import apply_quirks
from isthmus.providers.table import PROVIDERS
from isthmus.wire import json

AIM = Aim(Operation.CHAT, "openai_responses", "gpt-5.2", stream=False)
ASKED: dict[str, Any] = {"model": "gpt-5.2", "instructions": "Be brief.", "input": [{"role": "user", "content": "hi"}]}


def wrapped(**fields: object) -> dict[str, Any]:
    """The body that goes out for ASKED with these fields; None takes one away."""
    asked = {name: value for name, value in {**ASKED, **fields}.items() if value is not None}
    raw = {name: Raw(json.encode(value)) for name, value in asked.items()}
    return {name: json.decode(value) for name, value in codex.wrap(AIM, raw, ()).items()}


def test_it_is_asked_below_the_backends_own_path() -> None:
    provider = build(PROVIDERS["codex"], name="codex")
    assert provider.origin.host == "chatgpt.com"
    assert provider.address(AIM) == ("POST", "/backend-api/codex/responses")
    assert provider.issuer == "codex"


def test_another_address_may_stand_in_for_it() -> None:
    provider = build(PROVIDERS["codex"], name="codex", base_url="http://127.0.0.1:9/codex")
    assert provider.address(AIM) == ("POST", "/codex/responses")


def test_it_always_streams_and_keeps_nothing() -> None:
    body = wrapped(stream=False, store=True)
    assert (body["stream"], body["store"]) == (True, False)


def test_sealed_thoughts_are_asked_for_where_the_caller_says_nothing_of_them() -> None:
    assert wrapped()["include"] == ["reasoning.encrypted_content"]
    assert wrapped(include=[])["include"] == []


def test_a_text_becomes_a_list_of_one_message() -> None:
    assert wrapped(input="hi")["input"] == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize("instructions", [None, ""])
def test_there_are_instructions_where_the_caller_gives_none(instructions: str | None) -> None:
    assert wrapped(instructions=instructions)["instructions"] == codex.INSTRUCTIONS


@pytest.mark.parametrize("role", ["system", "developer"])
@pytest.mark.parametrize("content", ["Be kind.", [{"type": "input_text", "text": "Be kind."}]])
def test_the_first_turn_becomes_the_instructions_that_are_missing(role: str, content: object) -> None:
    body = wrapped(instructions=None, input=[{"role": role, "content": content}, *ASKED["input"]])
    assert body["instructions"] == "Be kind."
    assert body["input"] == ASKED["input"]


def test_a_system_turn_among_the_items_is_told_as_a_developers() -> None:
    body = wrapped(input=[*ASKED["input"], {"role": "system", "content": "Now be kind."}])
    assert body["input"][1] == {"role": "developer", "content": "Now be kind."}


def test_ids_of_items_stay_here_and_those_of_calls_travel() -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "call_1", "output": "id"}
    body = wrapped(input=[{"type": "message", "id": "msg_1", "role": "assistant", "content": []}, call, result])
    assert [item.get("id") for item in body["input"]] == [None, None, None]
    assert [item.get("call_id") for item in body["input"]] == [None, "call_1", "call_1"]


def test_the_id_of_an_item_that_needs_one_travels() -> None:
    picture = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "aGk="}
    assert wrapped(input=[*ASKED["input"], picture])["input"][1] == picture


def test_sealed_thoughts_travel_and_others_are_told_as_lost() -> None:
    sealed = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "abc"}
    bare = {"type": "reasoning", "id": "rs_2", "summary": []}
    items = [sealed, bare, *ASKED["input"]]
    assert wrapped(input=items)["input"] == [
        {"type": "reasoning", "summary": [], "encrypted_content": "abc"},
        *ASKED["input"],
    ]
    losses = Losses()
    codex.note(AIM, (), json.encode({**ASKED, "input": items}), losses)
    assert [loss.path for loss in losses.found] == ["input[1]"]


@pytest.mark.parametrize("name", ["previous_response_id", "conversation", "prompt"])
def test_what_a_provider_would_have_kept_is_for_another_provider(name: str) -> None:
    with pytest.raises(GatewayError) as refused:
        wrapped(**{name: "resp_1"})
    assert (refused.value.kind, refused.value.param) == (Kind.UNSUPPORTED, name)


def test_so_is_what_is_to_be_done_in_the_background() -> None:
    with pytest.raises(GatewayError, match="background"):
        wrapped(background=True)
    assert "background" not in wrapped(background=False)


def test_an_item_that_stands_for_a_kept_one_is_refused() -> None:
    with pytest.raises(GatewayError) as refused:
        wrapped(input=[{"type": "item_reference", "id": "msg_1"}])
    assert refused.value.kind is Kind.UNSUPPORTED


@pytest.mark.parametrize("items", [["system"], 7, {"id": 1}])
def test_items_that_cannot_be_read_are_the_callers_fault(items: object) -> None:
    with pytest.raises(GatewayError) as refused:
        wrapped(instructions=None, input=items)
    assert refused.value.kind is Kind.INVALID


@pytest.mark.parametrize("name", ["user", "safety_identifier", "prompt_cache_retention", "truncation"])
def test_what_changes_nothing_of_an_answer_is_left_out(name: str) -> None:
    assert name not in wrapped(**{name: "auto"})


@pytest.mark.parametrize(
    "name", ["max_output_tokens", "max_tool_calls", "temperature", "top_p", "top_logprobs", "metadata"]
)
def test_what_it_refuses_and_would_change_the_answer_is_told_as_lost(name: str) -> None:
    losses = Losses()
    left = apply_quirks({"model": Raw(b'"m"'), name: Raw(b"1")}, codex.QUIRKS, losses)
    assert name not in left
    assert [loss.path for loss in losses.found] == [name]


@pytest.mark.parametrize(("name", "value"), [("temperature", b"null"), ("metadata", b"{}")])
def test_a_field_that_says_nothing_is_no_loss(name: str, value: bytes) -> None:
    losses = Losses()
    assert apply_quirks({name: Raw(value)}, codex.QUIRKS, losses) == {}
    assert losses.found == []


@pytest.mark.parametrize("name", ["user", "safety_identifier"])
def test_prompts_of_one_user_find_their_cache_without_telling_who_that_is(name: str) -> None:
    key = wrapped(**{name: "user_1_session_2"})["prompt_cache_key"]
    assert key == wrapped(**{name: "user_1_session_2"})["prompt_cache_key"]
    assert key != wrapped(**{name: "user_1_session_3"})["prompt_cache_key"]
    assert "user" not in key
    assert wrapped(**{name: "u", "prompt_cache_key": "mine"})["prompt_cache_key"] == "mine"
    assert "prompt_cache_key" not in wrapped()


def test_how_codex_itself_wants_to_be_served_travels() -> None:
    body = wrapped(service_tier="priority", prompt_cache_key="k", text={"verbosity": "low"}, client_metadata={"a": "b"})
    assert body["service_tier"] == "priority"
    assert {"prompt_cache_key", "text", "client_metadata"} <= body.keys()
    assert "service_tier" not in wrapped(service_tier="auto")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"service_tier": "auto"}, []),
        ({"service_tier": None}, []),
        ({"service_tier": "scale"}, ["service_tier"]),
        ({"truncation": "disabled"}, []),
        ({"truncation": "auto"}, ["truncation"]),
    ],
)
def test_what_counts_only_where_it_is_not_the_usual_is_told_as_lost_there(
    said: dict[str, str | None], told: list[str]
) -> None:
    losses = Losses()
    codex.note(AIM, (), json.encode({**ASKED, **said}), losses)
    assert [loss.path for loss in losses.found] == told


def test_the_gateway_says_who_it_is_unless_codex_asks() -> None:
    assert (b"originator", b"isthmus") in codex.sign((), None)
    assert codex.sign(((b"originator", b"codex_exec"),), None) == ((b"originator", b"codex_exec"),)


def test_its_list_tells_the_models_that_people_may_choose() -> None:
    shown = {"slug": "gpt-6", "display_name": "GPT-6", "visibility": "list", "context_window": 400_000}
    body = json.encode({"models": [shown, {"slug": "codex-auto", "visibility": "hide"}, {"slug": "old"}]})
    listing = LISTINGS[PROVIDERS["codex"].spoken[Operation.LIST_MODELS][0]]
    assert listing.read_models(body) == ("gpt-6", "old")
    assert listing.read_facts(body)["gpt-6"].context_limit == 400_000
    provider = build(PROVIDERS["codex"], name="codex")
    method, target = provider.address(Aim(Operation.LIST_MODELS, "openai_chat"))
    assert (method, target.partition("?")[0]) == ("GET", "/backend-api/codex/models")
    assert "client_version=" in target
