"""Vertex AI is asked for each maker's models where they stand, in the dialect and the body that it takes."""

import pytest

from fakes.transport import SSE, Scripted
from isthmus.core.content import Inline
from isthmus.core.embedding import EmbedRequest
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.core.profile import UNKNOWN
from isthmus.core.secret import Secret
from isthmus.dialects.table import EMBED_CODECS
from isthmus.engine.embed import their_embeddings
from isthmus.engine.exchange import Lane
from isthmus.providers.build import build
from isthmus.providers.provider import Aim, CloudKey, Origin, Outgoing, Provider
from isthmus.providers.table import PROVIDERS
from isthmus.providers.vertex import wrap
from isthmus.wire import json
from isthmus.wire.headers import Headers
from support.configured import config_of, problems_of
from support.line import Line

KEY = Secret("vertex-key-0123456789")
CHAT, COUNT, EMBED = Operation.CHAT, Operation.COUNT_TOKENS, Operation.EMBED


def vertex(base_url: str | None = None, *, secret: Secret | None = None, **settings: str) -> Provider:
    return build(PROVIDERS["vertex"], name="vertex", base_url=base_url, secret=secret, settings=settings)


HOME = "/v1/projects/my-project/locations/us-central1"


@pytest.mark.parametrize(
    ("aim", "path"),
    [
        (Aim(CHAT, "gemini", "gemini-2.5-pro"), "/publishers/google/models/gemini-2.5-pro:generateContent"),
        (
            Aim(CHAT, "gemini", "gemini-2.5-pro", True),
            "/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
        ),
        (Aim(COUNT, "gemini", "gemini-2.5-pro"), "/publishers/google/models/gemini-2.5-pro:countTokens"),
        (
            Aim(EMBED, "gemini_single", "gemini-embedding-2"),
            "/publishers/google/models/gemini-embedding-2:embedContent",
        ),
        (Aim(EMBED, "vertex", "text-embedding-005"), "/publishers/google/models/text-embedding-005:predict"),
        (Aim(EMBED, "vertex_single", "gemini-embedding-001"), "/publishers/google/models/gemini-embedding-001:predict"),
        (
            Aim(CHAT, "anthropic", "claude-sonnet-4-5@20250929"),
            "/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict",
        ),
        (
            Aim(CHAT, "anthropic", "claude-sonnet-4-5-20250929", True),
            "/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict",
        ),
        (Aim(CHAT, "anthropic", "claude-opus-4-6"), "/publishers/anthropic/models/claude-opus-4-6:rawPredict"),
        (Aim(COUNT, "anthropic", "claude-opus-4-6"), "/publishers/anthropic/models/count-tokens:rawPredict"),
        (Aim(CHAT, "openai_chat", "meta/llama-3.3-70b-instruct-maas"), "/endpoints/openapi/chat/completions"),
    ],
)
def test_each_makers_models_stand_at_their_own_path(aim: Aim, path: str) -> None:
    assert vertex(project="my-project", region="us-central1").address(aim) == ("POST", HOME + path)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-central1", "us-central1-aiplatform.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_each_region_has_its_host(region: str, host: str) -> None:
    built = vertex(project="my-project", region=region)
    assert built.origin == Origin("https", host, 443)
    assert f"/locations/{region}/" in built.address(Aim(CHAT, "gemini", "m"))[1]


def test_without_a_region_the_global_one_is_asked() -> None:
    built = vertex(project="my-project")
    assert built.origin.host == "aiplatform.googleapis.com"
    assert built.address(Aim(CHAT, "gemini", "m"))[1].startswith("/v1/projects/my-project/locations/global/")


def test_an_address_of_ones_own_goes_before_the_regions() -> None:
    for url in ("https://vertex.example.com/in", "https://vertex.example.com/in/v1"):
        built = vertex(url, project="my-project", region="us-central1")
        assert built.origin.host == "vertex.example.com"
        assert built.address(Aim(CHAT, "gemini", "m"))[1].startswith(f"/in{HOME}/publishers")


def test_a_key_alone_is_express_mode() -> None:
    built = vertex(secret=KEY, region="us-central1")
    assert built.origin.host == "aiplatform.googleapis.com"
    expected = ("POST", "/v1/publishers/google/models/gemini-2.5-flash:generateContent")
    assert built.address(Aim(CHAT, "gemini", "gemini-2.5-flash")) == expected
    assert built.sign((), built.secret) == ((b"x-goog-api-key", b"vertex-key-0123456789"),)
    assert built.cloud is None


