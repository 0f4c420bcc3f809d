"""Requests to Google Cloud are signed with its tokens, whatever the credentials are."""

import asyncio
import datetime
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from fakes.clock import FakeClock
from fakes.issuer import Issuer, told
from isthmus.cloud.google import SCOPES, Google
from isthmus.cloud.tokens import FRESH, Tokens
from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import CloudKey, Origin, Outgoing
from isthmus.wire.headers import find

EMAIL = "gateway@my-project.iam.gserviceaccount.com"


@asynccontextmanager
async def google(clock: FakeClock, variables: Mapping[str, str] = MappingProxyType({})) -> AsyncIterator[Google]:
    tokens = Tokens(clock.time)
    yield Google(tokens, clock.time, variables.get)
    await tokens.aclose()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    no_password = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password).decode()


def public_pem(key: rsa.RSAPrivateKey) -> bytes:
    shape = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, shape)


def service_account(issuer: Issuer, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    return {
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "key-1",
        "private_key": pem(key),
        "client_email": EMAIL,
        "token_uri": f"{issuer.url}/token",
    }


USER = {
    "type": "authorized_user",
    "client_id": "a-client",
    "client_secret": "a-client-secret",
    "refresh_token": "a-refresh-token",
    "quota_project_id": "billed-project",
}


@pytest.fixture
def users(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    """The issuer in the place that every user's login is refreshed at, whatever its file says."""
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{issuer.url}/token")
    return issuer


def of_file(folder: Path, info: object) -> CloudKey:
    file = folder / "credentials.json"
    file.write_text(info if isinstance(info, str) else json.dumps(info))
    return CloudKey("google", {"credentials-file": str(file), "project": "my-project"})


def request() -> Outgoing:
    return Outgoing(Origin("https", "aiplatform.googleapis.com", 443), "POST", "/v1/projects/p", (), b"{}")


async def bearer(signer: Google, key: CloudKey) -> str:
    signed = await signer.sign(request(), key)
    return (find(signed.headers, b"authorization") or b"").decode()


async def test_a_service_account_signs_for_itself_and_gets_a_token(
    issuer: Issuer, clock: FakeClock, tmp_path: Path, key: rsa.RSAPrivateKey
) -> None:
    async with google(clock) as signer:
        assert await bearer(signer, of_file(tmp_path, service_account(issuer, key))) == "Bearer token-1"
    (question,) = issuer.questions
    assert question.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    audience = "https://oauth2.googleapis.com/token"
    claims = jwt.decode(question.form["assertion"], certs=public_pem(key), audience=audience)
    assert (claims["iss"], claims["scope"]) == (EMAIL, " ".join(SCOPES))


async def test_twenty_requests_at_once_ask_once_and_again_once_when_the_token_has_ended(
    issuer: Issuer, clock: FakeClock, tmp_path: Path, key: rsa.RSAPrivateKey
) -> None:
    cloud = of_file(tmp_path, service_account(issuer, key))
    async with google(clock) as signer:
        for number in (1, 2):
            issuer.open.clear()
            issuer.asked.clear()
            waiting = [asyncio.create_task(bearer(signer, cloud)) for _ in range(20)]
            await asyncio.to_thread(issuer.asked.wait, 5)
            issuer.open.set()
            assert await asyncio.gather(*waiting) == [f"Bearer token-{number}"] * 20
            assert len(issuer.questions) == number
            clock.move(3600)


async def test_a_users_login_is_refreshed_and_its_project_billed(
    users: Issuer, clock: FakeClock, tmp_path: Path
) -> None:
    async with google(clock) as signer:
        signed = await signer.sign(request(), of_file(tmp_path, USER))
    assert find(signed.headers, b"authorization") == b"Bearer token-1"
    assert find(signed.headers, b"x-goog-user-project") == b"billed-project"
    form = users.questions[0].form
    assert (form["grant_type"], form["refresh_token"]) == ("refresh_token", "a-refresh-token")


async def test_a_workload_exchanges_the_token_in_its_file(issuer: Issuer, clock: FakeClock, tmp_path: Path) -> None:
    (tmp_path / "subject").write_text("a.subject.token")
    info = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{issuer.url}/v1/token",
        "credential_source": {"file": str(tmp_path / "subject")},
    }
    async with google(clock) as signer:
        assert await bearer(signer, of_file(tmp_path, info)) == "Bearer token-1"
    (question,) = issuer.questions
    assert question.form["subject_token"] == "a.subject.token"
    assert question.form["audience"] == info["audience"]


async def test_a_user_may_speak_for_a_service_account(
    users: Issuer, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.auth.iam._IAM_ENDPOINT", users.url + "/serviceAccounts/{}:generateAccessToken")
    end = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    users.answer = lambda question: (
        told(accessToken="token-of-account", expireTime=end)
        if question.path.endswith(":generateAccessToken")
        else told(access_token="token-of-user", expires_in=3600)
    )
    info = {
        "type": "impersonated_service_account",
        "service_account_impersonation_url": f"{users.url}/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken",
        "source_credentials": USER,
    }
    async with google(clock) as signer:
        assert await bearer(signer, of_file(tmp_path, info)) == "Bearer token-of-account"
    assert users.questions[-1].headers["authorization"] == "Bearer token-of-user"


async def test_the_usual_variable_names_a_file_too(users: Issuer, clock: FakeClock, tmp_path: Path) -> None:
    of_file(tmp_path, USER)
    async with google(clock, {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "credentials.json")}) as signer:
        assert await bearer(signer, CloudKey("google", {"project": "my-project"})) == "Bearer token-1"


@pytest.mark.parametrize(
    ("variable", "folder"), [("HOME", ".config/gcloud"), ("APPDATA", "gcloud"), ("CLOUDSDK_CONFIG", "")]
)
async def test_whoever_has_logged_in_with_gcloud_is_known(
    users: Issuer, clock: FakeClock, tmp_path: Path, variable: str, folder: str
) -> None:
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / folder / "application_default_credentials.json").write_text(json.dumps(USER))
    async with google(clock, {variable: str(tmp_path)}) as signer:
        assert await bearer(signer, CloudKey("google")) == "Bearer token-1"


