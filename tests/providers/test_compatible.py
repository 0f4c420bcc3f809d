"""What each compatible host is asked in, and what is kept from it because it would refuse the request."""

import pytest

from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.dialects.table import CODECS, EMBED_CODECS
from isthmus.engine.embed import their_embeddings
from isthmus.engine.lane import forward, their_codec
from isthmus.providers.build import build
from isthmus.providers.compatible import COMPATIBLE
from isthmus.providers.host import Host
from isthmus.providers.provider import Aim, Provider
from isthmus.providers.table import PROVIDERS
from isthmus.wire import json
from support.line import Line

CHAT, RESPONSES, COMPLETIONS = "openai_chat", "openai_responses", "openai_completions"
NEW = {
    "store": False,
    "metadata": {"a": "b"},
    "prompt_cache_key": "k",
    "prompt_cache_retention": "24h",
    "safety_identifier": "s",
    "verbosity": "low",
    "seed": 7,
    "logit_bias": {"1": 1},
    "logprobs": True,
    "top_logprobs": 2,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.1,
    "max_completion_tokens": 9,
    "parallel_tool_calls": True,
    "reasoning_effort": "low",
}
"""Fields that today's clients of OpenAI's chat send."""


def provider(kind: str, base_url: str | None = None) -> Provider:
    return build(PROVIDERS[kind], name=kind, base_url=base_url)


def sent(kind: str) -> tuple[dict[str, object], list[str]]:
    """The body that the host is sent for one that holds all of the fields, and what was lost of it."""
    body = json.encode({"model": "m", "messages": [{"role": "user", "content": "hi"}], **NEW})
    codec, losses = CODECS[CHAT, Operation.CHAT], Losses()
    forwarded = forward(body, codec.peek(body), codec, provider=provider(kind), model="m", losses=losses)
    return json.decode(forwarded), sorted(loss.path for loss in losses.found)


@pytest.mark.parametrize(
    ("kind", "lost"),
    [
        (
            "groq",
            (
                "logit_bias logprobs metadata prompt_cache_key prompt_cache_retention safety_identifier store"
                " top_logprobs verbosity"
            ),
        ),
        ("cerebras", "frequency_penalty logit_bias presence_penalty store"),
        ("xai", "frequency_penalty presence_penalty"),
        ("mistral", "logit_bias logprobs prompt_cache_retention safety_identifier store top_logprobs verbosity"),
        ("deepseek", ""),
        ("openrouter", ""),
        ("together", ""),
        ("openai", ""),
    ],
)
def test_what_a_host_would_refuse_is_left_out_and_told(kind: str, lost: str) -> None:
    body, told = sent(kind)
    assert told == lost.split()
    assert set(NEW) - set(body) - {"max_completion_tokens", "seed"} == set(told)


@pytest.mark.parametrize("kind", ["mistral", "deepseek", "nvidia", "cohere", "chutes", "poe"])
def test_a_limit_of_the_answer_is_spelled_as_the_host_knows_it(kind: str) -> None:
    body, _ = sent(kind)
    assert (body.get("max_tokens"), "max_completion_tokens" in body) == (9, False)


def test_mistrals_seed_is_called_random_seed() -> None:
    body, _ = sent("mistral")
    assert (body.get("random_seed"), "seed" in body) == (7, False)


@pytest.mark.parametrize(
    ("kind", "model", "spoken"),
    [
        ("openai", "gpt-4o", {CHAT: CHAT, RESPONSES: RESPONSES, COMPLETIONS: CHAT, "anthropic": CHAT}),
        ("openai", "gpt-5", {CHAT: CHAT, RESPONSES: RESPONSES, COMPLETIONS: RESPONSES, "anthropic": RESPONSES}),
        ("openai", "gpt-5-codex", {CHAT: RESPONSES, RESPONSES: RESPONSES, "anthropic": RESPONSES}),
        ("openai", "gpt-3.5-turbo-instruct", {CHAT: COMPLETIONS, COMPLETIONS: COMPLETIONS}),
        ("xai", "grok-4.6", {CHAT: CHAT, RESPONSES: RESPONSES, "anthropic": RESPONSES}),
        ("perplexity", "perplexity/sonar", {CHAT: RESPONSES, RESPONSES: RESPONSES, "anthropic": RESPONSES}),
        ("openrouter", "anthropic/claude-sonnet-4.5", {CHAT: CHAT, RESPONSES: RESPONSES, "anthropic": CHAT}),
        ("openrouter", "openai/gpt-5-pro", {CHAT: RESPONSES, "anthropic": RESPONSES}),
        ("deepseek", "deepseek-v4-flash", {CHAT: CHAT, RESPONSES: RESPONSES, COMPLETIONS: CHAT}),
        ("vllm", "some-model", {CHAT: CHAT, RESPONSES: RESPONSES, COMPLETIONS: COMPLETIONS, "anthropic": CHAT}),
        ("llamacpp", "some-model", {RESPONSES: CHAT, COMPLETIONS: COMPLETIONS}),
        ("groq", "openai/gpt-oss-120b", {RESPONSES: CHAT, COMPLETIONS: CHAT}),
        ("github", "openai/gpt-5-pro", {CHAT: CHAT}),
    ],
)
def test_each_client_is_answered_in_its_own_dialect_where_the_model_is_served_in_it(
    kind: str, model: str, spoken: dict[str, str]
) -> None:
    built = provider(kind)
    found = {ours: their_codec(CODECS[ours, Operation.CHAT], built, model).dialect for ours in spoken}
    assert found == spoken


@pytest.mark.parametrize(
    ("dialect", "path"), [(CHAT, "/chat/completions"), (RESPONSES, "/responses"), (COMPLETIONS, "/completions")]
)
@pytest.mark.parametrize("host", [pytest.param(host, id=host.name) for host in COMPATIBLE])
def test_every_dialect_of_a_row_has_its_path_below_the_base_url(host: Host, dialect: str, path: str) -> None:
    built = provider(host.name, "https://api.example.com/base/v1")
    if dialect in built.dialects[Operation.CHAT]:
        assert built.address(Aim(Operation.CHAT, dialect, "m")) == ("POST", "/base/v1" + path)


def test_a_host_without_embeddings_says_so_before_anybody_is_asked() -> None:
    with pytest.raises(GatewayError, match="groq gives no embeddings") as caught:
        their_embeddings(EMBED_CODECS["openai"], provider("groq"), "m")
    assert caught.value.kind is Kind.UNSUPPORTED


async def test_a_claude_client_reaches_a_model_that_only_responses_serve() -> None:
    answer = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "gpt-5-codex",
        "output": [
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "hi", "annotations": []}],
            }
        ],
        "usage": {
            "input_tokens": 5,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 2,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 7,
        },
    }
    line = Line([provider("openai", "https://openai.example.com/v1")], {"openai": [Scripted(json.encode(answer))]})
    body = {"model": "openai/gpt-5-codex", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    status, _, told = await line.ask(json.encode(body), "anthropic")
    assert (status, json.decode(told)["content"]) == (200, [{"type": "text", "text": "hi"}])
    (request,) = line.transport.sent
    assert request.target == "/v1/responses"
