"""The official OpenAI client, a gateway, Azure, and Entra that gives out the tokens, each at the wire."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from fakes.gateway import CLIENT_KEY, RunningGateway, open_gateway
from fakes.issuer import Answer, Issuer, Question, open_issuer, told

SECRET = "a-secret-of-the-application-0123456789"
KEY = "an-azure-key-0123456789"
HELLO = told(
    id="c",
    object="chat.completion",
    created=1,
    model="gpt-4o-2024-11-20",
    choices=[{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
    usage={"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
)


def resource(question: Question) -> Answer:
    """Azure OpenAI: it takes either proof."""
    proved = question.headers.get("authorization") or question.headers.get("api-key")
    return HELLO if proved in ("Bearer token-1", KEY) else told(401, error={"code": "401", "message": "Access denied"})


@pytest.fixture(scope="module")
def azure() -> Iterator[Issuer]:
    with open_issuer() as host:
        host.answer = resource
        yield host


@pytest.fixture(scope="module")
def entra() -> Iterator[Issuer]:
    with open_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def gateway(azure: Issuer, entra: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Three ways in: `entra` and `refused` as applications, `keyed` with a key at a dated version."""
    application = f"""
    type: azure
    base-url: {azure.url}
    tenant-id: tenant-1
    client-id: client-1
    client-secret: {SECRET}
"""
    config = f"""
providers:
  entra:{application}    authority-url: {entra.url}
  refused:{application}    authority-url: {entra.url}/elsewhere
  keyed:
    type: azure
    base-url: {azure.url}/openai
    api-key: {KEY}
    api-version: 2024-10-21
client-keys:
  - name: tester
    key: {CLIENT_KEY}
"""
    with open_gateway(config, tmp_path_factory.mktemp("gateway")) as running:
        yield running


def ask(gateway: RunningGateway, model: str) -> str | None:
    with openai.OpenAI(base_url=f"{gateway.root}/v1", api_key=CLIENT_KEY, max_retries=0) as client:
        reply = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])
    return reply.choices[0].message.content


def test_twenty_clients_at_once_are_answered_with_one_token(
    gateway: RunningGateway, azure: Issuer, entra: Issuer
) -> None:
    entra.open.clear()
    with ThreadPoolExecutor(20) as clients:
        waiting = [clients.submit(ask, gateway, "entra/gpt-4o") for _ in range(20)]
        assert entra.asked.wait(5)
        entra.open.set()
        assert [each.result() for each in waiting] == ["hi"] * 20
    assert [question.path for question in entra.questions] == ["/tenant-1/oauth2/v2.0/token"]
    assert {question.path for question in azure.questions} == {"/openai/v1/chat/completions"}
    assert all("api-key" not in question.headers for question in azure.questions)


def test_a_key_asks_at_its_deployment(gateway: RunningGateway, azure: Issuer) -> None:
    assert ask(gateway, "keyed/gpt-4o") == "hi"
    question = azure.questions[-1]
    assert (question.path, question.query) == (
        "/openai/deployments/gpt-4o/chat/completions",
        {"api-version": "2024-10-21"},
    )
    assert "authorization" not in question.headers


def test_an_application_that_is_refused_is_the_operators_matter_and_tells_no_secret(
    gateway: RunningGateway, azure: Issuer, entra: Issuer
) -> None:
    entra.answer = lambda _: told(401, error="invalid_client", error_description=f"AADSTS7000215: not {SECRET}")
    before = len(azure.questions)
    with pytest.raises(openai.APIStatusError) as caught:
        ask(gateway, "refused/gpt-4o")
    entra.answer = None
    assert caught.value.status_code == 502
    assert "client-1" not in str(caught.value)
    assert SECRET not in gateway.said_soon("AADSTS7000215")
    assert len(azure.questions) == before
