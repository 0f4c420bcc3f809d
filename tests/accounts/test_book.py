"""The book of accounts: taken in, changed, switched, told of and taken out."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest
from msgspec.structs import replace

from fakes.strict_words import Person, Trouble
from isthmus.accounts.book import Book
from isthmus.accounts.endpoint import Reply
from isthmus.accounts.files import Found
from isthmus.accounts.intake import Intake
from isthmus.accounts.signing_in import SignIns
from isthmus.accounts.vendor import Vendor
from isthmus.core.errors import GatewayError, Kind, Rest
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, AccountBook, AccountState, Sealed, Tokens, UsedWindow
from isthmus.providers.issuer import Issuer
from isthmus.routing.health import Place, State
from support.keeping import Home, open_home

HOUR = 3600.0
PASSPHRASE = Secret("correct horse battery staple")


class Opened:
    """A book, and the home that it is about."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.found: Sequence[Found] = ()
        self.intake = Intake(home.keeper, home.outside)
        self.sign_ins = SignIns(home.outside.ask, self.intake.take_in, home.clock)
        self.book: AccountBook = Book(home.keeper, home.outside, self.intake, self.sign_ins, self.left)

    async def left(self, issuer: Issuer) -> Sequence[Found]:
        return self.found

    def tokens(self, person: Person) -> Tokens:
        """As somebody was given them a moment ago."""
        given = self.home.issuer.sign_in(person)
        return Tokens(
            access=Secret(given["access_token"]),
            refresh=Secret(given["refresh_token"]),
            id_token=Secret(given["id_token"]),
            expires_at=self.home.clock.time() + HOUR,
        )

    async def signed_in(self, email: str = "ada@example.com", account: str = "acc-ada") -> Account:
        person = Person(email, account)
        return await self.intake.take_in(self.home.outside.issuers()["strict"], self.tokens(person), "signed in")

    def names(self) -> list[str]:
        return [one.name for one in self.book.all()]

    def under(self) -> list[str]:
        """Under whom the provider is asked."""
        return [one.name for one in self.home.live.take().snapshot.credentials["strict"]]


@asynccontextmanager
async def open_book(**settings: object) -> AsyncIterator[Opened]:
    async with open_home(**settings) as home:
        opened = Opened(home)
        try:
            yield opened
        finally:
            await opened.sign_ins.aclose()


async def raised(work: object) -> GatewayError:
    with pytest.raises(GatewayError) as found:
        await work  # type: ignore[misc]  # any call of the book
    return found.value


async def test_who_signs_in_is_an_account_with_what_their_tokens_tell() -> None:
    async with open_book() as opened:
        account = await opened.signed_in()
        assert (account.name, account.email, account.subject) == ("ada@example.com", "ada@example.com", "acc-ada")
        assert (account.plan, account.source, account.active) == ("plus", "signed in", True)
        assert account.expires_at == opened.home.clock.time() + HOUR
        assert opened.home.records.kept == {account.id: account}
        assert opened.under() == ["ada@example.com"]
        assert opened.home.good(await opened.home.access(account.id))


async def test_who_signs_in_again_has_the_same_account_with_other_tokens() -> None:
    async with open_book() as opened:
        first = await opened.signed_in()
        before = await opened.home.access(first.id)
        await opened.home.keeper.changed(replace(first, state=AccountState.REVOKED, why="refused", concurrency=3))
        again = await opened.signed_in()
        assert (again.id, again.state, again.why, again.concurrency) == (first.id, AccountState.READY, "", 3)
        assert await opened.home.access(first.id) != before
        assert opened.names() == ["ada@example.com"]
        assert opened.home.records.kept[first.id].state is AccountState.READY


async def test_who_signs_in_again_switches_their_account_on() -> None:
    async with open_book() as opened:
        account = await opened.signed_in()
        await opened.book.change(replace(account, state=AccountState.DISABLED))
        assert opened.under() == []
        await opened.signed_in()
        assert opened.under() == ["ada@example.com"]
        assert opened.home.records.kept[account.id].state is AccountState.READY


async def test_the_same_address_at_another_workspace_is_another_account_with_a_name_of_its_own() -> None:
    async with open_book() as opened:
        for account in ("acc-one", "acc-two", "acc-three"):
            await opened.signed_in("me@example.com", account)
        assert opened.names() == ["me@example.com", "me@example.com (2)", "me@example.com (3)"]
        assert [one.active for one in opened.book.all()] == [True, False, False]


async def test_a_name_that_another_process_takes_at_the_same_moment_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_book() as opened:
        records, other = opened.home.records, Account(id="acc_other", issuer="strict", name="ada@example.com")
        add = records.add_account

        async def late(account: Account, sealed: Sealed) -> None:
            if other.id not in records.kept:
                await add(other, sealed)
            await add(account, sealed)

        monkeypatch.setattr(records, "add_account", late)
        assert (await opened.signed_in()).name == "ada@example.com (2)"