def test_without_a_key_google_signs_for_what_is_configured() -> None:
    built = vertex(project="my-project", **{"credentials-file": "key.json"})
    assert built.cloud == CloudKey("google", {"project": "my-project", "credentials-file": "key.json"})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "needs a project .GOOGLE_CLOUD_PROJECT is not set."),
        ({"project": "my-project", "region": "evil.example.com/"}, "region is a name"),
        ({"project": "my-project/locations/x"}, "the id of a Google Cloud project"),
    ],
)
def test_what_leads_nowhere_is_refused(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        vertex(**settings)


@pytest.mark.parametrize(
    ("model", "dialect"),
    [
        ("gemini-2.5-pro", "gemini"),
        ("gemini-4-pro", "gemini"),
        ("claude-sonnet-4-5@20250929", "anthropic"),
        ("claude-opus-4-6", "anthropic"),
        ("meta/llama-3.3-70b-instruct-maas", "openai_chat"),
        ("deepseek-ai/deepseek-v3.1-maas", "openai_chat"),
        ("google/gemini-2.5-flash", "openai_chat"),
    ],
)
def test_each_model_is_served_in_its_makers_dialect(model: str, dialect: str) -> None:
    assert vertex(project="p").profile(model).dialects == (dialect,)


@pytest.mark.parametrize(
    ("model", "dialect"),
    [
        ("text-embedding-005", "vertex"),
        ("text-multilingual-embedding-002", "vertex"),
        ("gemini-embedding-001", "vertex_single"),
        ("gemini-embedding-2", "gemini_single"),
    ],
)
def test_each_model_of_embeddings_is_asked_as_it_wants_to_be(model: str, dialect: str) -> None:
    assert their_embeddings(EMBED_CODECS["openai"], vertex(project="p"), model).dialect == dialect


def test_texts_are_asked_for_as_instances_and_their_tokens_added_up() -> None:
    codec, losses = EMBED_CODECS["vertex"], Losses()
    request = EmbedRequest(model="m", inputs=("a", "b"), dimensions=256, task="retrieval_query", end_user="me")
    assert json.decode(codec.write_request(request, UNKNOWN, losses)) == {
        "instances": [
            {"content": "a", "task_type": "RETRIEVAL_QUERY"},
            {"content": "b", "task_type": "RETRIEVAL_QUERY"},
        ],
        "parameters": {"outputDimensionality": 256},
    }
    assert [loss.path for loss in losses.found] == ["end_user"]
    reply = codec.read_reply(
        b'{"predictions":[{"embeddings":{"statistics":{"truncated":false,"token_count":6},"values":[0.25,-0.5]}},'
        b'{"embeddings":{"statistics":{"token_count":3.0},"values":[1]}}],"metadata":{"billableCharacterCount":9}}'
    )
    assert reply.vectors == ((0.25, -0.5), (1.0,))
    assert reply.usage is not None
    assert reply.usage.input == 9


def test_claude_can_do_there_what_it_can_do_at_home_but_for_fetching() -> None:
    there = vertex(project="p").profile("claude-sonnet-4-5@20250929")
    home = build(PROVIDERS["anthropic"], name="a").profile("claude-sonnet-4-5-20250929")
    assert (there.reasoning, there.requires_max_output, there.max_output_limit) == (
        home.reasoning,
        home.requires_max_output,
        home.max_output_limit,
    )
    assert (there.fetches, home.fetches) == (False, True)


def wrapped(aim: Aim, body: object, client: Headers = ()) -> object:
    return json.decode(json.encode(wrap(aim, json.read_fields(json.encode(body)), client)))


SONNET = Aim(CHAT, "anthropic", "claude-sonnet-4-5-20250929", True)
CLAUDE = {"model": "claude-sonnet-4-5-20250929", "max_tokens": 5, "messages": [], "stream": True}


def test_claude_is_told_the_version_in_the_body_and_no_model() -> None:
    assert wrapped(SONNET, CLAUDE) == {
        "anthropic_version": "vertex-2023-10-16",
        "max_tokens": 5,
        "messages": [],
        "stream": True,
    }


@pytest.mark.parametrize(
    ("client", "said"),
    [
        (((b"anthropic-version", b"2023-06-01"),), "vertex-2023-10-16"),
        (((b"anthropic-version", b"2026-10-21"),), "2026-10-21"),
        (((b"anthropic-beta", b"x"),), "vertex-2023-10-16"),
    ],
)
def test_a_later_version_that_the_client_asks_for_is_asked_for(client: Headers, said: str) -> None:
    assert wrapped(SONNET, {"model": "m"}, client) == {"anthropic_version": said}


def test_a_version_in_the_body_is_the_clients_own() -> None:
    assert wrapped(SONNET, {"model": "m", "anthropic_version": "vertex-2"}) == {"anthropic_version": "vertex-2"}


def test_to_be_counted_a_request_names_its_model_as_vertex_spells_it() -> None:
    counted = wrapped(Aim(COUNT, "anthropic", "claude-sonnet-4-5-20250929"), {"model": "m", "messages": []})
    assert counted == {
        "anthropic_version": "vertex-2023-10-16",
        "messages": [],
        "model": "claude-sonnet-4-5@20250929",
    }


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"context-1m-2025-08-07", (b"context-1m-2025-08-07",)),
        (
            (
                b"claude-code-20250219, interleaved-thinking-2025-05-14,prompt-caching-scope-2026-01-05,"
                b"context-management-2025-06-27"
            ),
            (b"interleaved-thinking-2025-05-14,context-management-2025-06-27",),
        ),
        (b"claude-code-20250219,effort-2025-11-24", ()),
        (b"", ()),
    ],
)
def test_of_the_betas_that_a_client_names_vertex_is_told_those_it_knows(sent: bytes, told: tuple[bytes, ...]) -> None:
    headers = ((b"accept", b"*/*"), (b"anthropic-beta", sent))
    signed = vertex(project="p").sign(headers, None)
    assert signed == ((b"accept", b"*/*"), *((b"anthropic-beta", value) for value in told))


