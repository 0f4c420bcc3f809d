"""Requests to Azure are signed with Entra's tokens, whoever proves what."""

import asyncio
import stat
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fakes.clock import FakeClock
from fakes.issuer import Answer, Issuer, Question, told
from isthmus.cloud.entra import Entra
from isthmus.cloud.tokens import FRESH, Tokens
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.providers.provider import CloudKey, Origin, Outgoing
from isthmus.wire.headers import find

SECRET = "a-secret-of-the-application"
APPLICATION = {"tenant-id": "tenant-1", "client-id": "client-1"}
REFUSAL = "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is " + SECRET
AZ = """#!/bin/sh
echo "$*" >> "$(dirname "$0")/asked"
echo '{"accessToken": "token-of-az", "expires_on": 4102444800, "tokenType": "Bearer"}'
"""

Open = Callable[[Mapping[str, str]], Entra]


@asynccontextmanager
async def entra(clock: FakeClock, variables: Mapping[str, str] | None = None) -> AsyncIterator[Entra]:
    tokens = Tokens(clock.time)
    yield Entra(tokens, clock.time, (variables or {}).get)
    await tokens.aclose()


def request(host: str = "my-resource.openai.azure.com") -> Outgoing:
    return Outgoing(Origin("https", host, 443), "POST", "/openai/v1/chat/completions", (), b"{}")


def application(issuer: Issuer, **settings: str) -> CloudKey:
    return CloudKey("entra", {**APPLICATION, "authority-url": issuer.url, **settings}, Secret(SECRET))


async def bearer(signer: Entra, key: CloudKey, outgoing: Outgoing | None = None) -> str:
    signed = await signer.sign(outgoing or request(), key)
    return (find(signed.headers, b"authorization") or b"").decode()


async def test_an_application_proves_itself_with_its_secret(issuer: Issuer, clock: FakeClock) -> None:
    async with entra(clock) as signer:
        assert await bearer(signer, application(issuer)) == "Bearer token-1"
    (question,) = issuer.questions
    assert (question.method, question.path) == ("POST", "/tenant-1/oauth2/v2.0/token")
    assert question.headers["content-type"] == "application/x-www-form-urlencoded"
    assert question.form == {
        "grant_type": "client_credentials",
        "client_id": "client-1",
        "client_secret": SECRET,
        "scope": "https://cognitiveservices.azure.com/.default",
    }