async def test_a_refresh_token_is_tried_when_it_is_taken_in() -> None:
    async with open_book() as opened:
        given = opened.tokens(Person())
        account = await opened.book.adopt("strict", Tokens(refresh=given.refresh), source="pasted")
        assert (account.email, account.source) == ("ada@example.com", "pasted")
        assert opened.home.issuer.refreshes() == 1
        assert opened.home.good(await opened.home.access(account.id))


async def test_a_refresh_token_that_is_not_taken_is_no_account() -> None:
    async with open_book() as opened:
        error = await raised(opened.book.adopt("strict", Tokens(refresh=Secret("refresh-nobody-0123456789"))))
        assert error.kind is Kind.INVALID
        assert "refresh-nobody" not in error.message
        assert opened.names() == []


async def test_an_issuer_that_cannot_be_reached_is_not_the_fault_of_what_was_given() -> None:
    async with open_book() as opened:
        opened.home.issuer.troubles += [Trouble(status=503)] * 3
        error = await raised(opened.book.adopt("strict", Tokens(refresh=opened.tokens(Person()).refresh)))
        assert error.kind is Kind.OVERLOADED


async def test_a_refresh_token_outlives_a_connection_that_drops() -> None:
    async with open_book(grace=60.0) as opened:
        opened.home.issuer.troubles.append(Trouble(drop="after"))
        account = await opened.book.adopt("strict", Tokens(refresh=opened.tokens(Person()).refresh))
        assert opened.home.good(await opened.home.access(account.id))


async def test_where_nothing_could_be_kept_no_issuer_is_asked() -> None:
    async with open_book() as opened:
        opened.home.records.gone = True
        error = await raised(opened.book.adopt("strict", Tokens(refresh=opened.tokens(Person()).refresh)))
        assert error.kind is Kind.STORE_GONE
        assert opened.home.issuer.refreshes() == 0


async def test_a_service_account_is_taken_in_and_signs_for_itself_from_then_on() -> None:
    async with open_book() as opened:
        robot = opened.home.issuer.new_robot()
        account = await opened.book.adopt("strict", Tokens(service_account=Secret(robot)), source="file")
        assert account.name == "robot@example.com"
        opened.home.clock.move(HOUR)
        assert opened.home.good(await opened.home.access(account.id))


@pytest.mark.parametrize(
    ("issuer", "tokens", "words"),
    [
        ("strict", Tokens(), "neither a refresh token nor a service account"),
        ("strict", Tokens(service_account=Secret('{"private_key":"secret-words"}')), "service account"),
        ("nobody", Tokens(refresh=Secret("r")), "there is no issuer 'nobody'; there are strict"),
    ],
)
async def test_what_cannot_be_taken_in_is_told(issuer: str, tokens: Tokens, words: str) -> None:
    async with open_book() as opened:
        error = await raised(opened.book.adopt(issuer, tokens))
        assert error.kind is Kind.INVALID
        assert words in error.message
        assert "secret-words" not in error.message


async def test_what_other_tools_left_is_taken_in_without_a_refresh() -> None:
    async with open_book() as opened:
        opened.found = [Found(opened.tokens(Person()), "~/.codex/auth.json")]
        (account,) = await opened.book.import_files("strict")
        assert account.source == "~/.codex/auth.json"
        assert opened.home.issuer.refreshes() == 0


async def test_another_account_can_be_made_the_active_one() -> None:
    async with open_book() as opened:
        await opened.signed_in()
        second = await opened.signed_in("bob@example.com", "acc-bob")
        assert opened.under() == ["ada@example.com", "bob@example.com"]
        assert (await opened.book.activate(second.id)).active
        assert opened.under() == ["bob@example.com", "ada@example.com"]
        assert [one.active for one in opened.home.records.kept.values()] == [False, True]


async def test_after_the_active_account_the_oldest_that_is_ready_is_active() -> None:
    async with open_book() as opened:
        first = await opened.signed_in()
        for name in ("bob", "cleo"):
            await opened.signed_in(f"{name}@example.com", f"acc-{name}")
        second = opened.book.all()[1]
        await opened.book.change(replace(second, state=AccountState.DISABLED))
        assert (await opened.book.remove(first.id)).id == first.id
        assert [(one.name, one.active) for one in opened.book.all()] == [
            ("bob@example.com", False),
            ("cleo@example.com", True),
        ]
        assert opened.home.records.tokens.keys() == opened.home.records.kept.keys()


async def test_what_may_be_changed_is_changed_and_nothing_else() -> None:
    async with open_book() as opened:
        account = await opened.signed_in()
        wanted = replace(
            account, name=" work ", concurrency=2, models=("gpt-*",), email="x", plan="y", active=False, source="z"
        )
        changed = await opened.book.change(wanted)
        assert changed == replace(account, name="work", concurrency=2, models=("gpt-*",))
        assert opened.under() == ["work"]
        assert [limit.most for limit in opened.home.live.take().snapshot.allowances["key:strict/work"]] == [2]


