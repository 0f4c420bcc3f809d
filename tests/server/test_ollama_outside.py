"""Clients of three dialects, a gateway and an Ollama; and Ollama's own clients before providers of other dialects."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from fakes import anthropic_sdk, openai_sdk
from fakes.clients import Door
from fakes.gateway import CLIENT_KEY, RunningGateway, open_gateway
from fakes.ollama_host import ARGUMENTS, HELLO, METRICS, THOUGHT, OllamaHost, open_ollama
from fakes.raw import Heard, send
from fakes.scripts import KEY
from fakes.upstream import Upstream

QUESTION = [{"role": "user", "content": "Hello?"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
WAYS = pytest.mark.parametrize("ask", [openai_sdk.whole, openai_sdk.streamed], ids=lambda way: way.__name__)


@pytest.fixture(scope="module")
def ollama() -> Iterator[OllamaHost]:
    with open_ollama() as host:
        yield host


@pytest.fixture(scope="module")
def gateway(
    ollama: OllamaHost, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningGateway]:
    """The address of the Ollama is written as for a client of OpenAI, as many people have it."""
    config = f"""
providers:
  ollama:
    base-url: {ollama.url}/v1
  openai:
    base-url: {upstream.root}/v1
    api-key: {KEY}
  anthropic:
    base-url: {upstream.root}
    api-key: {KEY}
client-keys:
  - name: tester
    key: {CLIENT_KEY}
