"""The ring of accounts: read from the store, refreshed ahead, its use noted in the background."""

import asyncio

import pytest
from msgspec.structs import replace

from isthmus.accounts.keeper import AHEAD, IN_USE, SPREAD
from isthmus.accounts.tokens_kept import MOST, Kept, KeptTokens
from isthmus.engine.accounts import AccountState, Tokens, UsedWindow
from isthmus.providers.quota_headers import SESSION
from isthmus.routing.health import Place
from support.keeping import Home, open_home

HOUR = 3600.0


def under(home: Home) -> list[str]:
    """Under whom the provider is asked."""
    return [one.name for one in home.live.take().snapshot.credentials["strict"]]


async def test_what_another_process_adds_changes_and_removes_is_seen() -> None:
    async with open_home() as home:
        other = home.another()
        account = await home.add()
        await other.keeper.look()
        assert under(other) == ["ada@example.com"]
        await home.keeper.changed(replace(account, name="work"))
        await other.keeper.look()
        assert under(other) == ["work"]
        await home.records.drop_account(account.id)
        await other.keeper.look()
        assert under(other) == []


async def test_while_nothing_changes_accounts_are_not_read_again() -> None:
    async with open_home() as home:
        await home.add()
        read = home.records.asked["accounts"]
        await home.keeper.look()
        await home.keeper.look()
        assert home.records.asked["accounts"] == read


async def test_what_this_process_has_written_itself_is_not_read_again() -> None:
    async with open_home() as home:
        await home.add()
        other = home.another()
        await other.keeper.look()
        read, now = home.records.asked["accounts"], home.live.take()
        home.clock.move(HOUR)
        await home.access()
        await home.keeper.look()
        assert home.records.asked["accounts"] == read
        assert home.live.take() is now
        await other.keeper.look()
        assert home.records.asked["accounts"] == read + 1
        await home.keeper.renew("acc_ada")
        await other.keeper.changed(replace(other.keeper.roster.need("acc_ada"), name="work"))
        await home.keeper.look()
        assert under(home) == ["work"]


async def test_without_the_store_accounts_stay_as_they_were_known() -> None:
    async with open_home() as home:
        await home.add()
        home.records.gone = True
        await home.keeper.look()
        assert under(home) == ["ada@example.com"]


async def test_an_account_in_use_is_refreshed_before_its_token_ends() -> None:
    async with open_home() as home:
        await home.add()
        before = await home.access()
        home.clock.move(HOUR - AHEAD - SPREAD - 1)
        await home.keeper.tend()
        assert home.issuer.refreshes() == 0
        home.clock.move(SPREAD + 1)
        await home.keeper.tend()
        assert home.issuer.refreshes() == 1
        assert await home.access() != before


async def test_an_account_that_nobody_used_of_late_is_refreshed_when_it_is_asked_for() -> None:
    async with open_home(lifetime=IN_USE + HOUR) as home:
        await home.add()
        await home.add("bob", used_at=home.clock.time())
        home.clock.move(IN_USE + HOUR - 100)
        await home.keeper.tend()
        assert home.issuer.refreshes() == 0
        home.clock.move(100)
        assert home.good(await home.access())
        assert home.issuer.refreshes() == 1


async def test_at_the_start_nobody_is_refreshed() -> None:
    async with open_home() as home:
        for name in ("ada", "bob", "cleo"):
            await home.add(name, used_at=home.clock.time())
        home.clock.move(2 * HOUR)
        await home.keeper.tend()
        assert home.issuer.refreshes() == 0


async def test_those_who_signed_in_together_are_not_refreshed_together() -> None:
    async with open_home(lifetime=10 * HOUR) as home:
        names = [f"user{number}" for number in range(12)]
        for name in names:
            await home.add(name)
            await home.access(f"acc_{name}")
        home.clock.move(10 * HOUR - AHEAD - SPREAD)
        for name in names:
            await home.access(f"acc_{name}")
        home.clock.move(SPREAD / 2)
        await home.keeper.tend()
        assert 0 < home.issuer.refreshes() < len(names)


async def test_a_token_that_lasts_but_minutes_is_not_refreshed_all_the_time() -> None:
    async with open_home(lifetime=120.0) as home:
        await home.add()
        await home.access()
        home.clock.move(60)
        await home.access()
        await home.keeper.tend()
        assert home.issuer.refreshes() == 0


@pytest.mark.parametrize("state", [AccountState.REVOKED, AccountState.DISABLED])
async def test_an_account_that_is_not_ready_is_not_refreshed_ahead(state: AccountState) -> None:
    async with open_home() as home:
        await home.add(used_at=home.clock.time() + HOUR)
        await home.keeper.changed(replace(home.keeper.roster.need("acc_ada"), state=state))
        home.clock.move(HOUR - 100)
        await home.keeper.tend()
        assert home.issuer.refreshes() == 0


