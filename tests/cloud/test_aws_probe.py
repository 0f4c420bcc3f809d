"""The gateway's health says whether AWS can be asked, without asking anybody there and then."""

from msgspec.structs import replace

from isthmus.cloud.authority import CloudAuthority
from isthmus.cloud.aws import AwsSigner, Credentials
from isthmus.cloud.probe import AwsProbe
from isthmus.core.operations import Operation
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.provider import CloudKey, Provider
from support.line import provider


class _Frozen:
    access_key, secret_key, token = "AKIDEXAMPLE", "secret-of-nobody", None


class _Chain:
    def get_frozen_credentials(self) -> _Frozen:
        return _Frozen()


def chain(found: bool) -> AwsSigner:
    def look(profile: str | None) -> Credentials | None:
        return _Chain() if found else None

    return AwsSigner(lambda: 0.0, look)


def bedrock(cloud: CloudKey | None) -> Provider:
    return replace(provider("aws"), dialects={Operation.CHAT: ("bedrock",)}, cloud=cloud)


async def state(*providers: Provider, found: bool) -> str | None:
    live = Live(Snapshot(providers={one.name: one for one in providers}))
    probe = AwsProbe(live, CloudAuthority({"aws": chain(found)}))
    await probe.look()
    return probe.state


async def test_with_a_credential_it_is_connected() -> None:
    assert await state(bedrock(CloudKey("aws", {"region": "us-east-1"})), found=True) == "connected"


async def test_without_one_it_is_not() -> None:
    assert await state(bedrock(CloudKey("aws", {"region": "us-east-1"})), found=False) == "disconnected"


async def test_a_plain_key_is_all_that_is_needed_where_there_is_one() -> None:
    assert await state(bedrock(None), found=False) == "connected"


async def test_where_nobody_is_asked_at_aws_nothing_is_said_of_it() -> None:
    assert await state(provider("one"), found=True) is None
