"""The official Anthropic client, a gateway, Vertex AI, and Google that gives out the tokens, each at the wire."""

import json
from collections.abc import Iterator

import anthropic
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fakes.gateway import CLIENT_KEY, RunningGateway, open_gateway
from fakes.issuer import Issuer, open_issuer, told

HELLO = told(
    id="msg_vrtx_1",
    type="message",
    role="assistant",
    model="claude-sonnet-4-5-20250929",
    content=[{"type": "text", "text": "hi"}],
    stop_reason="end_turn",
    stop_sequence=None,
    usage={"input_tokens": 5, "output_tokens": 1},
)


@pytest.fixture(scope="module")
def vertex() -> Iterator[Issuer]:
    with open_issuer() as host:
        host.answer = lambda _: HELLO
        yield host


@pytest.fixture(scope="module")
def google() -> Iterator[Issuer]:
    with open_issuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def gateway(vertex: Issuer, google: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Its key file stands beside its configuration."""
    folder = tmp_path_factory.mktemp("gateway")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    no_password = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
    account = {
        "type": "service_account",
        "client_email": "gateway@my-project.iam.gserviceaccount.com",
        "private_key": pem.decode(),
        "private_key_id": "key-1",
        "token_uri": f"{google.url}/token",
    }
    (folder / "account.json").write_text(json.dumps(account))
    config = f"""
providers:
  vertex:
    base-url: {vertex.url}
    project: my-project
    region: europe-west4
    credentials-file: account.json
client-keys:
  - name: tester
    key: {CLIENT_KEY}
"""
    with open_gateway(config, folder) as running:
        yield running


def test_a_claude_client_speaks_with_claude_there(gateway: RunningGateway, vertex: Issuer, google: Issuer) -> None:
    with anthropic.Anthropic(base_url=gateway.root, api_key=CLIENT_KEY, max_retries=0) as client:
        replies = [
            client.messages.create(
                model="vertex/claude-sonnet-4-5-20250929", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            )
            for _ in range(2)
        ]
    assert [reply.content[0].text for reply in replies] == ["hi", "hi"]
    assert len(google.questions) == 1
    question = vertex.questions[0]
    assert question.path == (
        "/v1/projects/my-project/locations/europe-west4/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict"
    )
    assert question.headers["authorization"] == "Bearer token-1"
    body = json.loads(question.body)
    assert "model" not in body
    assert body["anthropic_version"] == question.headers["anthropic-version"]


def test_nobody_is_told_what_the_gateway_proves_itself_with(gateway: RunningGateway) -> None:
    assert "PRIVATE KEY" not in gateway.said()
    assert "token-1" not in gateway.said()
