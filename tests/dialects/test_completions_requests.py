"""A text to be continued, read as a conversation, and a conversation told as a text."""

from collections.abc import Sequence

import pytest

from isthmus.core.chat import ChatRequest, Message, OutputFormat, OutputKind, ReasoningOptions, Role, Sampling, Tool
from isthmus.core.content import Inline, Media, MediaKind, Part, Reasoning, Text, ToolCall, ToolResult
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.core.profile import UNKNOWN, ModelProfile
from isthmus.core.value import Foreign
from isthmus.dialects.table import CODECS
from isthmus.wire import json

COMPLETIONS, CHAT = CODECS["openai_completions", Operation.CHAT], CODECS["openai_chat", Operation.CHAT]


def read(**fields: object) -> ChatRequest:
    return COMPLETIONS.read_request(json.encode({"model": "m", **fields}))


def written(request: ChatRequest, profile: ModelProfile = UNKNOWN) -> tuple[dict[str, object], list[tuple[str, str]]]:
    losses = Losses()
    body = COMPLETIONS.write_request(request, profile, losses)
    return json.decode(body), [(loss.path, loss.deed.value) for loss in losses.found]


def as_chat(request: ChatRequest) -> tuple[dict[str, object], list[tuple[str, str]]]:
    losses = Losses()
    body = CHAT.write_request(request, UNKNOWN, losses)
    return json.decode(body), [(loss.path, loss.deed.value) for loss in losses.found]


def told(*turns: tuple[Role, Sequence[Part]]) -> tuple[object, list[tuple[str, str]]]:
    """The prompt that a conversation becomes, and its losses."""
    body, losses = written(ChatRequest(model="m", messages=tuple(Message(role, tuple(parts)) for role, parts in turns)))
    return body["prompt"], losses


def split(**fields: object) -> list[object]:
    assert COMPLETIONS.split is not None
    return [json.decode(body)["prompt"] for body in COMPLETIONS.split(json.encode({"model": "m", **fields}))]


def test_a_prompt_is_one_message_of_the_user() -> None:
    assert read(prompt="Once upon").messages == (Message(Role.USER, (Text("Once upon"),)),)


def test_a_chat_model_is_given_the_prompt_as_a_message() -> None:
    body, losses = as_chat(read(prompt="Once upon", max_tokens=5, stop="\n", user="u", seed=7))
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Once upon"}],
        "max_tokens": 5,
        "stop": ["\n"],
        "user": "u",
        "seed": 7,
    }
    assert losses == []


@pytest.mark.parametrize(
    "prompt", ["a", ["a"], ["a", "b"], [1, 2], [[1, 2], [3]], [[1, 2]], ""], ids=lambda one: json.encode(one).decode()
)
def test_every_form_of_prompt_is_written_as_it_was_read(prompt: object) -> None:
    assert written(read(prompt=prompt)) == ({"model": "m", "prompt": prompt}, [])


def test_further_prompts_are_declared_where_one_is_all_that_can_be_said() -> None:
    body, losses = as_chat(read(prompt=["a", "b"]))
    assert body["messages"] == [{"role": "user", "content": "a"}]
    assert losses == [("prompt", "dropped")]


def test_several_prompts_are_several_requests() -> None:
    assert split(prompt=["a", "b", "c"], n=2) == ["a", "b", "c"]


def test_one_prompt_is_one_request_and_its_body_is_left_alone() -> None:
    body = b'{ "model":"m", "prompt" : "a" }'
    assert COMPLETIONS.split is not None
    assert list(COMPLETIONS.split(body)) == [body]
    assert split(prompt=["a"]) == ["a"]


def test_what_is_split_keeps_every_other_field() -> None:
    assert COMPLETIONS.split is not None
    first, _ = COMPLETIONS.split(b'{"prompt":["a","b"],"temperature":0.50,"novel":{ "x":1 },"model":"m"}')
    assert first == b'{"prompt":"a","temperature":0.50,"novel":{ "x":1 },"model":"m"}'


@pytest.mark.parametrize("prompt", [[1, 2], [[1, 2]], ["a", [1]]])
def test_tokens_are_told_to_no_other_dialect(prompt: object) -> None:
    with pytest.raises(GatewayError) as caught:
        split(prompt=prompt)
    assert (caught.value.kind, caught.value.param) == (Kind.UNSUPPORTED, "prompt")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"prompt":"a"}', "model"),
        (b'{"model":"m","prompt":[]}', "prompt"),
        (b'{"model":"m","prompt":7}', "prompt"),
        (b'{"model":"m","prompt":{"a":1}}', "prompt"),
        (b'{"model":"m","prompt":[1,"a"]}', "prompt"),
        (b'{"model":"m","prompt":[["a"]]}', "prompt"),
        (b'{"model":"m","prompt":"a","logprobs":true}', "logprobs"),
        (b'{"model":"m","prompt":"a","echo":"yes"}', "echo"),
    ],
)
def test_a_request_that_cannot_be_read_names_the_field(body: bytes, param: str) -> None:
    with pytest.raises(GatewayError) as caught:
        COMPLETIONS.read_request(body)
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID, param)


