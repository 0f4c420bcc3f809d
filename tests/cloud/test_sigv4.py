"""AWS is signed to as its own SDK signs, with what its own chain finds, asked once for all who wait."""

import asyncio
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.auth
import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.credentials import Credentials, RefreshableCredentials

from isthmus.cloud.authority import CloudAuthority
from isthmus.cloud.aws import AGAIN, AwsSigner, region_of
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.providers.bedrock import address
from isthmus.providers.provider import Aim, CloudKey, Origin, Outgoing
from isthmus.wire import json

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
KEY = CloudKey("aws", {"region": "eu-west-1"})
PAIR = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session-token")
SONNET = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILE = "arn:aws:bedrock:eu-west-1:000000000000:application-inference-profile/mi1dadi0g15f"


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One moment for both signers, and a machine that holds no credential of anybody's."""
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: NOW.replace(tzinfo=None))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def outgoing(model: str, *, stream: bool = False, body: bytes = b"{}", host: str = "") -> Outgoing:
    method, target = address("")(Aim(Operation.CHAT, "bedrock", model, stream))
    origin = Origin("https", host or "bedrock-runtime.eu-west-1.amazonaws.com", 443)
    headers = ((b"content-type", b"application/json"), (b"user-agent", b"isthmus"))
    return Outgoing(origin, method, target, headers, body)


def by_botocore(model: str, *, stream: bool) -> AWSPreparedRequest:
    """The request that botocore's own client would send."""
    session = botocore.session.Session()
    session.set_credentials(PAIR.access_key, PAIR.secret_key, PAIR.token)
    client = session.create_client("bedrock-runtime", region_name="eu-west-1")
    sent: list[AWSPreparedRequest] = []

    def keep(request: AWSPreparedRequest, **_: Any) -> None:
        sent.append(request)
        raise ConnectionAbortedError

    client.meta.events.register("before-send.bedrock-runtime", keep)
    ask = client.converse_stream if stream else client.converse
    with pytest.raises(ConnectionAbortedError):
        ask(modelId=model, messages=[{"role": "user", "content": [{"text": "Hello"}]}])
    return sent[0]