"""
    with open_gateway(config, tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def door(gateway: RunningGateway) -> Door:
    return Door(gateway.root, CLIENT_KEY, "ollama/", "ollama")


def post(door: Door, path: str, **body: Any) -> Heard:
    return send(door, "POST", path, json.dumps(body).encode())


def lines(heard: Heard) -> list[dict[str, Any]]:
    return [json.loads(line) for line in heard.body.splitlines()]


# ---------------------------------------------------------------- an Ollama behind the gateway


@WAYS
def test_an_openai_client_hears_the_words(door: Door, ollama: OllamaHost, ask: Callable[..., Any]) -> None:
    reply = ask(door, model=door.model("llama3.2"), messages=QUESTION, temperature=0.5, max_tokens=99)
    assert reply.choices[0].message.content == HELLO
    assert reply.choices[0].finish_reason == "stop"
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (20, 10)
    assert len(reply.id) > len("chatcmpl-")
    path, body = ollama.seen[-1]
    assert (path, body["options"]) == ("/api/chat", {"temperature": 0.5, "num_predict": 99})


@pytest.mark.parametrize("ask", [anthropic_sdk.whole, anthropic_sdk.streamed], ids=lambda way: way.__name__)
def test_an_anthropic_client_hears_the_words(door: Door, ask: Callable[..., Any]) -> None:
    reply = ask(door, model=door.model("llama3.2"), messages=QUESTION)
    assert anthropic_sdk.text_of(reply) == HELLO
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (20, 10)


@WAYS
def test_an_openai_client_runs_its_tool_and_asks_again(door: Door, ollama: OllamaHost, ask: Callable[..., Any]) -> None:
    reply = ask(door, model=door.model("llama3.2"), messages=QUESTION, tools=[TOOL])
    assert reply.choices[0].finish_reason == "tool_calls"
    message = reply.choices[0].message
    (call,) = message.tool_calls
    assert json.loads(call.function.arguments) == ARGUMENTS
    result = {"role": "tool", "tool_call_id": call.id, "content": "3 degrees"}
    turns = [*QUESTION, message.model_dump(exclude_none=True), result]
    again = ask(door, model=door.model("llama3.2"), messages=turns, tools=[TOOL])
    assert again.choices[0].message.content == HELLO
    told = ollama.seen[-1][1]["messages"][-1]
    assert (told["role"], told["tool_name"], told["content"]) == ("tool", "weather", "3 degrees")


@pytest.mark.parametrize(("model", "think"), [("gpt-oss:20b", "high"), ("llama3.2", None)])
def test_a_level_of_thinking_reaches_only_models_that_have_levels(
    door: Door, ollama: OllamaHost, model: str, think: str | None
) -> None:
    reply = openai_sdk.whole(door, model=door.model(model), messages=QUESTION, reasoning_effort="high")
    assert reply.choices[0].message.content == HELLO
    assert ollama.seen[-1][1].get("think") == think
    if think is not None:
        assert reply.choices[0].message.model_extra["reasoning_content"] == THOUGHT


def test_a_model_that_is_not_there_is_told_in_the_callers_dialect(door: Door) -> None:
    with pytest.raises(openai.NotFoundError, match="not found"):
        openai_sdk.whole(door, model=door.model("nope"), messages=QUESTION)


def test_an_answer_that_breaks_off_is_told_in_the_callers_dialect(door: Door) -> None:
    with pytest.raises(openai.APIError, match="runner process has terminated"):
        openai_sdk.streamed(door, model=door.model("stumbling"), messages=QUESTION)


def test_its_models_are_listed(gateway: RunningGateway, door: Door) -> None:
    listed = send(door, "GET", "/api/tags").json["models"]
    assert {"gpt-oss:20b", "llama3.2:latest"} <= {model["name"] for model in listed}
    assert gateway.process.poll() is None


# ---------------------------------------------------------------- an Ollama client before an Ollama


def test_what_is_passed_through_is_passed_unchanged(door: Door, ollama: OllamaHost) -> None:
    heard = post(door, "/api/chat", model="ollama/llama3.2", messages=QUESTION, options={"num_ctx": 9}, novel=1)
    assert heard.headers["content-type"] == "application/x-ndjson"
    assert [line["done"] for line in lines(heard)] == [False, False, True]
    assert lines(heard)[-1].items() >= METRICS.items()
    assert ollama.seen[-1] == (
        "/api/chat",
        {"model": "llama3.2", "messages": QUESTION, "options": {"num_ctx": 9}, "novel": 1},
    )


@pytest.mark.parametrize("prefix", ["", "/ollama"])
def test_a_prompt_goes_where_prompts_go(door: Door, ollama: OllamaHost, prefix: str) -> None:
    heard = post(door, f"{prefix}/api/generate", model="ollama/llama3.2", prompt="Hello?", stream=False)
    assert heard.json["response"] == HELLO
    assert ollama.seen[-1][0] == "/api/generate"


def test_texts_are_embedded(door: Door) -> None:
    heard = post(door, "/api/embed", model="ollama/llama3.2", input=["a", "bcd"])
    assert heard.json["embeddings"] == [[0.5, 1.0], [0.5, 3.0]]


def test_a_text_is_embedded_for_an_openai_client(door: Door) -> None:
    with openai.OpenAI(base_url=f"{door.root}/v1", api_key=door.key, max_retries=0) as client:
        reply = client.embeddings.create(model="ollama/llama3.2", input=["a", "bcd"])
    assert [item.embedding for item in reply.data] == [[0.5, 1.0], [0.5, 3.0]]


def test_a_model_is_loaded_without_asking_anybody(door: Door, ollama: OllamaHost) -> None:
    before = len(ollama.seen)
    heard = post(door, "/api/generate", model="ollama/llama3.2", keep_alive="10m")
    assert (heard.status, lines(heard)[-1]["done_reason"]) == (200, "load")
    assert len(ollama.seen) == before


# ---------------------------------------------------------------- an Ollama client before others


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_an_answer_streams_in_lines_of_json(door: Door, provider: str) -> None:
    heard = post(door, "/api/chat", model=f"{provider}/says-hello", messages=QUESTION)
    assert heard.status == 200
    assert heard.headers["content-type"] == "application/x-ndjson"
    told = lines(heard)
    assert [line["done"] for line in told] == [False] * (len(told) - 1) + [True]
    assert "".join(line["message"]["content"] for line in told).startswith("Hello")
    assert {line["message"]["role"] for line in told} == {"assistant"}
    assert told[-1]["done_reason"] == "stop"
    assert told[-1]["eval_count"] > 0


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_whole_answer_is_one_document(door: Door, provider: str) -> None:
    heard = post(door, "/api/chat", model=f"{provider}/says-hello", messages=QUESTION, stream=False)
    assert heard.headers["content-type"].startswith("application/json")
    assert heard.json["message"]["content"].startswith("Hello")
    assert heard.json["done"] is True
    prompt = post(door, "/api/generate", model=f"{provider}/says-hello", prompt="Hello?", stream=False)
    assert prompt.json["response"] == heard.json["message"]["content"]


def test_errors_are_one_text(door: Door) -> None:
    heard = post(door, "/api/chat", model="nobody/nothing", messages=QUESTION)
    assert heard.status == 404
    assert isinstance(heard.json["error"], str)


def test_a_missing_model_is_named(door: Door) -> None:
    heard = post(door, "/api/chat", messages=QUESTION)
    assert (heard.status, heard.json) == (400, {"error": "model is required"})
