"""Azure OpenAI is asked at the right path, signed to in the right way, and its additions travel."""

import pytest

from fakes.transport import SSE, Scripted
from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.providers.build import build
from isthmus.providers.provider import Aim, CloudKey, Origin, Outgoing, Provider
from isthmus.providers.table import PROVIDERS
from isthmus.wire import json
from support.configured import config_of, load_text, problems_of
from support.line import Line

KEY = Secret("azure-key-0123456789")
RESOURCE = "https://azure.example.com"


def azure(base_url: str = RESOURCE, *, secret: Secret | None = KEY, **settings: str) -> Provider:
    return build(
        PROVIDERS["azure"],
        name="azure",
        base_url=base_url,
        secret=secret,
        models=["*"],
        settings={name.replace("_", "-"): value for name, value in settings.items()},
    )


CHAT, EMBED, LIST = Operation.CHAT, Operation.EMBED, Operation.LIST_MODELS
ASKED = [
    (Aim(CHAT, "openai_chat", "gpt-5"), "/chat/completions"),
    (Aim(CHAT, "openai_chat", "gpt-5", True), "/chat/completions"),
    (Aim(CHAT, "openai_completions", "gpt-35-instruct"), "/completions"),
    (Aim(EMBED, "openai", "text-embedding-3-small"), "/embeddings"),
]


@pytest.mark.parametrize(("aim", "path"), [*ASKED, (Aim(CHAT, "openai_responses", "gpt-5"), "/responses")])
def test_the_v1_api_has_the_model_in_the_body_and_no_version(aim: Aim, path: str) -> None:
    assert azure().address(aim) == ("POST", "/openai/v1" + path)


@pytest.mark.parametrize(("aim", "path"), ASKED)
def test_a_dated_version_has_the_deployment_in_the_path(aim: Aim, path: str) -> None:
    expected = f"/openai/deployments/{aim.model}{path}?api-version=2024-10-21"
    assert azure(api_version="2024-10-21").address(aim) == ("POST", expected)


def test_a_dated_version_asks_for_responses_and_lists_at_the_resource() -> None:
    built = azure(api_version="2025-04-01-preview")
    expected = ("POST", "/openai/responses?api-version=2025-04-01-preview")
    assert built.address(Aim(CHAT, "openai_responses", "gpt-5")) == expected
    assert built.address(Aim(LIST, "openai_chat")) == ("GET", "/openai/models?api-version=2025-04-01-preview")


@pytest.mark.parametrize("version", ["preview", "latest", "v1"])
def test_the_v1_api_may_be_told_a_version_in_words(version: str) -> None:
    expected = ("POST", f"/openai/v1/responses?api-version={version}")
    assert azure(api_version=version).address(Aim(CHAT, "openai_responses", "gpt-5")) == expected


@pytest.mark.parametrize(
    ("version", "dialects"),
    [
        (None, ("openai_chat", "openai_completions", "openai_responses")),
        ("2024-10-21", ("openai_chat", "openai_completions")),
        ("2025-02-01-preview", ("openai_chat", "openai_completions")),
        ("2025-03-01-preview", ("openai_chat", "openai_completions", "openai_responses")),
    ],
)
def test_responses_are_spoken_by_the_versions_that_have_them(version: str | None, dialects: tuple[str, ...]) -> None:
    built = azure() if version is None else azure(api_version=version)
    assert built.dialects[CHAT] == dialects


@pytest.mark.parametrize(
    "url",
    [
        f"{RESOURCE}",
        f"{RESOURCE}/",
        f"{RESOURCE}/openai",
        f"{RESOURCE}/openai/v1",
        f"{RESOURCE}/openai/v1/",
    ],
)
def test_the_resource_may_be_written_with_the_beginning_of_its_api(url: str) -> None:
    assert azure(url).address(ASKED[0][0]) == ("POST", "/openai/v1/chat/completions")


def test_a_resource_may_stand_behind_a_path() -> None:
    built = azure("https://apim.example.com/team/openai", api_version="2024-10-21")
    assert built.origin == Origin("https", "apim.example.com", 443)
    assert built.address(Aim(CHAT, "openai_chat", "a/b c")) == (
        "POST",
        "/team/openai/deployments/a%2Fb%20c/chat/completions?api-version=2024-10-21",
    )


