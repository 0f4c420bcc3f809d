"""`isthmus accounts` and `isthmus login`: what a person sees and says, in front of accounts that stand in memory."""

import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from fakes.account_book import CODEX, GOOD_CODE, PLANTED, FakeAccountBook
from isthmus.cli.main import main
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import Account, AccountState, SignIn, SignInProgress, UsedWindow
from isthmus.providers.issuer import SignInFlow
from isthmus.wire import json
from support.shell import Shell

TIME = 1_700_000_000.0
ANN = Account(
    id="acc_1", issuer="codex", name="ann@example.com", email="ann@example.com", plan="plus", added_at=TIME, active=True
)
BOB = Account(id="acc_2", issuer="codex", name="bob@example.com", email="bob@example.com", added_at=TIME + 1)
ROBOT = Account(id="acc_3", issuer="google-service-account", name="robot", added_at=TIME + 2)
GONE = GatewayError(Kind.UNREACHABLE, "the issuer cannot be reached")
REVOKED = GatewayError(Kind.CREDENTIAL_REVOKED, "its refresh token is taken no more")


class Book(FakeAccountBook):
    """One whose browser may come back by itself: `ends` is what then becomes of a sign-in."""

    ends: SignInProgress | None = None

    def sign_in(self, identity: str) -> SignIn:
        found = super().sign_in(identity)
        if self.ends is None or found.progress is not SignInProgress.PENDING:
            return found
        self.pending[identity] = replace(found, progress=self.ends, account="acc_1", why="")
        return self.pending[identity]