async def test_a_machine_of_googles_proves_itself(issuer: Issuer, clock: FakeClock) -> None:
    async with google(clock, {"GCE_METADATA_HOST": issuer.url.removeprefix("http://")}) as signer:
        assert await bearer(signer, CloudKey("google")) == "Bearer token-1"
        clock.move(3000)
        assert await bearer(signer, CloudKey("google")) == "Bearer token-1"
        clock.move(600)
        assert await bearer(signer, CloudKey("google")) == "Bearer token-2"
    question = issuer.questions[0]
    assert question.path == "/computeMetadata/v1/instance/service-accounts/default/token"
    assert (question.headers["metadata-flavor"], question.query["scopes"]) == ("Google", SCOPES[0])


async def test_a_token_that_google_refuses_is_replaced(issuer: Issuer, clock: FakeClock) -> None:
    async with google(clock, {"GCE_METADATA_HOST": issuer.url.removeprefix("http://")}) as signer:
        signed = await signer.sign(request(), CloudKey("google"))
        clock.move(FRESH)
        await signer.refused(signed, CloudKey("google"))
        assert await bearer(signer, CloudKey("google")) == "Bearer token-2"


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (404, b"", Kind.CREDENTIAL_REJECTED, "no service account of Google's; set credentials-file"),
        (503, b"", Kind.UPSTREAM_FAULT, "it answered 503"),
        (200, b"hello", Kind.GARBLED, "is no JSON"),
        (200, b"[1]", Kind.GARBLED, "holds no token"),
        (200, b'{"access_token":"two words"}', Kind.GARBLED, "holds no token"),
    ],
)
async def test_a_machine_that_proves_nothing_is_told(
    issuer: Issuer, clock: FakeClock, status: int, body: bytes, kind: Kind, words: str
) -> None:
    issuer.answer = lambda _: (status, body)
    async with google(clock, {"GCE_METADATA_HOST": issuer.url.removeprefix("http://")}) as signer:
        with pytest.raises(GatewayError, match=words) as caught:
            await signer.sign(request(), CloudKey("google"))
    assert caught.value.kind is kind