def test_log_probabilities_are_asked_for_by_a_number() -> None:
    assert read(prompt="a", logprobs=3).sampling == Sampling(logprobs=True, top_logprobs=3)
    assert as_chat(read(prompt="a", logprobs=0))[0] | {"messages": []} == {
        "model": "m",
        "messages": [],
        "logprobs": True,
        "top_logprobs": 0,
    }


@pytest.mark.parametrize(
    ("sampling", "asked"),
    [(Sampling(logprobs=True), 0), (Sampling(logprobs=True, top_logprobs=4), 4), (Sampling(logprobs=False), None)],
)
def test_a_chats_wish_for_log_probabilities_is_told_as_a_number(sampling: Sampling, asked: int | None) -> None:
    request = ChatRequest(model="m", messages=(Message(Role.USER, (Text("a"),)),), sampling=sampling)
    assert written(request)[0].get("logprobs") == asked


def test_what_only_completions_know_is_kept_and_declared_elsewhere() -> None:
    request = read(prompt="a", suffix="z", best_of=3, echo=True, logit_bias={"50256": -100})
    assert written(request)[0] == {
        "model": "m",
        "prompt": "a",
        "suffix": "z",
        "best_of": 3,
        "echo": True,
        "logit_bias": {"50256": -100},
    }
    assert sorted(as_chat(request)[1]) == [("best_of", "dropped"), ("logit_bias", "dropped"), ("suffix", "dropped")]


def test_a_conversation_is_told_as_a_transcript() -> None:
    prompt, losses = told(
        (Role.SYSTEM, [Text("Be brief.")]),
        (Role.USER, [Text("Hello?")]),
        (Role.ASSISTANT, [Text("Yes?")]),
        (Role.USER, [Text("Why?")]),
    )
    assert prompt == "System: Be brief.\n\nUser: Hello?\n\nAssistant: Yes?\n\nUser: Why?\n\nAssistant:"
    assert losses == [("messages", "emulated")]


def test_a_turn_that_the_assistant_began_is_what_is_continued() -> None:
    prompt, _ = told((Role.USER, [Text("Count.")]), (Role.ASSISTANT, [Text("1 2")]))
    assert prompt == "User: Count.\n\nAssistant: 1 2"


def test_calls_and_results_are_told_in_words() -> None:
    prompt, losses = told(
        (Role.ASSISTANT, [ToolCall("c", "look", '{"x":1}')]),
        (Role.USER, [ToolResult("c", (Text("found"),))]),
    )
    assert '[calls look with {"x":1}]' in str(prompt)
    assert "[the tool answered: found]" in str(prompt)
    assert losses == [
        ("messages[0].parts[0]", "rewritten"),
        ("messages[1].parts[0]", "rewritten"),
        ("messages", "emulated"),
    ]


def test_what_no_text_holds_is_declared() -> None:
    picture = Media(MediaKind.IMAGE, Inline("image/png", "AAAA"))
    parts = [Text("a"), picture, Reasoning("hm"), Foreign("anthropic", json.raw({"type": "novel"}))]
    prompt, losses = told((Role.USER, parts))
    assert prompt == "a"
    assert losses == [(f"messages[0].parts[{place}]", "dropped") for place in (1, 2, 3)]


def test_what_makes_an_answer_more_than_text_is_declared() -> None:
    request = ChatRequest(
        model="m",
        messages=(Message(Role.USER, (Text("a"),)),),
        tools=(Tool("look"),),
        reasoning=ReasoningOptions(effort="high"),
        output=OutputFormat(OutputKind.JSON),
        sampling=Sampling(top_k=3),
    )
    body, losses = written(request)
    assert body == {"model": "m", "prompt": "a"}
    assert sorted(losses) == [
        ("output", "dropped"),
        ("reasoning", "dropped"),
        ("sampling.top_k", "dropped"),
        ("tools", "dropped"),
    ]


def test_a_models_limits_hold_here_too() -> None:
    profile = ModelProfile(max_output_limit=100, max_temperature=1.0)
    body, losses = written(read(prompt="a", max_tokens=500, temperature=1.5), profile)
    assert (body["max_tokens"], body["temperature"]) == (100, 1.0)
    assert sorted(losses) == [("max_output", "rewritten"), ("sampling.temperature", "rewritten")]


@pytest.mark.parametrize(
    ("fields", "asked"),
    [({}, False), ({"stream_options": None}, False), ({"stream_options": {"include_usage": True}}, True)],
)
def test_a_peek_tells_what_routing_needs(fields: dict[str, object], asked: bool) -> None:
    peek = COMPLETIONS.peek(json.encode({"model": "m", "prompt": "a", "stream": True, **fields}))
    assert (peek.model, peek.stream, peek.usage_asked) == ("m", True, asked)


def test_usage_is_asked_for_beside_what_the_caller_said() -> None:
    assert COMPLETIONS.ask_usage is not None
    asked = COMPLETIONS.ask_usage({"stream_options": json.raw({"continuous_usage_stats": True})})
    assert json.decode(asked["stream_options"] or b"") == {"continuous_usage_stats": True, "include_usage": True}
