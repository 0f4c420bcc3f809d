"""Is there a credential for AWS? Looked up now and then, so that who asks for the gateway's health is told at once."""

import asyncio
from collections.abc import Iterable

from isthmus.cloud.authority import CloudAuthority
from isthmus.core.errors import GatewayError
from isthmus.core.operations import Operation
from isthmus.engine.live import Live
from isthmus.providers.provider import Provider

EVERY = 60.0
"""Seconds between two looks."""
CONNECTED, DISCONNECTED = "connected", "disconnected"


class AwsProbe:
    """`state` is None where no provider is AWS's."""

    def __init__(self, live: Live, authority: CloudAuthority) -> None:
        self._live = live
        self._authority = authority
        self.state: str | None = None

    async def run(self) -> None:
        """Look again and again, for as long as the gateway runs."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Every one of AWS's providers needs its credential."""
        providers = [one for one in self._live.take().snapshot.providers.values() if _is_aws(one)]
        self.state = await self._state(providers) if providers else None

    async def _state(self, providers: Iterable[Provider]) -> str:
        try:
            for provider in providers:
                if provider.cloud is not None:
                    await self._authority.probe(provider.cloud)
        except GatewayError:
            return DISCONNECTED
        return CONNECTED


def _is_aws(provider: Provider) -> bool:
    return "bedrock" in provider.dialects[Operation.CHAT]