@pytest.mark.parametrize(
    ("url", "version", "words"),
    [
        (f"{RESOURCE}/openai/deployments/gpt-5", None, "the model names the deployment"),
        (RESOURCE, "newest", "a date like 2024-10-21"),
        (RESOURCE, "2024-10-21&x=1", "a date like 2024-10-21"),
        (None, None, "AZURE_OPENAI_ENDPOINT is not set"),
    ],
)
def test_what_leads_nowhere_is_refused(url: str | None, version: str | None, words: str) -> None:
    settings = {} if version is None else {"api-version": version}
    with pytest.raises(ValueError, match=words):
        build(PROVIDERS["azure"], name="azure", base_url=url, settings=settings)


def test_a_key_stands_in_its_own_header_and_needs_no_cloud() -> None:
    built = azure()
    assert built.sign((), built.secret) == ((b"api-key", b"azure-key-0123456789"),)
    assert built.cloud is None


def test_without_a_key_entra_signs() -> None:
    built = azure(secret=None, tenant_id="t", client_id="c")
    assert built.sign((), None) == ()
    assert built.cloud == CloudKey("entra", {"tenant-id": "t", "client-id": "c"})


class Stamp:
    """Implements the engine's Authority: it writes down for whom it signs, and who was refused."""

    def __init__(self) -> None:
        self.told: list[CloudKey] = []

    async def refused(self, outgoing: Outgoing, key: CloudKey) -> None:
        self.told.append(key)

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        headers = (*outgoing.headers, (b"authorization", f"Bearer {key.kind}".encode()))
        return Outgoing(outgoing.origin, outgoing.method, outgoing.target, headers, outgoing.body)


