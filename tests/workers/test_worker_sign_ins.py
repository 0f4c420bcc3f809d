"""A sign-in is one of all workers: whichever of them a client comes back to, knows it and ends it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from fakes.browser import back_to, browse
from fakes.clock import FakeClock
from fakes.sign_ins import Bench, open_bench
from fakes.strict_issuer import StrictIssuer, open_strict_issuer, row
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, SignInProgress
from isthmus.providers.issuer import SignInFlow
from isthmus.state.memory import BoundedMemory
from isthmus.workers import sign_ins
from isthmus.workers.hub import SIGN_INS, Hub
from isthmus.workers.link import Link, open_link
from isthmus.workers.sign_ins import SignInsOfWorkers


class NoModel:
    """Implements the hub's Model. No worker asks for it."""

    def enter(self) -> None: ...

    def leave(self) -> None: ...

    async def port(self) -> int:
        return 0

    async def lost(self, port: int, within: float = 1.0) -> bool:
        return bool(port and within)


class Crew:
    """Two workers with one issuer and one store, and their links to one hub."""

    def __init__(self, issuer: StrictIssuer, benches: list[Bench], links: list[Link], hub: Path) -> None:
        self.hub = hub
        self.strict = issuer
        self.issuer = row(issuer)
        self.benches = benches
        self.links = links
        self.first, self.second = (
            SignInsOfWorkers(link, bench.signing, self.find) for link, bench in zip(links, benches, strict=True)
        )

    async def find(self, identity: str) -> Account:
        return Account(id=identity, issuer=self.issuer.name, name="as the store has it")

    @asynccontextmanager
    async def another(self) -> AsyncIterator[SignInsOfWorkers]:
        """A worker that is started now."""
        async with open_bench() as bench, open_link(self.hub, list) as link:
            made = SignInsOfWorkers(link, bench.signing, self.find)
            await made.catch_up()
            yield made
            await made.aclose()

    async def heard(self) -> None:
        """What was told by now has gone around."""
        for _ in range(2):
            for link in self.links:
                await link.ask("get", "nothing", budget=5)


@pytest.fixture
async def crew(tmp_path: Path) -> AsyncIterator[Crew]:
    clock = FakeClock()
    hub = Hub(BoundedMemory(clock.now), NoModel(), clock)
    with open_strict_issuer() as issuer:
        async with AsyncExitStack() as opened:
            await opened.enter_async_context(hub.open(tmp_path / "hub"))
            benches = [await opened.enter_async_context(open_bench()) for _ in range(2)]
            links = [await opened.enter_async_context(open_link(tmp_path / "hub", list)) for _ in range(2)]
            made = Crew(issuer, benches, links, tmp_path / "hub")
            opened.push_async_callback(made.first.aclose)
            opened.push_async_callback(made.second.aclose)
            yield made


async def test_every_worker_knows_how_far_a_sign_in_is(crew: Crew) -> None:
    begun = await crew.first.begin(crew.issuer)
    await crew.heard()
    assert crew.second.sign_in(begun.id) == begun
    await browse(begun.url)
    await crew.heard()
    ended = crew.second.sign_in(begun.id)
    assert (ended.progress, ended.account) == (SignInProgress.COMPLETED, "acc_1")


async def test_what_is_pasted_at_one_worker_ends_what_another_began(crew: Crew) -> None:
    begun = await crew.first.begin(crew.issuer)
    await crew.heard()
    account = await crew.second.finish(begun.id, await back_to(begun.url))
    assert (account.id, account.name) == ("acc_1", "as the store has it")
    assert [len(bench.kept) for bench in crew.benches] == [1, 0]
    assert crew.first.sign_in(begun.id).progress is SignInProgress.COMPLETED


async def test_a_worker_that_is_started_later_ends_what_others_began_before(crew: Crew) -> None:
    before, begun = await crew.first.begin(crew.issuer), await crew.second.begin(crew.issuer)
    await crew.first.cancel(before.id)
    async with crew.another() as later:
        told = [later.sign_in(one.id).progress for one in (before, begun)]
        assert told == [SignInProgress.CANCELLED, SignInProgress.PENDING]
        assert (await later.finish(begun.id, await back_to(begun.url))).id == "acc_1"
    assert crew.second.sign_in(begun.id).progress is SignInProgress.COMPLETED


async def test_why_it_failed_is_told_at_the_worker_that_was_asked(crew: Crew) -> None:
    begun = await crew.first.begin(crew.issuer)
    await crew.heard()
    with pytest.raises(GatewayError) as raised:
        await crew.second.finish(begun.id, "a-code-that-nobody-gave")
    assert raised.value.kind is Kind.INVALID
    await crew.heard()
    assert crew.second.sign_in(begun.id).progress is SignInProgress.FAILED


async def test_a_sign_in_is_given_up_at_any_worker(crew: Crew) -> None:
    begun = await crew.first.begin(crew.issuer)
    await crew.heard()
    assert (await crew.second.cancel(begun.id)).progress is SignInProgress.CANCELLED
    assert crew.first.sign_in(begun.id).progress is SignInProgress.CANCELLED


async def test_all_workers_stop_listening(crew: Crew) -> None:
    first, second = await crew.first.begin(crew.issuer), await crew.second.begin(crew.issuer)
    await crew.heard()
    assert await crew.second.stop_listening() == 2
    await crew.heard()
    told = [crew.first.sign_in(one.id).progress for one in (first, second)]
    assert told == [SignInProgress.CANCELLED] * 2


async def test_no_verifier_and_no_device_code_leaves_its_worker(crew: Crew) -> None:
    told: list[object] = []
    crew.links[1].hears = {name: told.append for name in crew.links[1].hears}
    await crew.first.begin(crew.issuer)
    device = await crew.first.begin(crew.issuer, SignInFlow.DEVICE)
    await crew.heard()
    assert device.user_code.encode() in repr(told).encode()
    secrets = [*crew.strict.devices, *(one.verifier.reveal() for one in crew.benches[0].signing._known.values())]
    assert [secret for secret in secrets if secret and secret in repr(told)] == []


async def test_a_sign_in_that_nobody_began_is_known_nowhere(crew: Crew) -> None:
    for act in (crew.second.finish("guessed", "code"), crew.second.cancel("guessed")):
        with pytest.raises(GatewayError) as raised:
            await act
        assert raised.value.kind is Kind.UNKNOWN_PATH


async def test_a_worker_that_is_gone_is_not_waited_for_for_ever(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = await crew.first.begin(crew.issuer)
    await crew.heard()
    crew.links[0].close()
    monkeypatch.setattr(sign_ins, "PATIENCE", 0.01)
    with pytest.raises(GatewayError) as raised:
        await crew.second.finish(begun.id, "code")
    assert raised.value.kind is Kind.TIMED_OUT


async def test_what_is_known_of_other_workers_is_bounded(crew: Crew) -> None:
    begun = await crew.first.begin(crew.issuer)
    await crew.heard()
    for number in range(SIGN_INS):
        crew.first._tell(replace(begun, id=f"state-{number}"))
    await crew.heard()
    async with crew.another() as later:
        for worker in (crew.second, later):
            assert worker.sign_in("state-0").progress is SignInProgress.PENDING
            with pytest.raises(GatewayError):
                worker.sign_in(begun.id)