class Accounts:
    """The commands, and what they work with."""

    def __init__(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        self.book = Book(ANN, BOB, ROBOT, time=TIME)
        self.opened: list[str] = []
        shell.write("providers: {vllm: {}}\n")

        @asynccontextmanager
        async def opened_book(loaded: object) -> AsyncIterator[FakeAccountBook]:
            yield self.book

        monkeypatch.setattr("isthmus.cli.accounts_alone.opened_book", opened_book)
        monkeypatch.setattr("webbrowser.open", self.opened.append)
        monkeypatch.setattr("isthmus.cli.signing_in.PAUSE", 0.001)

    def call(self, *words: str, typed: str = "") -> Result:
        return CliRunner().invoke(main, words, input=typed)

    def run(self, *words: str, code: int = 0, typed: str = "") -> str:
        result = self.call("accounts", *words, typed=typed)
        assert result.exit_code == code, result.output
        return result.stdout if code == 0 else result.stderr

    def told(self, *words: str) -> Any:
        return json.decode(self.run(*words, "--json").encode())


@pytest.fixture
def accounts(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Accounts:
    return Accounts(shell, monkeypatch)


@pytest.fixture
def fresh(accounts: Accounts) -> Accounts:
    """On a machine where nobody has signed in yet."""
    accounts.book.kept.clear()
    return accounts


class TestList:
    @pytest.mark.parametrize("words", [(), ("list",)])
    def test_accounts_are_listed_as_a_table(self, accounts: Accounts, words: tuple[str, ...]) -> None:
        heads, *lines = accounts.run(*words).splitlines()
        assert heads.split() == ["ACCOUNT", "ISSUER", "STATE", "ACTIVE", "PLAN", "USED", "LAST", "ASKED", "ID"]
        assert lines[0].split() == ["ann@example.com", "codex", "ready", "yes", "plus", "-", "-", "acc_1"]
        assert [one.split()[0] for one in lines] == ["ann@example.com", "bob@example.com", "robot"]

    def test_programs_are_told_what_the_management_api_tells(self, accounts: Accounts) -> None:
        [first, *_] = accounts.told()["accounts"]
        assert (first["id"], first["state"], first["added_at"]) == ("acc_1", "ready", "2023-11-14T22:13:20Z")

    def test_why_one_cannot_be_asked_under_is_told(self, accounts: Accounts) -> None:
        accounts.book.kept["acc_2"] = replace(BOB, state=AccountState.REVOKED, why="signed out at the issuer")
        assert accounts.run("list").splitlines()[-1] == "bob@example.com: signed out at the issuer"

    def test_without_accounts_it_is_told_how_to_begin(self, fresh: Accounts) -> None:
        for words in ((), ("verify",), ("quota",)):
            result = fresh.call("accounts", *words)
            assert "there are no accounts; sign in to one with: isthmus login" in result.output

    def test_nobody_is_asked(self, accounts: Accounts) -> None:
        accounts.run("list")
        assert accounts.book.asked == []


class TestNames:
    @pytest.mark.parametrize("said", ["bob@example.com", "acc_2"])
    def test_an_account_is_known_by_its_name_and_its_id(self, accounts: Accounts, said: str) -> None:
        assert accounts.run("switch", said) == "switched to bob@example.com\n"
        assert [one.active for one in accounts.book.all()] == [False, True, False]

    def test_a_name_that_two_have_is_refused_with_their_ids(self, accounts: Accounts) -> None:
        accounts.book.kept["acc_4"] = replace(ROBOT, id="acc_4", issuer="devices", name=BOB.name)
        refused = accounts.run("remove", BOB.name, code=1)
        assert "acc_2  bob@example.com at codex" in refused
        assert "acc_4  bob@example.com at devices" in refused
        assert len(accounts.book.kept) == 4

    def test_an_unknown_one_is_told(self, accounts: Accounts) -> None:
        assert accounts.run("disable", "eve", code=1).startswith("there is no account 'eve'")


class TestChanges:
    def test_one_is_disabled_and_enabled(self, accounts: Accounts) -> None:
        assert accounts.run("disable", "robot") == "robot is disabled\n"
        assert accounts.book.kept["acc_3"].state is AccountState.DISABLED
        assert accounts.run("enable", "robot") == "robot is enabled\n"
        assert accounts.book.kept["acc_3"].state is AccountState.READY

    def test_one_that_was_revoked_is_not_enabled(self, accounts: Accounts) -> None:
        accounts.book.kept["acc_2"] = replace(BOB, state=AccountState.REVOKED, why="signed out")
        assert "sign in to it again with: isthmus login" in accounts.run("enable", "acc_2", code=1)

    def test_what_may_be_changed_of_one_is_changed(self, accounts: Accounts) -> None:
        words = ("--name", "work", "--concurrency", "4", "--model", "gpt-5*", "--model", "o3")
        assert accounts.run("set", "ann@example.com", *words) == "work is changed\n"
        one = accounts.book.kept["acc_1"]
        assert (one.name, one.concurrency, one.models, one.email) == ("work", 4, ("gpt-5*", "o3"), ANN.email)
        accounts.run("set", "work", "--concurrency", "0", "--any-model")
        assert (accounts.book.kept["acc_1"].concurrency, accounts.book.kept["acc_1"].models) == (None, ())

    def test_a_change_that_cannot_be_is_told(self, accounts: Accounts) -> None:
        assert "name" in accounts.run("set", "acc_1", "--name", "a/b", code=1)
        accounts.run("set", "acc_1", code=2)
        accounts.run("set", "acc_1", "--model", "a", "--any-model", code=2)

    def test_one_is_removed(self, accounts: Accounts) -> None:
        assert accounts.run("remove", "ann@example.com") == "ann@example.com is removed\n"
        assert accounts.book.kept["acc_2"].active

    def test_which_one_is_removed_is_asked_where_nobody_said(self, accounts: Accounts) -> None:
        assert accounts.run("remove", typed="robot\n") == "robot is removed\n"

    def test_all_are_forgotten_only_after_a_question(self, accounts: Accounts) -> None:
        assert "nobody answered" in accounts.run("clear", code=1)
        assert "nothing was done" in accounts.run("clear", code=1, typed="n\n")
        assert len(accounts.book.kept) == 3
        assert accounts.run("clear", "--issuer", "codex", typed="y\n") == "2 accounts removed\n"
        assert accounts.run("clear", "--yes") == "1 account removed\n"


class TestAsking:
    def test_all_are_refreshed_whatever_becomes_of_one(self, accounts: Accounts) -> None:
        accounts.book.fails["acc_1"] = GONE
        result = accounts.call("accounts", "refresh")
        assert result.exit_code == 1
        assert [line.split(None, 2)[2] for line in result.stdout.splitlines()[1:]] == [GONE.message, "good", "good"]
        assert accounts.book.asked == ["refresh acc_1", "refresh acc_2", "refresh acc_3"]

    def test_those_that_are_named_are_refreshed(self, accounts: Accounts) -> None:
        accounts.run("refresh", "robot")
        assert accounts.book.asked == ["refresh acc_3"]

    def test_verifying_tells_which_are_taken(self, accounts: Accounts) -> None:
        accounts.book.fails["acc_2"] = REVOKED
        result = accounts.call("accounts", "verify", "--json")
        told = json.decode(result.stdout.encode())["accounts"]
        assert [(one["name"], one["good"]) for one in told] == [
            ("ann@example.com", True),
            ("bob@example.com", False),
            ("robot", True),
        ]
        assert (told[1]["why"], result.exit_code) == (REVOKED.message, 1)

    def test_the_quota_is_asked_for(self, accounts: Accounts) -> None:
        heads, line = accounts.run("quota", "ann@example.com").splitlines()
        assert heads.split() == ["ACCOUNT", "WINDOW", "USED", "LEFT", "BEGINS", "ANEW"]
        assert line.startswith("ann@example.com  5 hours  ")

    def test_the_quota_as_it_was_told_asks_nobody(self, accounts: Accounts) -> None:
        window = UsedWindow("primary", 0.4, resets_at=4_000_000_000.0, seconds=604_800.0)
        accounts.book.kept["acc_1"] = replace(ANN, windows=(window,))
        cells = accounts.run("quota", "acc_1", "--cached").splitlines()[1].split("  ")
        assert [cell.strip() for cell in cells[:4]] == ["ann@example.com", "1 week", "40%", "60%"]
        assert accounts.book.asked == []

    def test_a_window_that_began_anew_since_has_nothing_used(self, accounts: Accounts) -> None:
        window = UsedWindow("primary", 0.9, resets_at=TIME, seconds=18_000.0)
        accounts.book.kept["acc_1"] = replace(ANN, windows=(window,))
        assert "5 hours 0%" in accounts.run("list")

    def test_a_vendor_that_cannot_be_asked_leaves_what_was_told_before(self, accounts: Accounts) -> None:
        accounts.book.fails["acc_1"] = GONE
        result = accounts.call("accounts", "quota", "acc_1")
        assert "nothing was told" in result.stdout
        assert f"{GONE.message}; this is what was told before" in result.stderr
        assert result.exit_code == 1

    def test_models_are_listed(self, accounts: Accounts) -> None:
        assert accounts.run("models", "acc_1").splitlines()[1].split() == ["gpt-5.2", "GPT-5.2"]
        assert accounts.told("models", "acc_1")["models"][0]["default_reasoning_level"] == "medium"

    def test_issuers_are_listed_with_their_flows(self, accounts: Accounts) -> None:
        found = {one["name"]: one for one in accounts.told("issuers")["issuers"]}
        assert (found["codex"]["flows"], found["codex"]["accounts"]) == (["code", "pasted", "file"], 2)
        assert "service-account" in accounts.run("issuers")


class TestSigningIn:
    @pytest.mark.parametrize("words", [("login",), ("accounts", "add")])
    def test_what_is_pasted_ends_it(self, fresh: Accounts, words: tuple[str, ...]) -> None:
        url = f"http://localhost:1455/auth/callback?code={GOOD_CODE}&state=x"
        result = fresh.call(*words, "codex", "--no-browser", typed=f"y\n{url}\n")
        assert (result.exit_code, result.stdout) == (0, "signed in to ChatGPT as new1@example.com\n")
        assert CODEX.terms in result.stderr
        assert CODEX.authorize_url in result.stderr
        assert fresh.book.finished[0][1] == url
        assert fresh.opened == []

    def test_what_cannot_be_used_is_told_and_asked_for_again(self, fresh: Accounts) -> None:
        result = fresh.call("login", "codex", "--no-browser", "--yes", typed=f"nonsense\n\n{GOOD_CODE}\n")
        assert "the issuer does not know this code" in result.stderr
        assert result.exit_code == 0

    def test_the_browser_may_be_first(self, accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DISPLAY", ":0")
        accounts.book.ends = SignInProgress.COMPLETED
        result = accounts.call("login", "codex")
        assert (result.exit_code, result.stdout) == (0, "signed in to ChatGPT as ann@example.com (plus)\n")
        assert len(accounts.opened) == 1

    def test_without_a_screen_no_browser_is_opened(self, accounts: Accounts) -> None:
        accounts.book.ends = SignInProgress.COMPLETED
        accounts.call("login", "codex")
        assert accounts.opened == []

    @pytest.mark.parametrize("end", [SignInProgress.FAILED, SignInProgress.EXPIRED, SignInProgress.CANCELLED])
    def test_what_does_not_end_well_is_told(self, accounts: Accounts, end: SignInProgress) -> None:
        accounts.book.ends = end
        result = accounts.call("login", "codex")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "sign" in result.stderr.splitlines()[-1]

    def test_the_port_is_asked_for(self, accounts: Accounts) -> None:
        accounts.book.ends = SignInProgress.COMPLETED
        accounts.run("add", "codex", "--port=1460")
        assert [one.port for one in accounts.book.pending.values()] == [1460]

    def test_a_device_is_told_its_code(self, accounts: Accounts) -> None:
        accounts.book.ends = SignInProgress.COMPLETED
        result = accounts.call("login", "--device")
        assert "type this code: ABCD-EFGH" in result.stderr
        assert [one.flow for one in accounts.book.pending.values()] == [SignInFlow.DEVICE]

    def test_nobody_who_does_not_agree_is_signed_in(self, fresh: Accounts) -> None:
        for typed, words in (("n\n", "nothing was done"), ("", "nobody answered; --yes agrees")):
            result = fresh.call("login", "codex", typed=typed)
            assert (result.exit_code, words in result.stderr) == (1, True)
        assert fresh.book.pending == {}

    def test_who_agreed_once_is_not_asked_again(self, accounts: Accounts) -> None:
        result = accounts.call("login", "codex", "--no-browser", typed=f"{GOOD_CODE}\n")
        assert (result.exit_code, CODEX.terms in result.stderr) == (0, False)

    def test_which_issuer_is_asked_where_several_fit(self, accounts: Accounts) -> None:
        assert "which issuer? there are codex, devices" in accounts.run("add", code=1)
        assert "there is no issuer 'opnai'" in accounts.run("add", "opnai", code=1)

    def test_a_way_that_the_issuer_has_not_is_refused_with_those_that_it_has(self, accounts: Accounts) -> None:
        assert "--service-account" in accounts.run("add", "google-service-account", code=1)
        assert "isthmus login, --refresh-token, isthmus accounts import" in accounts.run(
            "add", "codex", "--device", code=1
        )

    def test_two_ways_at_once_are_wrong_usage(self, accounts: Accounts) -> None:
        accounts.run("add", "codex", "--device", "--refresh-token", "-", code=2)


class TestTakenIn:
    def test_a_refresh_token_comes_from_standard_input(self, accounts: Accounts) -> None:
        result = accounts.call("login", "codex", "--refresh-token", "-", typed=f"{PLANTED[1]}\n")
        assert result.exit_code == 0
        [(issuer, tokens, _)] = accounts.book.adopted
        assert tokens.refresh is not None
        assert (issuer, tokens.refresh.reveal()) == ("codex", PLANTED[1])
        assert PLANTED[1] not in result.output

    def test_a_service_account_comes_from_its_file(self, accounts: Accounts, shell: Shell) -> None:
        shell.write('{"client_email": "robot@example.com"}', "key.json")
        accounts.run("add", "--service-account", "key.json")
        [(issuer, tokens, _)] = accounts.book.adopted
        assert tokens.service_account is not None
        assert (issuer, "robot@example.com" in tokens.service_account.reveal()) == ("google-service-account", True)

    def test_a_file_that_is_not_there_or_empty_is_told(self, accounts: Accounts, shell: Shell) -> None:
        assert "key.json cannot be read" in accounts.run("add", "--service-account", "key.json", code=1)
        shell.write("", "key.json")
        assert "there is nothing in key.json" in accounts.run("add", "--service-account", "key.json", code=1)
        assert "there is nothing in standard input" in accounts.run("add", "codex", "--refresh-token", "-", code=1)

    def test_what_other_tools_left_is_taken_in(self, fresh: Accounts, shell: Shell) -> None:
        (shell.folder / ".codex").mkdir()
        shell.write('{"tokens": {"access_token": "a", "refresh_token": "r"}}', ".codex/auth.json")
        fresh.book.found = [replace(BOB, source="~/.codex/auth.json")]
        assert "nothing was done" in fresh.run("import", code=1, typed="n\n")
        assert fresh.run("import", typed="y\n") == "took in bob@example.com from ~/.codex/auth.json\n"

    def test_where_nothing_was_left_nobody_is_asked_to_agree(self, fresh: Accounts) -> None:
        assert fresh.run("import", code=1) == "there are no accounts of ChatGPT in ~/.codex/auth.json\n"


class TestArchives:
    def test_all_go_to_a_file_for_its_owner_alone_and_back(self, accounts: Accounts, shell: Shell) -> None:
        shell.write("a long passphrase\n", "words")
        said = accounts.run("export", "a.archive", "--passphrase-file", "words")
        assert said.startswith("3 accounts in a.archive")
        assert stat.S_IMODE(os.stat("a.archive").st_mode) == 0o600
        assert accounts.run("restore", "a.archive", "--passphrase-file", "words") == "took in 3 accounts\n"
        assert accounts.book.passphrases == ["a long passphrase"] * 2

    def test_a_file_that_exists_is_left_alone(self, accounts: Accounts, shell: Shell) -> None:
        shell.write("mine", "a.archive")
        assert "exists and was left alone" in accounts.run("export", "a.archive", code=1)
        assert Path("a.archive").read_text() == "mine"

    def test_a_short_passphrase_is_refused(self, accounts: Accounts) -> None:
        refused = accounts.run("export", "a.archive", "--passphrase-file", "-", code=1, typed="short\n")
        assert refused == "a passphrase has at least 12 characters\n"

    def test_nobody_to_type_one_is_told(self, accounts: Accounts) -> None:
        assert "--passphrase-file - reads it" in accounts.run("export", "a.archive", code=1)

    def test_a_passphrase_that_cannot_be_read_is_told(self, accounts: Accounts) -> None:
        refused = accounts.run("export", "a.archive", "--passphrase-file", "none", code=1)
        assert refused == "none cannot be read: No such file or directory\n"
        Path("none").write_bytes(b"\xff\xff\n")
        assert accounts.run("export", "a.archive", "--passphrase-file", "none", code=1) == "none is no text\n"

    def test_what_is_no_archive_is_told(self, accounts: Accounts, shell: Shell) -> None:
        shell.write("no archive", "b")
        words = ("restore", "b", "--passphrase-file", "-")
        assert accounts.run(*words, code=1, typed="x\n") == "this is no archive of accounts\n"
        assert "cannot be read" in accounts.run("restore", "c", code=1)


def test_help_is_a_word_as_well(accounts: Accounts) -> None:
    assert "Usage: main accounts" in accounts.run("help")


def test_without_a_store_there_are_no_accounts(accounts: Accounts, shell: Shell) -> None:
    shell.write("store: {enabled: false}\nproviders: {vllm: {}}\n")
    assert "isthmus.yaml switches off (store.enabled)" in accounts.run("list", code=1)