async def test_an_application_proves_itself_with_the_token_that_its_file_holds_by_now(
    issuer: Issuer, clock: FakeClock, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("first.federated.token\n")
    settings = {**APPLICATION, "authority-url": issuer.url, "credentials-file": str(file)}
    async with entra(clock) as signer:
        await bearer(signer, CloudKey("entra", settings))
        file.write_text("second.federated.token")
        clock.move(3600)
        await bearer(signer, CloudKey("entra", settings))
    first, second = issuer.questions
    assert first.form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert (first.form["client_assertion"], second.form["client_assertion"]) == (
        "first.federated.token",
        "second.federated.token",
    )
    assert "client_secret" not in first.form


@pytest.mark.parametrize(
    ("host", "scope"),
    [
        ("my-resource.openai.azure.com", "https://cognitiveservices.azure.com/.default"),
        ("my-resource.services.ai.azure.com", "https://cognitiveservices.azure.com/.default"),
        ("gateway.example.com", "https://cognitiveservices.azure.com/.default"),
        ("my-resource.openai.azure.us", "https://cognitiveservices.azure.us/.default"),
        ("my-resource.openai.azure.cn", "https://cognitiveservices.azure.cn/.default"),
    ],
)
async def test_a_token_is_for_the_cloud_that_the_resource_is_in(
    issuer: Issuer, clock: FakeClock, host: str, scope: str
) -> None:
    async with entra(clock) as signer:
        await bearer(signer, application(issuer), request(host))
    assert issuer.questions[0].form["scope"] == scope


async def test_twenty_requests_at_once_ask_once_and_again_once_when_the_token_has_ended(
    issuer: Issuer, clock: FakeClock
) -> None:
    async with entra(clock) as signer:
        for number in (1, 2):
            issuer.open.clear()
            issuer.asked.clear()
            waiting = [asyncio.create_task(bearer(signer, application(issuer))) for _ in range(20)]
            await asyncio.to_thread(issuer.asked.wait, 5)
            issuer.open.set()
            assert await asyncio.gather(*waiting) == [f"Bearer token-{number}"] * 20
            assert len(issuer.questions) == number
            clock.move(3600)


async def test_a_token_that_azure_refuses_is_replaced(issuer: Issuer, clock: FakeClock) -> None:
    async with entra(clock) as signer:
        await bearer(signer, application(issuer))
        clock.move(FRESH)
        await signer.refused(await signer.sign(request(), application(issuer)), application(issuer))
        assert await bearer(signer, application(issuer)) == "Bearer token-2"


async def test_two_applications_have_two_tokens(issuer: Issuer, clock: FakeClock) -> None:
    async with entra(clock) as signer:
        first = await bearer(signer, application(issuer))
        second = await bearer(signer, application(issuer, **{"client-id": "client-2"}))
    assert (first, second) == ("Bearer token-1", "Bearer token-2")


def answers(status: int = 200, body: bytes | None = None, **fields: object) -> Callable[[Question], Answer]:
    return lambda _: told(status, **fields) if body is None else (status, body)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            answers(401, error="invalid_client", error_description=REFUSAL),
            Kind.CREDENTIAL_REJECTED,
            (
                "Entra refuses (invalid_client, AADSTS7000215) a token to the application client-1; check tenant-id, "
                "client-id and what proves it"
            ),
        ),
        (answers(400, body=b"<html>"), Kind.CREDENTIAL_REJECTED, "refuses a token to the application client-1"),
        (answers(400, body=b"[1]"), Kind.CREDENTIAL_REJECTED, "refuses a token to the application client-1"),
        (answers(400, error=SECRET), Kind.CREDENTIAL_REJECTED, "refuses a token to the application client-1"),
        (answers(302, body=b""), Kind.CREDENTIAL_REJECTED, "refuses a token"),
        (answers(503, body=b""), Kind.UPSTREAM_FAULT, "it answered 503"),
        (answers(429, body=b""), Kind.UPSTREAM_FAULT, "it answered 429"),
        (answers(200, body=b"upstream says hi"), Kind.GARBLED, "is no JSON"),
        (answers(200, body=b"[1]"), Kind.GARBLED, "is no object"),
        (answers(200, expires_in=3600), Kind.GARBLED, "holds no token"),
        (answers(200, access_token=""), Kind.GARBLED, "holds no token"),
        (answers(200, access_token={"a": 1}), Kind.GARBLED, "holds no token"),
        (answers(200, access_token="two\r\nlines"), Kind.GARBLED, "holds no token"),
        (answers(200, body=b"x" * (1024 * 1024 + 1)), Kind.UNREACHABLE, "longer than"),
    ],
)
async def test_each_refusal_has_its_kind_and_tells_no_secret(
    issuer: Issuer, clock: FakeClock, answer: Callable[[Question], Answer], kind: Kind, words: str
) -> None:
    issuer.answer = answer
    async with entra(clock) as signer:
        with pytest.raises(GatewayError) as caught:
            await signer.sign(request(), application(issuer))
    assert caught.value.kind is kind
    assert words in caught.value.message
    assert SECRET not in caught.value.message


async def test_an_issuer_that_is_not_there_is_unreachable(clock: FakeClock) -> None:
    async with entra(clock) as signer:
        with pytest.raises(GatewayError, match="cannot be had") as caught:
            await signer.sign(request(), application(Issuer("http://127.0.0.1:1")))
    assert caught.value.kind is Kind.UNREACHABLE


@pytest.mark.parametrize("told_end", [{"expires_in": 3600}, {"expires_in": "3600"}, {}, {"expires_on": "soon"}])
async def test_the_end_of_a_token_may_be_told_in_many_ways(
    issuer: Issuer, clock: FakeClock, told_end: Mapping[str, object]
) -> None:
    issuer.answer = answers(access_token="token", **told_end)
    async with entra(clock) as signer:
        await bearer(signer, application(issuer))
        clock.move(3000)
        await bearer(signer, application(issuer))
        assert len(issuer.questions) == 1
        clock.move(600)
        await bearer(signer, application(issuer))
    assert len(issuer.questions) == 2


@pytest.mark.parametrize("settings", [{}, {"tenant-id": "t"}, {"client-id": "c"}])
async def test_half_an_application_is_none(issuer: Issuer, clock: FakeClock, settings: Mapping[str, str]) -> None:
    async with entra(clock) as signer:
        with pytest.raises(GatewayError, match="both tenant-id and client-id") as caught:
            await signer.sign(request(), CloudKey("entra", settings, Secret(SECRET)))
    assert (caught.value.kind, issuer.questions) == (Kind.CREDENTIAL_REJECTED, [])