ANSWER = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"gpt-5-2025-08-07","choices":[{"index":0,'
    b'"finish_reason":"stop","message":{"role":"assistant","content":"hi"},"content_filter_results":{"hate":'
    b'{"filtered":false,"severity":"safe"}}}],"prompt_filter_results":[{"prompt_index":0,"content_filter_results":'
    b'{"jailbreak":{"detected":false,"filtered":false}}}],"usage":{"prompt_tokens":5,"completion_tokens":1,'
    b'"total_tokens":6}}'
)
DATA_SOURCES = b'[{"type":"azure_search","parameters":{"endpoint":"https://search.example.com","index_name":"i"}}]'


async def test_a_request_with_azures_own_fields_and_its_answer_travel_word_for_word() -> None:
    line = Line([azure(secret=None)], {"azure": [Scripted(ANSWER)]})
    line.ports.authority = Stamp()
    body = b'{"model":"gpt-5","messages":[{"role":"user","content":"hi"}],"data_sources":' + DATA_SOURCES + b"}"
    status, _, answer = await line.ask(body)
    (sent,) = line.transport.sent
    assert (status, answer, sent.body) == (200, ANSWER, body)
    assert (b"authorization", b"Bearer entra") in sent.headers


@pytest.mark.parametrize(("status", "told"), [(401, 1), (403, 0), (400, 0)])
async def test_a_refused_proof_is_told_to_whoever_gave_it(status: int, told: int) -> None:
    line = Line([azure(secret=None)], {"azure": [Scripted(b'{"error":{"message":"no"}}', status=status)]})
    line.ports.authority = stamp = Stamp()
    await line.ask(b'{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}')
    assert [key.kind for key in stamp.told] == ["entra"] * told


async def test_a_stream_that_begins_with_the_filters_words_on_the_prompt_is_translated() -> None:
    filters = (
        b'data: {"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[{"prompt_index":0,'
        b'"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}\n\n'
    )
    chunk = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-5","choices":[%b]}\n\n'
    text = chunk % b'{"index":0,"delta":{"role":"assistant","content":"hi"},"finish_reason":null}'
    # The asynchronous filter tells its findings late, in choices without a delta's content.
    late = chunk % (
        b'{"index":0,"finish_reason":null,"delta":{},"content_filter_offsets":{"check_offset":0,"start_offset":0,'
        b'"end_offset":2},"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}'
    )
    stop = chunk % b'{"index":0,"delta":{},"finish_reason":"stop"}'
    stream = Scripted(filters, text, late, stop, b"data: [DONE]\n\n", headers=SSE)
    line = Line([azure()], {"azure": [stream]})
    body = b'{"model":"gpt-4o","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}'
    status, _, answer = await line.ask(body, "anthropic")
    assert status == 200
    assert b'"text":"hi"' in answer
    assert b'"stop_reason":"end_turn"' in answer
    assert b"event: error" not in answer


async def test_what_the_filter_refuses_is_told_as_a_refusal_of_the_request() -> None:
    refusal = (
        b'{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter",'
        b'"status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{}}}}'
    )
    line = Line([azure()], {"azure": [Scripted(refusal, status=400)]})
    body = b'{"model":"gpt-4o","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
    status, _, answer = await line.ask(body, "anthropic")
    assert status == 400
    assert "The response was filtered" in json.decode(answer)["error"]["message"]


BOTH = {"AZURE_OPENAI_API_KEY": KEY.reveal(), "AZURE_OPENAI_ENDPOINT": RESOURCE}


def test_the_two_variables_together_switch_it_on() -> None:
    loaded = load_text("", BOTH)
    assert list(loaded.config.providers) == ["azure"]
    entry = loaded.config.providers["azure"]
    assert (entry.base_url, entry.api_key) == (RESOURCE, KEY)


@pytest.mark.parametrize("missing", list(BOTH))
def test_one_of_the_two_alone_switches_nothing_on(missing: str) -> None:
    one = {name: value for name, value in BOTH.items() if name != missing}
    assert list(load_text("", one).config.providers) == []


def test_the_usual_variables_are_read_for_a_configured_one_too() -> None:
    variables = {
        **BOTH,
        "OPENAI_API_VERSION": "2024-10-21",
        "AZURE_TENANT_ID": "t",
        "AZURE_CLIENT_ID": "c",
        "AZURE_CLIENT_SECRET": "its-secret",
    }
    entry = config_of("providers: {azure: {}}", variables).providers["azure"]
    assert (entry.api_version, entry.tenant_id, entry.client_id) == ("2024-10-21", "t", "c")
    assert entry.client_secret == Secret("its-secret")


def test_a_key_and_a_secret_are_not_given_to_whom_they_do_not_belong() -> None:
    text = "providers: {azure: {base-url: 'https://other.example.com', tenant-id: t, client-id: other}}"
    variables = {**BOTH, "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "its-secret"}
    entry = config_of(text, variables).providers["azure"]
    assert (entry.api_key, entry.client_secret) == (None, None)


def test_a_key_alone_is_for_the_one_address_that_is_configured() -> None:
    text = f"providers: {{azure: {{base-url: '{RESOURCE}'}}}}"
    assert config_of(text, {"AZURE_OPENAI_API_KEY": KEY.reveal()}).providers["azure"].api_key == KEY


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("providers: {azure: {}}", "providers.azure", "AZURE_OPENAI_ENDPOINT is not set"),
        (
            f"providers: {{azure: {{base-url: '{RESOURCE}', api-version: soon}}}}",
            "providers.azure",
            "leave it out for the v1 API",
        ),
        (f"providers: {{azure: {{base-url: '{RESOURCE}', region: eu}}}}", "providers.azure.region", "type azure"),
        ("providers: {ollama: {tenant-id: t}}", "providers.ollama.tenant-id", "is nothing that type ollama knows"),
        ("providers: {ollama: {client-secret: s}}", "providers.ollama.client-secret", "is nothing that type ollama"),
        (
            f"providers: {{azure: {{base-url: '{RESOURCE}', credentials-file: gone}}}}",
            "providers.azure.credentials-file",
            "there is no such file",
        ),
    ],
)
def test_each_problem_of_its_keys_is_told(text: str, key: str, words: str) -> None:
    (problem,) = problems_of(text)
    assert problem.key == key
    assert words in problem.message


def test_a_variable_that_is_not_set_is_the_only_problem_told() -> None:
    (problem,) = problems_of("providers: {azure: {base-url: '${NOPE}'}}")
    assert "NOPE" in problem.message
