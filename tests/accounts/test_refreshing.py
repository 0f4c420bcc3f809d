"""Tokens are refreshed once, however many wait for them, and none is lost on the way."""

import asyncio
import logging
import threading

import pytest
from msgspec.structs import replace

from fakes.strict_words import Person, Trouble
from isthmus.accounts.refreshing import AGAIN, LEASE
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, AccountState, Tokens
from support.keeping import Home, open_home

HOUR = 3600.0


async def refused(home: Home) -> GatewayError:
    """Why a request cannot be signed."""
    with pytest.raises(GatewayError) as found:
        await home.access()
    return found.value


async def test_a_token_that_is_good_is_used_without_asking_anybody() -> None:
    async with open_home() as home:
        await home.add()
        assert home.good(await home.access())
        assert home.issuer.refreshes() == 0


async def test_fifty_requests_on_an_expired_token_make_one_refresh() -> None:
    async with open_home() as home:
        await home.add()
        home.clock.move(HOUR)
        tokens = await asyncio.gather(*(home.access() for _ in range(50)))
        assert home.issuer.refreshes() == 1
        assert len(set(tokens)) == 1
        assert home.good(tokens[0])


async def test_two_processes_on_one_store_make_one_refresh() -> None:
    async with open_home() as home:
        await home.add()
        home.clock.move(HOUR)
        other = home.another()
        await other.keeper.refresh()
        mine, theirs = await asyncio.gather(home.access(), other.access())
        assert home.issuer.refreshes() == 1
        assert mine == theirs
        assert home.good(mine)


async def test_what_one_process_refreshed_another_finds_in_the_store() -> None:
    async with open_home() as home:
        await home.add()
        other = home.another()
        await other.keeper.refresh()
        await other.access()
        home.clock.move(HOUR)
        fresh = await home.access()
        assert await other.access() == fresh
        assert home.issuer.refreshes() == 1


async def test_a_request_that_is_cancelled_takes_the_refresh_from_nobody_else() -> None:
    gate = threading.Event()
    async with open_home() as home:
        await home.add()
        home.clock.move(HOUR)
        home.issuer.troubles.append(Trouble(until=gate))
        first, second = (asyncio.create_task(home.access()) for _ in range(2))
        await asyncio.to_thread(home.issuer.arrived.wait)
        first.cancel()
        gate.set()
        assert home.good(await second)
        assert home.issuer.refreshes() == 1


async def test_new_tokens_are_in_the_store_before_they_are_used() -> None:
    async with open_home() as home:
        account = await home.add()
        home.clock.move(HOUR)
        fresh = await home.access()
        sealed = home.records.tokens[account.id]
        assert sealed.version == 2
        access = home.outside.seal.open(sealed, account.id).access
        assert access is not None
        assert access.reveal() == fresh
        assert home.records.kept[account.id].expires_at == home.clock.time() + HOUR
        assert home.records.leases == {}


@pytest.mark.parametrize("dropped", ["before", "after"])
async def test_a_dropped_connection_is_tried_again_within_one_refresh(dropped: str) -> None:
    async with open_home(grace=60.0) as home:
        await home.add()
        home.clock.move(HOUR)
        home.issuer.troubles += [Trouble(drop=dropped), Trouble(drop="before")]
        assert home.good(await home.access())
        assert home.issuer.refreshes() == 3


async def test_what_fails_three_times_is_left_for_a_while_that_grows() -> None:
    async with open_home() as home:
        await home.add()
        home.clock.move(HOUR)
        home.issuer.troubles += [Trouble(status=503)] * 6
        assert (await refused(home)).kind is Kind.OVERLOADED
        assert (await refused(home)).retry_after == pytest.approx(AGAIN)
        assert home.issuer.refreshes() == 3
        home.clock.move(AGAIN)
        assert (await refused(home)).kind is Kind.OVERLOADED
        assert (await refused(home)).retry_after == pytest.approx(2 * AGAIN)
        home.clock.move(2 * AGAIN)
        assert home.good(await home.access())
        assert home.keeper.refreshing.failing == 0


async def test_an_issuer_that_is_asked_too_often_is_left_alone_as_long_as_it_says() -> None:
    async with open_home() as home:
        await home.add()
        home.clock.move(HOUR)
        home.issuer.troubles.append(Trouble(status=429, retry_after="90"))
        assert (await refused(home)).kind is Kind.UPSTREAM_LIMITED
        assert home.issuer.refreshes() == 1
        home.clock.move(89)
        assert (await refused(home)).retry_after == pytest.approx(1)
        home.clock.move(1)
        assert home.good(await home.access())