FLASH = Aim(CHAT, "gemini", "gemini-2.5-flash")


def test_gemini_is_told_no_ids_of_calls_and_results() -> None:
    turns = [
        {"role": "user", "parts": [{"text": 'the word "id" stays'}]},
        {
            "role": "model",
            "parts": [{"functionCall": {"id": "c1", "name": "f", "args": {"id": 7}}, "thoughtSignature": "c2ln"}],
        },
        {"role": "user", "parts": [{"function_response": {"id": "c1", "name": "f", "response": {"id": 8}}}]},
    ]
    assert wrapped(FLASH, {"contents": turns, "labels": {"id": "x"}}) == {
        "contents": [
            turns[0],
            {
                "role": "model",
                "parts": [{"functionCall": {"name": "f", "args": {"id": 7}}, "thoughtSignature": "c2ln"}],
            },
            {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"id": 8}}}]},
        ],
        "labels": {"id": "x"},
    }


def test_numbers_keep_their_spelling_where_ids_are_taken_out() -> None:
    body = b'{"contents":[{"role":"model","parts":[{"functionCall":{"id":"c","name":"f","args":{"x":1.50}}}]}]}'
    assert json.encode(wrap(FLASH, json.read_fields(body), ())) == (
        b'{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{"x":1.50}}}]}]}'
    )


def test_a_turn_without_a_role_is_the_users() -> None:
    turns = [{"parts": [{"text": "hi"}]}, {"role": "model", "parts": [{"text": "ho"}]}]
    assert wrapped(FLASH, {"contents": turns}) == {"contents": [{"role": "user", **turns[0]}, turns[1]]}


@pytest.mark.parametrize("contents", ['"id"', '["id"]', '[{"parts":"id"}]', '[{"parts":["id"]}]', "{}"])
def test_what_is_no_request_is_left_for_google_to_refuse(contents: str) -> None:
    fields = json.read_fields(f'{{"contents":{contents}}}'.encode())
    assert json.encode(wrap(FLASH, fields, ())) == f'{{"contents":{contents}}}'.encode()


def test_to_be_counted_a_request_of_geminis_own_api_is_unpacked() -> None:
    body = {"generateContentRequest": {"model": "models/m", "contents": [], "tools": []}}
    assert wrapped(Aim(COUNT, "gemini", "m"), body) == {"contents": [], "tools": []}


def test_open_models_are_told_what_the_caller_said() -> None:
    body = {"model": "meta/llama-3.3-70b-instruct-maas", "messages": []}
    assert wrapped(Aim(CHAT, "openai_chat", body["model"]), body) == body  # type: ignore[arg-type]  # it is a text


class Stamp:
    """Implements the engine's Authority."""

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        headers = (*outgoing.headers, (b"authorization", f"Bearer {key.kind}".encode()))
        return Outgoing(outgoing.origin, outgoing.method, outgoing.target, headers, outgoing.body)


