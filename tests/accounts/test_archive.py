"""Accounts as one file: only the passphrase opens it, damage is told apart, and nothing stands in it in clear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from isthmus.accounts import archive as archives
from isthmus.accounts.archive import HEAD, MAGIC, MOST, Archived, read_archive, write_archive
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, AccountState, Tokens, UsedWindow

PASSPHRASE = Secret("correct horse battery staple")
ACCOUNT = Account(
    id="acc_1",
    issuer="codex",
    name="alice@example.com",
    plan="plus",
    added_at=1.5,
    state=AccountState.DISABLED,
    models=("gpt-*",),
    windows=(UsedWindow("5h", 0.25, 9.0, 18_000.0),),
)
TOKENS = Tokens(access=Secret("access-token-planted"), refresh=Secret("refresh-token-planted"), expires_at=2.5)
ACCOUNTS = (Archived(ACCOUNT, TOKENS), Archived(replace(ACCOUNT, id="acc_2", name="bob"), Tokens()))
ARCHIVE = write_archive(ACCOUNTS, PASSPHRASE)


def refusal_of(archive: bytes, passphrase: Secret = PASSPHRASE) -> tuple[str, str | None]:
    with pytest.raises(GatewayError) as refused:
        read_archive(archive, passphrase)
    assert refused.value.kind is Kind.INVALID
    return refused.value.message, refused.value.param


@pytest.mark.parametrize("accounts", [ACCOUNTS, ()])
def test_what_was_written_is_read(accounts: tuple[Archived, ...]) -> None:
    assert read_archive(write_archive(accounts, PASSPHRASE), PASSPHRASE) == accounts


def test_nothing_of_the_accounts_stands_in_it() -> None:
    assert not any(word in ARCHIVE for word in (b"planted", b"alice", b"acc_1", b"codex", b"horse"))


def test_the_same_accounts_are_never_sealed_alike() -> None:
    other = write_archive(ACCOUNTS, PASSPHRASE)
    assert other[: len(MAGIC) + 1] == ARCHIVE[: len(MAGIC) + 1]
    assert other[len(MAGIC) + 1 : HEAD] != ARCHIVE[len(MAGIC) + 1 : HEAD]


def test_another_passphrase_is_told_as_such() -> None:
    words = "the passphrase is not the one that the archive was sealed with"
    assert refusal_of(ARCHIVE, Secret("Correct horse battery staple")) == (words, "passphrase")
    assert refusal_of(ARCHIVE, Secret("")) == (words, "passphrase")


def test_a_passphrase_is_the_same_however_its_letters_are_composed() -> None:
    archive = write_archive(ACCOUNTS, Secret("caf\u00e9 caf\u00e9 caf\u00e9"))
    assert read_archive(archive, Secret("cafe\u0301 cafe\u0301 cafe\u0301")) == ACCOUNTS


def test_damage_anywhere_is_told_as_such() -> None:
    words = "the archive is damaged, or a part of it is missing; make a copy of it once more"
    for position in range(len(MAGIC) * 8, len(ARCHIVE) * 8):
        flipped = bytearray(ARCHIVE)
        flipped[position // 8] ^= 1 << position % 8
        assert refusal_of(bytes(flipped)) == (words, "archive")


def test_a_part_of_it_and_more_than_it_are_damage() -> None:
    for length in range(len(MAGIC), len(ARCHIVE)):
        assert "damaged" in refusal_of(ARCHIVE[:length])[0]
    assert "damaged" in refusal_of(ARCHIVE + b"\n")[0]


@pytest.mark.parametrize("position", [len(MAGIC) + 1, HEAD - 1, HEAD, -1])
def test_who_changes_it_so_that_it_seems_whole_changes_nothing(position: int) -> None:
    changed = bytearray(ARCHIVE[: -archives.DIGEST])
    changed[position] ^= 1
    assert "the passphrase is not the one" in refusal_of(with_digest(bytes(changed)))[0]


def with_digest(sealed: bytes) -> bytes:
    return sealed + archives.hashlib.sha256(sealed).digest()


def test_an_archive_of_a_newer_version_is_told_as_such() -> None:
    newer = MAGIC + bytes((2,)) + ARCHIVE[len(MAGIC) + 1 : -archives.DIGEST]
    assert "newer version of Isthmus" in refusal_of(with_digest(newer))[0]


@pytest.mark.parametrize("archive", [b"", b"{}", MAGIC[:-1], b"PK\x03\x04"])
def test_what_is_no_archive_is_told_as_such(archive: bytes) -> None:
    assert refusal_of(archive) == ("this is no archive of accounts", "archive")


@given(st.binary(max_size=200))
def test_whatever_else_is_refused(content: bytes) -> None:
    refusal_of(content)
    assert "damaged" in refusal_of(MAGIC + content)[0]


def test_what_is_too_long_is_not_looked_at() -> None:
    assert refusal_of(MAGIC + bytes(MOST)) == ("the archive is longer than 64 MiB, so it is none", "archive")


def test_more_accounts_than_it_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST", 500)
    with pytest.raises(GatewayError, match="more than") as refused:
        write_archive(ACCOUNTS, PASSPHRASE)
    assert refused.value.kind is Kind.INVALID


def test_a_passphrase_that_is_soon_guessed_is_refused() -> None:
    with pytest.raises(GatewayError, match="at least 12 characters") as refused:
        write_archive(ACCOUNTS, Secret("secret-0123"))
    assert (refused.value.kind, refused.value.param) == (Kind.INVALID, "passphrase")


def test_what_is_told_of_an_account_shows_no_token() -> None:
    assert "planted" not in f"{ACCOUNTS!r}"
