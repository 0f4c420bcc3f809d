"""Tokens at rest: only who has the key opens them, only for the account they are of, and only as they were sealed."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from isthmus.accounts.seal_keys import KeyFile, SaidKeys, SealKey, new_key
from isthmus.accounts.sealing import MOST, Seal, opened_seal
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Sealed, Tokens

TOKENS = Tokens(
    access=Secret("access-token-0123456789"),
    refresh=Secret("refresh-token-0123456789"),
    id_token=Secret("id-token-0123456789"),
    service_account=Secret('{"private_key": "é\\u0000"}'),
    expires_at=1_700_000_000.25,
)
KEY, OTHER = new_key(), new_key()


def seal_with(*keys: SealKey) -> Seal:
    return Seal(SaidKeys(Secret(",".join(key.written() for key in keys)), "the variable ISTHMUS_ACCOUNTS_KEY"))


SEAL = seal_with(KEY)
SEALED = SEAL.close(TOKENS, "acc_1", 7)


def refusal_of(sealed: Sealed, identity: str = "acc_1", seal: Seal = SEAL) -> str:
    with pytest.raises(GatewayError) as refused:
        seal.open(sealed, identity)
    assert refused.value.kind is Kind.CREDENTIAL_REJECTED
    return refused.value.message


@pytest.mark.parametrize("tokens", [TOKENS, Tokens(), Tokens(refresh=Secret("r"))])
def test_what_was_closed_is_opened(tokens: Tokens) -> None:
    assert SEAL.open(SEAL.close(tokens, "acc_1"), "acc_1") == tokens


def test_what_is_sealed_names_its_key_and_its_version() -> None:
    assert (SEALED.key, SEALED.version) == (KEY.id, 7)


def test_the_same_tokens_are_never_sealed_alike() -> None:
    assert len({SEAL.close(TOKENS, "acc_1").data for _ in range(100)}) == 100


def test_nothing_of_the_tokens_is_in_what_is_sealed() -> None:
    assert not any(word in SEALED.data for word in (b"token", b"access", b"0123", b"private"))


def test_every_bit_of_it_counts() -> None:
    for position in range(len(SEALED.data) * 8):
        flipped = bytearray(SEALED.data)
        flipped[position // 8] ^= 1 << position % 8
        assert "the tokens of account acc_1" in refusal_of(replace(SEALED, data=bytes(flipped)))


@given(st.binary(max_size=400))
def test_whatever_else_stands_there_is_refused(data: bytes) -> None:
    refusal_of(replace(SEALED, data=data))


def test_a_part_of_it_is_refused() -> None:
    for length in range(len(SEALED.data)):
        refusal_of(replace(SEALED, data=SEALED.data[:length]))


def test_the_tokens_of_another_account_are_refused() -> None:
    words = refusal_of(SEALED, "acc_2")
    assert words.startswith("the tokens of account acc_2 were changed where they are kept, or put in from another")
    assert words.endswith("sign in to it again")


def test_a_key_that_is_not_there_is_told_with_what_to_do() -> None:
    words = refusal_of(SEALED, seal=seal_with(OTHER))
    assert f"are sealed with the key '{KEY.id}', which is not in the variable ISTHMUS_ACCOUNTS_KEY" in words
    assert "put it back" in words


def test_another_key_under_the_same_name_opens_nothing() -> None:
    assert "were changed" in refusal_of(replace(SEALED, key=OTHER.id), seal=seal_with(KEY, OTHER))


def test_a_later_form_is_told_from_a_broken_one() -> None:
    later = replace(SEALED, data=bytes((2,)) + SEALED.data[1:])
    assert "use the newer one" in refusal_of(later)


def test_the_first_key_seals_and_all_open() -> None:
    both = seal_with(OTHER, KEY)
    assert both.open(SEALED, "acc_1") == TOKENS
    assert both.close(TOKENS, "acc_1").key == OTHER.id


def test_tokens_beyond_all_measure_are_refused() -> None:
    with pytest.raises(GatewayError, match="longer than 256 KiB") as refused:
        SEAL.close(Tokens(access=Secret("a" * MOST)), "acc_1")
    assert refused.value.kind is Kind.INVALID


def test_no_key_is_printed() -> None:
    written = KEY.written()
    assert written not in f"{KEY!r} {KEY} {SEAL.source!r} {SEAL!r}"
    assert KEY.reveal().hex() not in repr(KEY)


def test_a_key_that_was_put_in_later_is_found(tmp_path: Path) -> None:
    seal, file = opened_seal(None, tmp_path / "accounts.key"), KeyFile(tmp_path / "accounts.key")
    seal.ready()
    assert "is not in the key file" in refusal_of(SEALED, seal=seal)
    file.put((*file.made(), KEY))
    assert seal.open(SEALED, "acc_1") == TOKENS


def test_the_key_file_is_made_when_something_is_sealed_and_not_before(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "accounts.key"
    seal = opened_seal(None, file)
    assert "is not in the key file" in refusal_of(SEALED, seal=seal)
    assert not file.parent.exists()
    seal.close(TOKENS, "acc_1")
    assert file.exists()


def test_the_variable_comes_before_the_file(tmp_path: Path) -> None:
    seal = opened_seal(Secret(KEY.written()), tmp_path / "accounts.key")
    assert seal.close(TOKENS, "acc_1").key == KEY.id
    assert list(tmp_path.iterdir()) == []


def test_a_gateway_without_an_account_imports_no_cipher() -> None:
    program = "import sys, isthmus.app, isthmus.cli.main; assert 'cryptography' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
