"""Requests under accounts: signed with their tokens, and asked once more under the same account after a 401."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from fakes.strict_words import Person, Trouble
from fakes.transport import Scripted
from isthmus.accounts import keeper
from isthmus.accounts.intake import Intake
from isthmus.accounts.keeper import FRESH
from isthmus.accounts.signer import AccountSigner
from isthmus.cloud.authority import CloudAuthority
from isthmus.core.errors import GatewayError, Kind, Rest
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Tokens
from isthmus.engine.presentable import presentable
from isthmus.providers.provider import CloudKey
from isthmus.routing.health import Place, State
from isthmus.wire.headers import find
from support.keeping import Home, open_home, outgoing, strict
from support.line import Line, provider

ADA = CloudKey("account", {"account": "acc_ada"})
ASKED = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",'
    b'"message":{"role":"assistant","content":"hi"}}],"usage":{"prompt_tokens":5,"completion_tokens":1}}'
)
REFUSED = b'{"error":{"message":"the token is no good"}}'
HOUR = 3600.0


class Asking(Line):
    """A line with one provider that is asked under the accounts of a home."""

    def __init__(self, home: Home, *answers: Scripted) -> None:
        super().__init__([strict()], {"strict": answers})
        self.live = home.live
        self.clock = home.clock
        self.ports.clock = home.clock
        self.ports.authority = CloudAuthority({"account": AccountSigner(home.keeper)})

    def tokens(self) -> Sequence[str]:
        """With which the provider was asked."""
        sent = [find(one.headers, b"authorization") or b"" for one in self.transport.sent]
        return [one.removeprefix(b"Bearer ").decode() for one in sent]


def refusing() -> Scripted:
    return Scripted(REFUSED, status=401)


async def test_a_request_has_the_accounts_token_and_says_whose_it_is() -> None:
    async with open_home() as home:
        await home.add()
        sent = await AccountSigner(home.keeper).sign(outgoing(), ADA)
        assert find(sent.headers, b"authorization") == b"Bearer " + (await home.access()).encode()
        assert find(sent.headers, b"chatgpt-account-id") == b"acc-ada"


async def test_a_request_is_answered_under_an_account() -> None:
    async with open_home() as home:
        await home.add()
        line = Asking(home, Scripted(ANSWER))
        assert (await line.ask(ASKED))[0] == 200
        assert line.tokens() == [await home.access()]


async def test_after_a_401_the_account_is_refreshed_and_asked_once_more() -> None:
    async with open_home() as home:
        await home.add()
        await home.add("bob")
        before = await home.access()
        line = Asking(home, refusing(), Scripted(ANSWER))
        assert (await line.ask(ASKED))[0] == 200
        assert line.tokens() == [before, await home.access()]
        assert home.issuer.refreshes() == 1
        assert line.exchange is not None
        assert [one.credential for one in line.exchange.attempts] == ["ada@example.com"]
        assert line.transport.played[0].closed.is_set()


async def test_what_somebody_else_has_refreshed_meanwhile_is_used_without_another_refresh() -> None:
    async with open_home() as home:
        await home.add()
        signer = AccountSigner(home.keeper)
        first, second = await signer.sign(outgoing(), ADA), await signer.sign(outgoing(), ADA)
        again = [await signer.refused(one, ADA) for one in (first, second)]
        assert again[0] == again[1] != first
        assert home.issuer.refreshes() == 1


async def test_a_second_401_moves_on_to_the_next_account() -> None:
    async with open_home() as home:
        await home.add()
        await home.add("bob")
        line = Asking(home, refusing(), refusing(), Scripted(ANSWER))
        assert (await line.ask(ASKED))[0] == 200
        assert line.exchange is not None
        assert [one.credential for one in line.exchange.attempts] == ["ada@example.com", "bob@example.com"]


async def test_new_tokens_that_are_refused_too_are_not_refreshed_again_for_a_while() -> None:
    async with open_home() as home:
        await home.add()
        signer = AccountSigner(home.keeper)
        again = await signer.refused(await signer.sign(outgoing(), ADA), ADA)
        assert again is not None
        assert await signer.refused(again, ADA) is None
        home.clock.move(FRESH)
        assert await signer.refused(again, ADA) is not None
        assert home.issuer.refreshes() == 2


async def test_a_401_while_the_issuer_is_out_of_reach_is_the_providers_word() -> None:
    async with open_home() as home:
        await home.add()
        home.issuer.troubles += [Trouble(status=503)] * 3
        line = Asking(home, refusing())
        status, _, _ = await line.ask(ASKED)
        assert status != 200
        assert len(line.transport.sent) == 1


async def test_a_401_of_an_account_that_is_revoked_moves_on_and_takes_it_out() -> None:
    async with open_home() as home:
        await home.add()
        await home.add("bob")
        home.issuer.revoke(Person("ada@example.com", "acc-ada"))
        line = Asking(home, refusing(), Scripted(ANSWER), Scripted(ANSWER))
        assert (await line.ask(ASKED))[0] == 200
        assert (await line.ask(ASKED))[0] == 200
        assert line.exchange is not None
        assert [one.credential for one in line.exchange.attempts] == ["bob@example.com"]
        assert [one.name for one in home.live.take().snapshot.credentials["strict"]] == ["bob@example.com"]


async def test_a_revoked_account_says_so_and_any_other_reason_is_not_the_providers_fault() -> None:
    async with open_home() as home:
        await home.add()
        signer = AccountSigner(home.keeper)
        home.clock.move(HOUR)
        home.issuer.troubles += [Trouble(status=503)] * 3
        for kind in (Kind.CREDENTIAL_REJECTED, Kind.CREDENTIAL_REVOKED):
            with pytest.raises(GatewayError) as found:
                await signer.sign(outgoing(), ADA)
            assert found.value.kind is kind
            home.clock.move(HOUR)
            home.issuer.revoke(Person("ada@example.com", "acc-ada"))


async def test_an_account_is_refreshed_while_it_rests_and_its_quota_stays_spent() -> None:
    async with open_home() as home:
        await home.add()
        place, health = Place("strict", "ada@example.com", "m"), home.live.take().board.health
        health.failed(place, Kind.QUOTA_SPENT, Rest.CREDENTIAL, home.clock.now(), hint=3000.0)
        await home.access()
        home.clock.move(HOUR - 100.0)
        await home.keeper.tend()
        assert home.issuer.refreshes() == 1
        health.failed(place, Kind.QUOTA_SPENT, Rest.CREDENTIAL, home.clock.now(), hint=3000.0)
        await home.keeper.renew("acc_ada")
        assert health.state(place, home.clock.now()) is State.RESTING


async def test_what_rests_because_its_token_was_refused_is_well_once_it_has_a_new_one() -> None:
    async with open_home() as home:
        await home.add()
        place, health = Place("strict", "ada@example.com", "m"), home.live.take().board.health
        health.failed(place, Kind.CREDENTIAL_REJECTED, Rest.CREDENTIAL, home.clock.now())
        await home.keeper.renew("acc_ada")
        assert health.state(place, home.clock.now()) is State.READY


async def test_an_account_that_is_gone_is_no_reason_to_fail_for_the_next() -> None:
    async with open_home() as home:
        await home.add()
        await home.add("bob")
        home.keeper.roster.remove("acc_ada")
        line = Asking(home, Scripted(ANSWER))
        assert (await line.ask(ASKED))[0] == 200


async def test_who_fails_under_an_account_is_not_sent_to_look_for_an_api_key() -> None:
    error = GatewayError(Kind.CREDENTIAL_REJECTED, "401", status=401)
    assert presentable(error, strict()).message == (
        "provider strict refused the gateway's credential (HTTP 401); sign in to its account again"
    )
    assert presentable(error, provider("keyed")).message.endswith("check its api-key")


async def test_a_request_does_not_wait_for_ever_for_an_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "WAIT", 0.0)
    async with open_home() as home:
        await home.add()
        home.clock.move(HOUR)
        with pytest.raises(GatewayError) as found:
            await AccountSigner(home.keeper).sign(outgoing(), ADA)
        assert found.value.kind is Kind.CREDENTIAL_REJECTED
        monkeypatch.setattr(keeper, "WAIT", 30.0)
        await AccountSigner(home.keeper).sign(outgoing(), ADA)
        assert home.issuer.refreshes() == 1


async def test_who_signs_in_again_by_another_process_is_asked_at_once() -> None:
    async with open_home() as home:
        account = await home.add()
        place, health = Place("strict", account.name, "m"), home.live.take().board.health
        home.issuer.revoke(Person("ada@example.com", "acc-ada"))
        line = Asking(home, refusing(), Scripted(ANSWER))
        assert (await line.ask(ASKED))[0] != 200
        assert health.worst(place, home.clock.now()) is not None
        other = home.another()
        await other.keeper.refresh()
        given = home.issuer.sign_in(Person("ada@example.com", "acc-ada"))
        tokens = Tokens(access=Secret(given["access_token"]), expires_at=home.clock.time() + HOUR)
        intake = Intake(other.keeper, other.outside)
        fresh = replace(tokens, refresh=Secret(given["refresh_token"]), id_token=Secret(given["id_token"]))
        home.clock.move(1)
        await intake.take_in(home.outside.issuers()["strict"], fresh, "signed in")
        await home.keeper.look()
        assert health.state(place, home.clock.now()) is State.READY
        assert (await line.ask(ASKED))[0] == 200