EVENTS = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_vrtx_1","type":"message","role":'
    b'"assistant","model":"claude-sonnet-4-5-20250929","content":[],"stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":5,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text",'
    b'"text":""}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
    b'"text":"hi"}}\n\n'
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
    b'"usage":{"output_tokens":2}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
ASK = b'{"model":"claude-sonnet-4-5-20250929","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}'


def line(answer: Scripted) -> Line:
    made = Line([vertex("https://vertex.example.com", project="my-project", region="eu")], {"vertex": [answer]})
    made.ports.authority = Stamp()
    return made


async def test_a_claude_client_is_given_vertexs_events_as_they_are() -> None:
    asked = line(Scripted(EVENTS, headers=SSE))
    headers = ((b"anthropic-version", b"2023-06-01"), (b"anthropic-beta", b"context-1m-2025-08-07"))
    assert (await asked.ask(ASK, "anthropic", headers))[2] == EVENTS
    (sent,) = asked.transport.sent
    assert sent.target.endswith("/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict")
    assert json.decode(sent.body) == {
        "anthropic_version": "vertex-2023-10-16",
        "max_tokens": 9,
        "stream": True,
        "messages": [{"role": "user", "content": "hi"}],
    }
    told = dict(sent.headers)
    assert (told[b"authorization"], told[b"anthropic-beta"]) == (b"Bearer google", b"context-1m-2025-08-07")
    assert b"x-api-key" not in told


class Shelf:
    """Implements the engine's Fetcher."""

    async def fetch(self, url: str) -> Inline:
        return Inline("image/png", "Y2F0")


async def test_a_picture_by_url_is_fetched_for_claude_there() -> None:
    asked = line(Scripted(EVENTS, headers=SSE))
    asked.ports.fetcher = Shelf()
    picture = {"type": "image", "source": {"type": "url", "url": "https://files.example.com/cat.png"}}
    question = {"role": "user", "content": [{"type": "text", "text": "see"}, picture]}
    body = {**json.decode(ASK), "messages": [question]}
    assert (await asked.ask(json.encode(body), "anthropic"))[0] == 200
    told = json.decode(asked.transport.sent[0].body)
    assert told["messages"][0]["content"][1]["source"] == {
        "type": "base64",
        "media_type": "image/png",
        "data": "Y2F0",
    }


@pytest.mark.parametrize("text", ['{"type":"url"}', "type url"])
async def test_words_about_urls_are_carried_as_they_are(text: str) -> None:
    asked = line(Scripted(EVENTS, headers=SSE))
    asked.ports.fetcher = Shelf()
    tool = {"name": "fetch", "input_schema": {"type": "object", "properties": {"url": {"type": "string"}}}}
    body = {**json.decode(ASK), "tools": [tool], "messages": [{"role": "user", "content": text}]}
    await asked.ask(json.encode(body), "anthropic")
    assert asked.exchange is not None
    assert asked.exchange.lane is Lane.PATCH


async def test_an_openai_client_reaches_claude_there_too() -> None:
    asked = line(Scripted(EVENTS, headers=SSE))
    status, _, answer = await asked.ask(ASK)
    assert (status, b'"content":"hi"' in answer) == (200, True)
    assert b'"anthropic_version":"vertex-2023-10-16"' in asked.transport.sent[0].body


async def test_a_claude_client_reaches_gemini_there_too() -> None:
    reply = (
        b'{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}],'
        b'"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":1,"totalTokenCount":6}}'
    )
    asked = line(Scripted(reply))
    body = {
        "model": "gemini-2.5-flash",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}]},
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
    }
    status, _, answer = await asked.ask(json.encode(body), "anthropic")
    assert (status, json.decode(answer)["content"]) == (200, [{"type": "text", "text": "hi"}])
    (sent,) = asked.transport.sent
    assert (
        sent.target == "/v1/projects/my-project/locations/eu/publishers/google/models/gemini-2.5-flash:generateContent"
    )
    assert b'"id"' not in sent.body


def test_the_usual_variables_are_read() -> None:
    variables = {"GOOGLE_CLOUD_PROJECT": "my-project", "GOOGLE_CLOUD_LOCATION": "europe-west4"}
    entry = config_of("providers: {vertex: {}}", variables).providers["vertex"]
    assert (entry.project, entry.region, entry.api_key) == ("my-project", "europe-west4", None)


def test_a_missing_project_is_told() -> None:
    (problem,) = problems_of("providers: {vertex: {region: eu}}")
    assert (problem.key, "needs a project" in problem.message) == ("providers.vertex", True)
