"""Models of providers that are asked under accounts: asked for under one of them, once somebody has signed in."""

import asyncio

from msgspec.structs import replace

from fakes.transport import Scripted, ScriptedTransport
from isthmus.accounts.signer import AccountSigner
from isthmus.cloud.authority import CloudAuthority
from isthmus.core.operations import Operation
from isthmus.engine import discovery
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.wire.headers import find
from support.keeping import Home, open_home, strict

LIST = b'{"object":"list","data":[{"id":"m"}]}'


def lists(home: Home) -> ScriptedTransport:
    """From here on the provider of the home lists its models."""
    both = {Operation.CHAT: ("openai_chat",), Operation.LIST_MODELS: ("openai_chat",)}
    provider = replace(strict(), dialects=both, listed=True, models=())
    home.live = Live(Snapshot(providers={"strict": provider}, issuers=home.outside.issuers()))
    home.keeper._live = home.live
    return ScriptedTransport({"strict.example.com": [Scripted(LIST)]})


async def test_a_list_is_asked_for_under_an_account() -> None:
    async with open_home() as home:
        transport = lists(home)
        await home.add()
        authority = CloudAuthority({"account": AccountSigner(home.keeper)})
        assert await discovery.discover(home.live, transport, authority)
        (sent,) = transport.sent
        assert find(sent.headers, b"authorization") == b"Bearer " + (await home.access()).encode()
        assert home.live.take().directory.offer("strict").names == ("m",)


async def test_without_an_account_nobody_is_asked() -> None:
    async with open_home() as home:
        transport = lists(home)
        assert await discovery.discover(home.live, transport, CloudAuthority({}))
        assert transport.sent == []


async def test_once_somebody_has_signed_in_the_list_is_asked_for_soon() -> None:
    async with open_home() as home:
        transport, first = lists(home), asyncio.Event()
        authority = CloudAuthority({"account": AccountSigner(home.keeper)})
        waits = 0

        async def pause(seconds: float) -> None:
            nonlocal waits
            assert seconds == discovery.SOON
            waits += 1
            if waits == 2:
                await home.add()
            if transport.sent:
                raise asyncio.CancelledError

        discovering = discovery.keep_discovering(home.live, transport, first, authority, pause)
        await asyncio.gather(discovering, return_exceptions=True)
        assert waits == 3
        assert home.live.take().directory.offer("strict").names == ("m",)