async def test_when_an_account_was_used_is_noted_in_the_background() -> None:
    async with open_home() as home:
        await home.add()
        await home.access()
        assert home.records.kept["acc_ada"].used_at is None
        version = home.records.version
        await home.keeper.noting.write()
        assert home.records.kept["acc_ada"].used_at == home.clock.time()
        assert home.records.version == version


def told(home: Home, used: bytes, name: str = "ada@example.com", model: str = "m") -> None:
    """An answer under the account came with what is used of its window of five hours."""
    headers = (
        (b"anthropic-ratelimit-unified-5h-utilization", used),
        (b"anthropic-ratelimit-unified-5h-reset", b"600"),
        (b"x-ratelimit-remaining-requests", b"7"),
    )
    home.live.take().board.quotas.told(Place("strict", name, model), headers, home.clock.now(), home.clock.time())


async def test_what_answers_tell_of_an_accounts_limits_is_noted_with_it() -> None:
    async with open_home() as home:
        await home.add(windows=(UsedWindow(SESSION, 0.1, seconds=18_000.0), UsedWindow("other", 0.2)))
        told(home, b"0.25")
        home.clock.move(1)
        told(home, b"0.5", model="n")
        await home.keeper.noting.write()
        noted = home.records.kept["acc_ada"]
        assert noted.windows == (
            UsedWindow(SESSION, 0.5, home.clock.time() + 600, 18_000.0),
            UsedWindow("other", 0.2),
        )
        assert noted.windows_at == home.clock.time()
        assert home.keeper.roster.need("acc_ada") == noted


async def test_what_was_noted_once_is_not_noted_again() -> None:
    async with open_home() as home:
        await home.add()
        told(home, b"0.25")
        await home.keeper.noting.write()
        home.clock.move(60)
        await home.keeper.noting.write()
        assert home.records.asked["note_accounts"] == 1


async def test_of_two_notes_the_newer_counts_whoever_made_it() -> None:
    async with open_home() as home:
        account = await home.add()
        await home.access()
        await home.keeper.noting.write()
        used = home.clock.time()
        await home.records.change_account(replace(account, used_at=used - 50, plan="pro"))
        await home.keeper.look()
        known = home.keeper.roster.need("acc_ada")
        assert (known.used_at, known.plan) == (used, "pro")


async def test_the_gateway_stops_only_when_a_refresh_under_way_is_over() -> None:
    async with open_home() as home:
        account = await home.add()
        await home.access()
        home.clock.move(HOUR)
        asking = asyncio.create_task(home.access())
        await asyncio.sleep(0)
        await home.keeper.aclose()
        assert home.good(await asking)
        assert home.records.tokens[account.id].version == 2


async def test_the_notice_about_an_issuers_terms_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async with open_home() as home:
        terms = {"strict": replace(home.outside.issuers()["strict"], terms="Read the terms of Strict.")}
        home.keeper._outside = home.outside._replace(issuers=lambda: terms)
        await home.add()
        await home.add("bob")
        assert caplog.text.count("Read the terms of Strict.") == 1


def test_tokens_of_few_accounts_are_kept_open() -> None:
    kept = KeptTokens()
    for number in range(MOST + 1):
        kept.put(str(number), Kept(Tokens(), 1))
        kept.get("0")
    assert len(kept) == MOST
    assert kept.get("0") is not None
    assert kept.get("1") is None


def test_older_tokens_never_take_the_place_of_newer_ones() -> None:
    kept = KeptTokens()
    kept.put("a", Kept(Tokens(expires_at=2.0), 2))
    kept.put("a", Kept(Tokens(expires_at=1.0), 1))
    assert kept.get("a") == Kept(Tokens(expires_at=2.0), 2)


async def test_run_looks_again_and_again_and_ends_when_it_is_told_to() -> None:
    async with open_home() as home:
        await home.add()
        running = asyncio.create_task(home.another().keeper.run())
        while home.records.asked.get("accounts_version", 0) < 50:
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_a_fault_of_ours_ends_no_round_but_its_own(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_home() as home:
        keeper, rounds = home.keeper, asyncio.Event()

        async def look() -> None:
            if "by a fault of the gateway" in caplog.text:
                rounds.set()
            raise ValueError("nobody thought of this")

        monkeypatch.setattr(keeper, "look", look)
        running = asyncio.create_task(keeper.run())
        await rounds.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_was_heard_while_the_store_was_gone_is_noted_later() -> None:
    async with open_home() as home:
        await home.add()
        await home.access()
        home.records.gone = True
        await home.keeper.noting.write()
        home.records.gone = False
        await home.keeper.noting.write()
        assert home.records.kept["acc_ada"].used_at == home.clock.time()