async def test_a_federated_token_that_cannot_be_read_is_told(issuer: Issuer, clock: FakeClock, tmp_path: Path) -> None:
    settings = {**APPLICATION, "authority-url": issuer.url, "credentials-file": str(tmp_path / "nothing")}
    async with entra(clock) as signer:
        with pytest.raises(GatewayError, match="cannot be read"):
            await signer.sign(request(), CloudKey("entra", settings))


async def test_app_service_is_asked_where_its_variables_say(issuer: Issuer, clock: FakeClock) -> None:
    issuer.answer = answers(access_token="token-of-app", expires_on=str(int(clock.time()) + 86_400))
    variables = {"IDENTITY_ENDPOINT": f"{issuer.url}/msi/token", "IDENTITY_HEADER": "its-header"}
    async with entra(clock, variables) as signer:
        assert await bearer(signer, CloudKey("entra", {"client-id": "chosen"})) == "Bearer token-of-app"
    (question,) = issuer.questions
    assert (question.method, question.path) == ("GET", "/msi/token")
    assert question.headers["x-identity-header"] == "its-header"
    assert question.query == {
        "api-version": "2019-08-01",
        "resource": "https://cognitiveservices.azure.com",
        "client_id": "chosen",
    }


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is there may take its time to answer: this machine may be busy."""
    monkeypatch.setattr("isthmus.cloud.entra.GLANCE", 30.0)


@pytest.mark.usefixtures("unhurried")
async def test_a_virtual_machine_is_asked_for_its_own_identity(issuer: Issuer, clock: FakeClock) -> None:
    async with entra(clock, {"AZURE_POD_IDENTITY_AUTHORITY_HOST": issuer.url}) as signer:
        assert await bearer(signer, CloudKey("entra")) == "Bearer token-1"
    (question,) = issuer.questions
    assert (question.method, question.path) == ("GET", "/metadata/identity/oauth2/token")
    assert question.headers["metadata"] == "true"
    assert question.query == {"api-version": "2018-02-01", "resource": "https://cognitiveservices.azure.com"}


@pytest.mark.usefixtures("unhurried")
async def test_an_identity_that_was_chosen_and_is_not_there_is_told(issuer: Issuer, clock: FakeClock) -> None:
    issuer.answer = answers(400, error="invalid_request", error_description="Identity not found")
    async with entra(clock, {"AZURE_POD_IDENTITY_AUTHORITY_HOST": issuer.url}) as signer:
        with pytest.raises(GatewayError, match=r"\(invalid_request\) a token to the identity of this machine"):
            await signer.sign(request(), CloudKey("entra", {"client-id": "chosen"}))


@pytest.fixture
def az(tmp_path: Path) -> Path:
    """A folder with Azure's command line, which writes down what it is asked."""
    command = tmp_path / "az"
    command.write_text(AZ)
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    return tmp_path


async def test_whoever_has_logged_in_is_asked_last(issuer: Issuer, clock: FakeClock, az: Path) -> None:
    issuer.answer = answers(400, error="invalid_request", error_description="Identity not found")
    variables = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": issuer.url, "PATH": str(az)}
    async with entra(clock, variables) as signer:
        assert await bearer(signer, CloudKey("entra", {"tenant-id": "tenant-1"})) == "Bearer token-of-az"
    asked = "account get-access-token --output json --resource https://cognitiveservices.azure.com --tenant tenant-1\n"
    assert (az / "asked").read_text() == asked


@pytest.mark.parametrize("script", ["#!/bin/sh\necho Please run az login >&2\nexit 1\n", "no program at all"])
async def test_where_nobody_has_logged_in_what_to_do_is_told(clock: FakeClock, az: Path, script: str) -> None:
    (az / "az").write_text(script)
    variables = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1", "PATH": str(az)}
    async with entra(clock, variables) as signer:
        with pytest.raises(GatewayError, match="run: az login") as caught:
            await signer.sign(request(), CloudKey("entra"))
    assert caught.value.kind is Kind.CREDENTIAL_REJECTED


async def test_where_there_is_no_credential_at_all_what_to_do_is_told(clock: FakeClock, tmp_path: Path) -> None:
    variables = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:1", "PATH": str(tmp_path)}
    async with entra(clock, variables) as signer:
        with pytest.raises(GatewayError, match="give the provider an api-key, or tenant-id"):
            await signer.sign(request(), CloudKey("entra"))
