"""Processes that are killed while they refresh, and processes that refresh at the same moment: no account is lost."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.postgres_server import PostgresServer
from fakes.clock import FakeClock
from fakes.refresher import KEY
from fakes.strict_issuer import StrictIssuer, open_strict_issuer, row
from fakes.strict_words import Trouble
from isthmus.accounts.endpoint import asking
from isthmus.accounts.keeper import Keeper
from isthmus.accounts.refreshing import ISSUER_DEADLINES, LEASE, Outside
from isthmus.accounts.seal_keys import SaidKeys
from isthmus.accounts.sealing import Seal
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, AccountState, Tokens
from isthmus.store.address import address_of
from isthmus.store.store import open_store
from isthmus.transport.client import open_transport
from support.servers import open_postgres
from support.stores import PATIENT

TESTS = Path(__file__).parents[1]
TIME = 1_700_000_000.0
SPENT = 1_000.0


class Machine:
    """A store with one account whose token is spent, and its issuer, whose time is that of the processes."""

    def __init__(self, issuer: StrictIssuer, database: Secret) -> None:
        self.issuer = issuer
        self.database = database
        self.address = address_of(database, Path())
        self.clock = FakeClock(time=TIME)
        issuer.clock = self.clock.time

    async def prepare(self) -> None:
        given = self.issuer.sign_in()
        tokens = Tokens(
            access=Secret(given["access_token"]), refresh=Secret(given["refresh_token"]), expires_at=TIME + SPENT
        )
        account = Account(id="acc_1", issuer="strict", name="ada", subject="acc-ada", expires_at=TIME + SPENT)
        async with open_store(self.address, self.clock, pace=PATIENT) as store:
            await store.add_account(account, Seal(SaidKeys(KEY, "a test")).close(tokens, account.id, 1))
        self.clock.move(SPENT)

    async def process(self, point: str = "nowhere") -> asyncio.subprocess.Process:
        command = ("-m", "fakes.refresher", self.database.reveal(), self.issuer.url, str(self.clock.time()), point)
        environment = {**os.environ, "PYTHONPATH": str(TESTS)}
        return await asyncio.create_subprocess_exec(
            sys.executable, *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )

    async def token(self, point: str = "nowhere") -> str:
        """The token that a process would use; "" for one that was killed."""
        process = await self.process(point)
        told, wrong = await process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), wrong.decode()
        return told.decode().strip()

    async def after_all(self) -> Account:
        """The account, after another process has tried to use it."""
        async with open_store(self.address, self.clock, pace=PATIENT) as store, open_transport() as transport:
            seal, known = Seal(SaidKeys(KEY, "a test")), row(self.issuer)
            ask = asking(transport, ISSUER_DEADLINES)
            keeper = Keeper(Outside(store, seal, ask, lambda: {"strict": known}, self.clock))
            await keeper.refresh()
            with pytest.raises(GatewayError) as found:
                await keeper.usable("acc_1")
            assert found.value.kind is Kind.CREDENTIAL_REVOKED
            (account,) = await store.accounts()
            return account


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with open_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Secret:
    if request.param == "sqlite":
        return Secret(f"sqlite:///{tmp_path / 'isthmus.db'}")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


POINTS = ("leased", "given", "written", "used")


@pytest.mark.parametrize("point", POINTS)
async def test_a_process_that_is_killed_while_it_refreshes_loses_no_account(point: str, database: Secret) -> None:
    with open_strict_issuer(grace=3600.0) as issuer:
        machine = Machine(issuer, database)
        await machine.prepare()
        assert await machine.token(point) == ""
        machine.clock.move(LEASE)
        assert issuer.who(await machine.token()) is not None
        assert issuer.refreshes() == {"leased": 1, "given": 2, "written": 1, "used": 1}[point]


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_process_that_is_killed_while_its_issuer_works_loses_no_account(drop: str, database: Secret) -> None:
    with open_strict_issuer(grace=3600.0) as issuer:
        machine = Machine(issuer, database)
        await machine.prepare()
        issuer.troubles += [Trouble(drop=drop)] * 3
        process = await machine.process()
        await asyncio.to_thread(issuer.arrived.wait)
        process.kill()
        await process.communicate()
        issuer.troubles.clear()
        machine.clock.move(LEASE)
        assert issuer.who(await machine.token()) is not None


async def test_what_an_issuer_without_patience_gave_to_a_process_that_was_killed_is_told(database: Secret) -> None:
    with open_strict_issuer(grace=0.0) as issuer:
        machine = Machine(issuer, database)
        await machine.prepare()
        assert await machine.token("given") == ""
        machine.clock.move(LEASE)
        account = await machine.after_all()
        assert account.state is AccountState.REVOKED
        assert "sign in again" in account.why
        assert issuer.refreshes() == 2


async def test_processes_that_refresh_at_the_same_moment_ask_once(database: Secret) -> None:
    with open_strict_issuer() as issuer:
        machine = Machine(issuer, database)
        await machine.prepare()
        tokens = await asyncio.gather(*(machine.token() for _ in range(3)))
        assert issuer.refreshes() == 1
        assert len(set(tokens)) == 1
        assert issuer.who(tokens[0]) is not None