def words(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("model", [SONNET, "amazon.nova-pro-v1:0", PROFILE])
async def test_the_signature_is_that_of_botocores_own_client(model: str, *, stream: bool) -> None:
    theirs = by_botocore(model, stream=stream)
    body = theirs.body if isinstance(theirs.body, bytes) else theirs.body.encode()
    ours = await AwsSigner(lambda: 0.0, lambda _: PAIR).sign(outgoing(model, stream=stream, body=body), KEY)
    assert f"https://bedrock-runtime.eu-west-1.amazonaws.com{ours.target}" == theirs.url
    headers = dict(ours.headers)
    assert headers[b"x-amz-date"].decode() == words(theirs.headers["X-Amz-Date"]) == "20261121T120000Z"
    assert headers[b"x-amz-security-token"].decode() == words(theirs.headers["X-Amz-Security-Token"])
    assert headers[b"authorization"].decode() == words(theirs.headers["Authorization"])


async def test_what_stood_in_the_request_stays() -> None:
    asked = outgoing("amazon.nova-pro-v1:0")
    signed = await AwsSigner(lambda: 0.0, lambda _: PAIR).sign(asked, KEY)
    assert signed.headers[: len(asked.headers)] == asked.headers
    assert (signed.method, signed.target, signed.body, signed.origin) == (
        asked.method, asked.target, asked.body, asked.origin,
    )  # fmt: skip


async def test_the_user_agent_is_not_signed() -> None:
    signed = await AwsSigner(lambda: 0.0, lambda _: PAIR).sign(outgoing("amazon.nova-pro-v1:0"), KEY)
    proof = dict(signed.headers)[b"authorization"].decode()
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token" in proof


@pytest.mark.parametrize(
    ("host", "settings", "region"),
    [
        ("bedrock-runtime.ap-southeast-2.amazonaws.com", {}, "ap-southeast-2"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", {}, "us-gov-west-1"),
        ("bedrock-runtime.ap-southeast-2.amazonaws.com", {"region": "eu-west-1"}, "eu-west-1"),
        ("gateway.example.com", {}, "us-east-1"),
    ],
)
def test_the_region_is_the_configured_one_or_the_hosts(host: str, settings: dict[str, str], region: str) -> None:
    assert region_of(outgoing("m", host=host), CloudKey("aws", settings)) == region


class Refreshing:
    """A chain whose credential ends, and which counts how often it was asked. `gate` holds the answers back."""

    def __init__(self, lifetimes: list[int]) -> None:
        self.asked = 0
        self.lifetimes = lifetimes
        self.gate = threading.Event()
        self.gate.set()
        self.threads: set[str] = set()

    def __call__(self, _: str | None) -> RefreshableCredentials:
        return RefreshableCredentials.create_from_metadata(self._next(), self._next, "test")

    def _next(self) -> dict[str, str]:
        self.gate.wait(5)
        self.threads.add(threading.current_thread().name)
        self.asked += 1
        ends = datetime.now(UTC).timestamp() + self.lifetimes[min(self.asked, len(self.lifetimes)) - 1]
        return {
            "access_key": f"AKID{self.asked}",
            "secret_key": "secret",
            "token": "token",
            "expiry_time": datetime.fromtimestamp(ends, UTC).isoformat(),
        }


async def used(signer: AwsSigner) -> str:
    """The access key that a request is signed with."""
    signed = await signer.sign(outgoing("amazon.nova-pro-v1:0"), KEY)
    return dict(signed.headers)[b"authorization"].decode().partition("Credential=")[2].partition("/")[0]


async def test_a_credential_that_lasts_is_fetched_once_however_many_wait() -> None:
    chain = Refreshing([3600])
    signer = AwsSigner(lambda: 0.0, chain)
    assert set(await asyncio.gather(*(used(signer) for _ in range(20)))) == {"AKID1"}
    assert chain.asked == 1


async def test_nothing_that_blocks_runs_on_the_loop() -> None:
    chain = Refreshing([3600])
    await used(AwsSigner(lambda: 0.0, chain))
    assert threading.main_thread().name not in chain.threads


async def test_a_credential_near_its_end_is_replaced() -> None:
    chain = Refreshing([120, 3600])
    signer = AwsSigner(lambda: 0.0, chain)
    assert await used(signer) == "AKID2", "the first lasts too short to begin with"
    assert await used(signer) == "AKID2"
    assert chain.asked == 2


async def test_while_one_waits_for_the_new_credential_the_others_use_the_old() -> None:
    """The first two are short of the quarter of an hour before whose end a new one is asked for."""
    chain = Refreshing([800, 800, 3600])
    signer = AwsSigner(lambda: 0.0, chain)
    assert await used(signer) == "AKID2"
    chain.gate.clear()
    first = asyncio.create_task(used(signer))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(used(signer), 5) == "AKID2"
    assert not first.done()
    chain.gate.set()
    assert await first == "AKID3"


async def test_a_machine_without_a_credential_is_told_what_to_do() -> None:
    with pytest.raises(GatewayError, match=r"AWS_ACCESS_KEY_ID.*aws sso login.*api-key") as raised:
        await AwsSigner(lambda: 0.0).probe(KEY)
    assert raised.value.kind is Kind.CREDENTIAL_REJECTED


async def test_a_profile_that_is_not_there_is_told_by_name() -> None:
    with pytest.raises(GatewayError, match="nobody") as raised:
        await AwsSigner(lambda: 0.0).probe(CloudKey("aws", {"profile": "nobody"}))
    assert raised.value.kind is Kind.CREDENTIAL_REJECTED


async def test_the_chain_reads_the_profile_that_is_configured(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[other]\naws_access_key_id = AKIDOTHER\naws_secret_access_key = secret\n")
    signed = await AwsSigner(lambda: 0.0).sign(outgoing("m"), CloudKey("aws", {"profile": "other"}))
    assert b"Credential=AKIDOTHER/20261121/us-east-1/bedrock/aws4_request" not in dict(signed.headers)[b"authorization"]
    assert b"Credential=AKIDOTHER/20261121/eu-west-1/bedrock/aws4_request" in dict(signed.headers)[b"authorization"]


async def test_without_botocore_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    with pytest.raises(GatewayError, match=r"isthmus\[bedrock\].*AWS_BEARER_TOKEN_BEDROCK") as raised:
        await AwsSigner(lambda: 0.0).probe(KEY)
    assert raised.value.kind is Kind.CREDENTIAL_REJECTED


async def test_after_a_failure_the_chain_rests() -> None:
    asked, now = 0, [0.0]

    def chain(_: str | None) -> None:
        nonlocal asked
        asked += 1

    signer = AwsSigner(lambda: now[0], chain)
    for _ in range(3):
        with pytest.raises(GatewayError):
            await signer.probe(KEY)
    assert asked == 1
    now[0] = AGAIN
    with pytest.raises(GatewayError):
        await signer.probe(KEY)
    assert asked == 2


async def test_an_authority_signs_by_kind() -> None:
    authority = CloudAuthority({"aws": AwsSigner(lambda: 0.0, lambda _: PAIR)})
    signed = await authority.sign(outgoing("m"), KEY)
    assert b"authorization" in dict(signed.headers)
    with pytest.raises(GatewayError, match="google") as raised:
        await authority.sign(outgoing("m"), CloudKey("google"))
    assert raised.value.kind is Kind.CREDENTIAL_REJECTED


def test_the_body_that_is_signed_is_the_body_that_is_sent() -> None:
    assert json.decode(by_botocore("amazon.nova-pro-v1:0", stream=False).body)["messages"][0]["role"] == "user"