async def test_only_a_sign_in_makes_a_revoked_account_ready() -> None:
    async with open_book() as opened:
        account = await opened.signed_in()
        await opened.home.keeper.changed(replace(account, state=AccountState.REVOKED, why="refused"))
        changed = await opened.book.change(replace(account, state=AccountState.READY))
        assert (changed.state, changed.why) == (AccountState.REVOKED, "refused")


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a" * 201}, "name"),
        ({"name": "bob@example.com"}, "name"),
        ({"concurrency": 0}, "concurrency"),
        ({"models": ("",)}, "models"),
    ],
)
async def test_what_no_account_can_be_is_refused_and_nothing_is_changed(changes: dict[str, object], param: str) -> None:
    async with open_book() as opened:
        account = await opened.signed_in()
        await opened.signed_in("bob@example.com", "acc-bob")
        error = await raised(opened.book.change(replace(account, **changes)))
        assert (error.kind, error.param) == (Kind.INVALID, param)
        assert opened.home.records.kept[account.id] == account


async def test_nobody_works_with_an_account_that_is_not_there() -> None:
    async with open_book() as opened:
        book = opened.book
        calls = (book.refresh, book.activate, book.remove, book.quota, book.usage, book.models)
        for work in (
            *(partial(one, "acc_nobody") for one in calls),
            partial(book.change, Account(id="acc_nobody", issuer="strict", name="nobody")),
        ):
            assert (await raised(work())).kind is Kind.UNKNOWN_PATH


async def test_accounts_are_taken_to_another_machine_with_their_tokens() -> None:
    async with open_book() as opened, open_book() as elsewhere:
        account = await opened.signed_in()
        await opened.book.change(replace(account, name="work", concurrency=2))
        archive = await opened.book.export(PASSPHRASE)
        (restored,) = await elsewhere.book.restore(archive, PASSPHRASE)
        assert (restored.name, restored.concurrency, restored.active) == ("work", 2, True)
        assert await elsewhere.home.access(restored.id) == await opened.home.access(account.id)


async def test_an_account_that_is_there_already_is_put_in_place() -> None:
    async with open_book() as opened, open_book() as elsewhere:
        account = await opened.signed_in()
        archive = await opened.book.export(PASSPHRASE)
        there = await elsewhere.signed_in()
        before = await elsewhere.home.access(there.id)
        (restored,) = await elsewhere.book.restore(archive, PASSPHRASE)
        assert restored.id == there.id
        assert elsewhere.names() == ["ada@example.com"]
        assert await elsewhere.home.access(there.id) == await opened.home.access(account.id) != before


async def test_a_usage_that_nobody_can_read_is_told() -> None:
    async with open_book() as opened:
        account = await opened.signed_in()
        assert (await raised(opened.book.quota(account.id, fresh=True))).kind is Kind.UNSUPPORTED
        assert (await raised(opened.book.usage(account.id))).kind is Kind.UNSUPPORTED
        assert await opened.book.quota(account.id) == account


async def test_nothing_of_a_token_is_in_an_account_or_its_words() -> None:
    async with open_book() as opened:
        account = await opened.signed_in()
        tokens = opened.home.outside.seal.open(opened.home.records.tokens[account.id], account.id)
        shown = repr(account) + repr(tokens) + json.dumps(account.why)
        for secret in (tokens.access, tokens.refresh, tokens.id_token):
            assert secret is not None
            assert secret.reveal() not in shown


async def test_what_answers_told_a_moment_ago_is_told_of_an_account() -> None:
    async with open_book() as opened:
        account = await opened.signed_in()
        headers = ((b"anthropic-ratelimit-unified-5h-utilization", b"0.5"),)
        place, clock = Place("strict", account.name, "m"), opened.home.clock
        opened.home.live.take().board.quotas.told(place, headers, clock.now(), clock.time())
        assert [window.used for window in (await opened.book.quota(account.id)).windows] == [0.5]
        assert [window.used for window in opened.book.all()[0].windows] == [0.5]


@pytest.mark.parametrize(("used", "state"), [(0.2, State.READY), (1.0, State.RESTING)])
async def test_an_account_whose_vendor_tells_of_room_rests_no_more(
    used: float, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_book() as opened:
        account, clock = await opened.signed_in(), opened.home.clock
        place, health = Place("strict", account.name, "m"), opened.home.live.take().board.health
        health.failed(place, Kind.QUOTA_SPENT, Rest.CREDENTIAL, clock.now(), hint=3000.0)
        readers = {"strict": lambda body, time: ("pro", (UsedWindow("5 hours", used, time + 60),))}
        monkeypatch.setattr("isthmus.accounts.book.READERS", readers)
        monkeypatch.setattr(Vendor, "usage", told_usage)
        fresh = await opened.book.quota(account.id, fresh=True)
        assert (fresh.plan, fresh.windows[0].used) == ("pro", used)
        assert health.state(place, clock.now()) is state
        assert opened.home.records.kept[account.id].plan == "pro"


async def told_usage(vendor: Vendor, account: Account) -> Reply:
    return Reply(200, (), b"{}")