async def test_while_the_old_token_is_good_a_refresh_that_fails_costs_nobody_a_request() -> None:
    async with open_home() as home:
        await home.add()
        home.clock.move(HOUR - 100)
        home.issuer.troubles += [Trouble(status=503)] * 3
        before = await home.access()
        while not home.keeper.refreshing.failing:
            await asyncio.sleep(0.01)
        assert await home.access() == before
        assert home.good(before)


async def test_tokens_that_are_taken_no_more_are_told_and_never_tried_again() -> None:
    async with open_home() as home:
        account = await home.add()
        home.issuer.revoke(Person("ada@example.com", "acc-ada"))
        home.clock.move(HOUR)
        assert (await refused(home)).kind is Kind.CREDENTIAL_REVOKED
        assert (await refused(home)).kind is Kind.CREDENTIAL_REVOKED
        assert home.issuer.refreshes() == 1
        kept = home.records.kept[account.id]
        assert kept.state is AccountState.REVOKED
        assert "sign in again" in kept.why
        assert home.keeper.state == "1 accounts, 1 revoked"
        assert home.live.take().snapshot.credentials["strict"] == ()


async def test_another_process_learns_of_a_revoked_account_without_asking_its_issuer() -> None:
    async with open_home() as home:
        await home.add()
        other = home.another()
        await other.keeper.refresh()
        home.issuer.revoke(Person("ada@example.com", "acc-ada"))
        home.clock.move(HOUR)
        await refused(home)
        await other.keeper.look()
        assert (await refused(other)).kind is Kind.CREDENTIAL_REVOKED
        assert home.issuer.refreshes() == 1


async def test_somebody_may_ask_for_a_refresh_of_a_revoked_account() -> None:
    async with open_home() as home:
        account = await home.add()
        await home.keeper.changed(replace(account, state=AccountState.REVOKED, why="it was refused"))
        renewed = await home.keeper.renew(account.id)
        assert (renewed.state, renewed.why) == (AccountState.READY, "")
        assert home.live.take().snapshot.credentials["strict"] != ()


async def test_a_refresh_leaves_an_account_off_that_was_switched_off() -> None:
    async with open_home() as home:
        account = await home.add()
        await home.keeper.changed(replace(account, state=AccountState.DISABLED, why="on holiday"))
        renewed = await home.keeper.renew(account.id)
        assert (renewed.state, renewed.why) == (AccountState.DISABLED, "on holiday")


async def test_without_the_store_nobody_asks_the_issuer() -> None:
    async with open_home() as home:
        await home.add()
        await home.access()
        home.clock.move(HOUR)
        home.records.gone = True
        assert (await refused(home)).kind is Kind.STORE_GONE
        assert home.issuer.refreshes() == 0


async def test_tokens_that_the_store_cannot_take_are_used_and_written_later() -> None:
    async with open_home() as home:
        account = await home.add()
        home.clock.move(HOUR)
        home.records.failing.add("replace_tokens")
        fresh = await home.access()
        assert home.good(fresh)
        assert home.keeper.state == "1 accounts, 1 not written"
        home.records.failing.clear()
        await home.keeper.look()
        assert home.keeper.state == "1 accounts"
        access = home.outside.seal.open(home.records.tokens[account.id], account.id).access
        assert access is not None
        assert access.reveal() == fresh == await home.access()


async def test_what_is_not_written_yet_is_written_before_the_next_refresh() -> None:
    async with open_home() as home:
        await home.add()
        home.clock.move(HOUR)
        home.records.failing.add("replace_tokens")
        await home.access()
        home.clock.move(HOUR)
        assert (await refused(home)).kind is Kind.STORE_GONE
        assert home.issuer.refreshes() == 1
        home.records.failing.clear()
        home.clock.move(AGAIN)
        assert home.good(await home.access())
        assert home.records.tokens["acc_ada"].version == 3


async def test_a_clock_that_is_set_back_keeps_nobody_from_a_refresh() -> None:
    async with open_home() as home:
        await home.add()
        home.clock.move(HOUR)
        home.issuer.troubles += [Trouble(status=503)] * 3
        await refused(home)
        home.clock.set_by(-HOUR / 2)
        home.clock.move(HOUR)
        assert home.good(await home.access())


