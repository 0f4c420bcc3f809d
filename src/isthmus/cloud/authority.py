"""Implements the engine's Authority: each kind of cloud credential has its signer."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Protocol

from isthmus.cloud.aws import AwsSigner
from isthmus.cloud.entra import Entra, Variable
from isthmus.cloud.google import Google
from isthmus.cloud.tokens import Tokens
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.ports import Clock
from isthmus.providers.provider import CloudKey, Outgoing


class CloudSigner(Protocol):
    """Signs for one cloud. Keeps what it has been given until it must be asked for anew."""

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        """As Authority.sign."""
        ...

    async def refused(self, outgoing: Outgoing, key: CloudKey) -> Outgoing | None:
        """As Authority.refused."""
        ...


NO_OTHERS: Mapping[str, CloudSigner] = MappingProxyType({})


class CloudAuthority:
    """One for the process; `signers` are by the kind of CloudKey."""

    def __init__(self, signers: Mapping[str, CloudSigner]) -> None:
        self._signers = signers

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        signer = self._signers.get(key.kind)
        if signer is None:
            raise GatewayError(Kind.CREDENTIAL_REJECTED, f"nothing here can sign for {key.kind}")
        return await signer.sign(outgoing, key)

    async def refused(self, outgoing: Outgoing, key: CloudKey) -> Outgoing | None:
        signer = self._signers.get(key.kind)
        return None if signer is None else await signer.refused(outgoing, key)

    async def probe(self, key: CloudKey) -> None:
        """Is there a credential of AWS? Raises CREDENTIAL_REJECTED where there is none. Others are not looked for."""
        signer = self._signers.get(key.kind)
        if isinstance(signer, AwsSigner):
            await signer.probe(key)


@asynccontextmanager
async def open_authority(
    clock: Clock, variable: Variable, others: Mapping[str, CloudSigner] = NO_OTHERS
) -> AsyncIterator[CloudAuthority]:
    """Every cloud there is, and `others` that sign. Nobody is asked for anything before a request needs it."""
    tokens = Tokens(clock.time)
    signers: dict[str, CloudSigner] = {
        "aws": AwsSigner(clock.now),
        "google": Google(tokens, clock.time, variable),
        "entra": Entra(tokens, clock.time, variable),
        **others,
    }
    try:
        yield CloudAuthority(signers)
    finally:
        await tokens.aclose()
