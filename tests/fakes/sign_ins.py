"""Sign-ins over the gateway's own transport, with a clock that a test moves and a shelf for their accounts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fakes.clock import FakeClock
from fakes.sleeper import Sleeper
from isthmus.accounts.claims import told_by
from isthmus.accounts.endpoint import asking
from isthmus.accounts.signing_in import SignIns
from isthmus.core.errors import GatewayError
from isthmus.engine.accounts import Account, Tokens
from isthmus.providers.issuer import Issuer
from isthmus.transport.client import open_transport


class Bench:
    """Sign-ins, and what was kept of them. `refuses` is what keeping raises, where it does."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sleeper = Sleeper(self.clock)
        self.kept: list[tuple[Issuer, Tokens, str]] = []
        self.refuses: GatewayError | None = None
        self.signing: SignIns

    async def keep(self, issuer: Issuer, tokens: Tokens, source: str) -> Account:
        if self.refuses is not None:
            raise GatewayError(self.refuses.kind, self.refuses.message)
        self.kept.append((issuer, tokens, source))
        told = told_by(issuer, tokens)
        return Account(id=f"acc_{len(self.kept)}", issuer=issuer.name, name=told.email, email=told.email)


@asynccontextmanager
async def open_bench() -> AsyncIterator[Bench]:
    made = Bench()
    async with open_transport() as transport:
        made.signing = SignIns(asking(transport), made.keep, made.clock, sleep=made.sleeper.sleep)
        try:
            yield made
        finally:
            await made.signing.aclose()