async def test_an_account_that_is_renamed_while_it_is_refreshed_has_its_new_name() -> None:
    gate = threading.Event()
    async with open_home() as home:
        account = await home.add()
        await home.access()
        home.clock.move(HOUR)
        home.issuer.troubles.append(Trouble(until=gate))
        asking = asyncio.create_task(home.access())
        await asyncio.to_thread(home.issuer.arrived.wait)
        other = home.another()
        await other.keeper.refresh()
        await other.keeper.changed(replace(account, name="work"))
        await home.keeper.look()
        gate.set()
        await asking
        assert home.keeper.roster.need(account.id).name == home.records.kept[account.id].name == "work"


async def test_who_signs_in_again_while_an_account_is_revoked_has_it_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_home() as home:
        account = await home.add()
        home.clock.move(HOUR)
        home.issuer.revoke(Person("ada@example.com", "acc-ada"))
        change = home.records.change_account

        async def late(changed: Account) -> None:
            monkeypatch.setattr(home.records, "change_account", change)
            fresh = home.outside.seal.close(Tokens(access=Secret("fresh")), account.id, 2)
            await home.records.replace_tokens(account, fresh)
            await change(changed)

        monkeypatch.setattr(home.records, "change_account", late)
        await refused(home)
        assert home.records.kept[account.id].state is AccountState.READY
        assert await home.access() == "fresh"


async def test_tokens_that_are_not_written_yet_outlive_news_of_other_accounts() -> None:
    async with open_home() as home:
        await home.add()
        home.clock.move(HOUR)
        home.records.failing.add("replace_tokens")
        fresh = await home.access()
        home.records.version += 1
        await home.keeper.look()
        assert await home.access() == fresh
        home.records.failing.clear()
        await home.keeper.look()
        assert await home.another().keeper.look() is None
        assert home.records.tokens["acc_ada"].version == 2
        assert await home.access() == fresh


async def test_the_lease_of_a_process_that_died_ends_by_itself() -> None:
    async with open_home(stands=False) as home:
        account = await home.add()
        home.clock.move(HOUR)
        home.records.leases[account.id] = "dead", home.clock.time() + LEASE
        assert home.good(await home.access())
        assert home.issuer.refreshes() == 1


async def test_who_signs_in_again_while_a_refresh_is_refused_keeps_what_they_were_given() -> None:
    gate = threading.Event()
    async with open_home() as home:
        account = await home.add()
        home.clock.move(HOUR)
        home.issuer.troubles.append(Trouble(until=gate))
        asking = asyncio.create_task(home.access())
        await asyncio.to_thread(home.issuer.arrived.wait)
        home.issuer.revoke(Person("ada@example.com", "acc-ada"))
        other = home.another()
        fresh = await other.add("bob")
        tokens = other.outside.seal.open(home.records.tokens[fresh.id], fresh.id)
        await home.records.replace_tokens(account, home.outside.seal.close(tokens, account.id, 2))
        gate.set()
        assert home.good(await asking)
        assert home.records.kept[account.id].state is AccountState.READY


async def test_a_clock_that_is_ahead_of_the_issuers_changes_nothing() -> None:
    async with open_home(skew=-7200.0) as home:
        await home.add()
        assert home.good(await home.access())
        assert home.issuer.refreshes() == 0
        home.clock.move(HOUR)
        assert home.good(await home.access())
        assert home.issuer.refreshes() == 1


async def test_an_issuer_that_is_configured_no_more_is_told() -> None:
    async with open_home() as home:
        account = await home.add()
        home.clock.move(HOUR)
        home.keeper.put(replace(account, issuer="gone"))
        told = await refused(home)
        assert told.kind is Kind.CREDENTIAL_REJECTED
        assert "no issuer 'gone'" in told.message


async def test_no_token_is_in_any_line_of_the_log_or_in_any_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with open_home() as home:
        account = await home.add()
        home.clock.move(HOUR)
        home.issuer.troubles += [Trouble(status=503)] * 3
        said = [(await refused(home)).message]
        home.clock.move(AGAIN)
        home.records.failing.add("replace_tokens")
        given = [await home.access()]
        home.records.failing.clear()
        await home.keeper.look()
        sealed = home.records.tokens[account.id]
        for secret in (home.outside.seal.open(sealed, account.id).refresh, home.keeper.refreshing.at_hand(account.id)):
            given.append(secret.reveal() if isinstance(secret, Secret) else "")
            said.append(repr(secret))
        home.issuer.revoke(Person("ada@example.com", "acc-ada"))
        home.clock.move(HOUR)
        said += [(await refused(home)).message, home.keeper.state, repr(home.keeper.roster.all()), caplog.text]
        assert len(caplog.records) >= 3
        for token in filter(None, given):
            assert token not in "\n".join(said)