async def test_where_there_is_no_credential_at_all_what_to_do_is_told(clock: FakeClock, tmp_path: Path) -> None:
    async with google(clock, {"HOME": str(tmp_path), "GCE_METADATA_HOST": "127.0.0.1:1"}) as signer:
        with pytest.raises(GatewayError, match="run: gcloud auth application-default login") as caught:
            await signer.sign(request(), CloudKey("google"))
    assert caught.value.kind is Kind.CREDENTIAL_REJECTED


async def test_without_the_library_what_to_install_is_told(
    clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "google.auth", None)
    async with google(clock) as signer:
        with pytest.raises(GatewayError, match=r"pip install 'isthmus\[vertex\]'"):
            await signer.sign(request(), of_file(tmp_path, USER))


async def test_a_refusal_tells_googles_reason_and_no_secret(
    issuer: Issuer, clock: FakeClock, tmp_path: Path, key: rsa.RSAPrivateKey
) -> None:
    issuer.answer = lambda _: told(400, error="invalid_grant", error_description=pem(key))
    async with google(clock) as signer:
        with pytest.raises(GatewayError) as caught:
            await signer.sign(request(), of_file(tmp_path, service_account(issuer, key)))
    assert caught.value.kind is Kind.CREDENTIAL_REJECTED
    assert caught.value.message.startswith("Google refuses the credentials-file (invalid_grant); set credentials-file")
    assert "PRIVATE" not in caught.value.message


@pytest.mark.parametrize(
    "body", [b"upstream says hi", b"[1]", b'{"access_token": 5}', b'{"access_token": "a\\nb"}', b'{"access_token": ""}']
)
async def test_an_answer_without_a_token_is_no_answer(
    users: Issuer, clock: FakeClock, tmp_path: Path, body: bytes
) -> None:
    users.answer = lambda _: (200, body)
    async with google(clock) as signer:
        with pytest.raises(GatewayError, match="holds no token") as caught:
            await signer.sign(request(), of_file(tmp_path, USER))
    assert caught.value.kind is Kind.GARBLED


async def test_an_issuer_that_is_not_there_is_unreachable(
    clock: FakeClock, tmp_path: Path, key: rsa.RSAPrivateKey
) -> None:
    async with google(clock) as signer:
        with pytest.raises(GatewayError, match="cannot be had") as caught:
            await signer.sign(request(), of_file(tmp_path, service_account(Issuer("http://127.0.0.1:1"), key)))
    assert caught.value.kind is Kind.UNREACHABLE


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ("no JSON", "cannot be read as JSON"),
        ([1], "none of the types that Google gives out"),
        ({"type": "external_account_of_others"}, "none of the types"),
        ({"type": ["service_account"]}, "none of the types"),
        ({"type": "service_account", "private_key": "no key"}, "of type service_account is not complete"),
        ({"type": "authorized_user"}, "of type authorized_user is not complete"),
        ({"type": "external_account"}, "of type external_account is not complete"),
        ({"type": "external_account", "credential_source": {"executable": {"command": "rm"}}}, "wants a command"),
        ({"type": "impersonated_service_account"}, "is not complete"),
    ],
)
async def test_a_file_that_holds_no_credentials_is_told(
    clock: FakeClock, tmp_path: Path, info: object, words: str
) -> None:
    async with google(clock) as signer:
        with pytest.raises(GatewayError, match=words) as caught:
            await signer.sign(request(), of_file(tmp_path, info))
    assert caught.value.kind is Kind.CREDENTIAL_REJECTED


async def test_a_file_that_is_gone_is_told(clock: FakeClock, tmp_path: Path) -> None:
    async with google(clock) as signer:
        with pytest.raises(GatewayError, match="cannot be read"):
            await signer.sign(request(), CloudKey("google", {"credentials-file": str(tmp_path / "nothing")}))
