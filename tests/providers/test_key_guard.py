"""No key comes through, however the upstream shows it."""

import json
import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.secret import Secret
from isthmus.providers.key_guard import MASK, mask

KEY = "sk-ant-api03-Zx9+/Qw7=Lk2mN4pR6tV8yB1cD3fG5hJ"
keys = st.text(string.ascii_letters + string.digits + "-_+/=.", min_size=8, max_size=120)
prose = st.text(max_size=40)


def escaped(text: str) -> str:
    """Every character as \\uXXXX."""
    return "".join(f"\\u{ord(char):04x}" for char in text)


def percent(text: str) -> str:
    return "".join(f"%{ord(char):02X}" for char in text)


def slashes(text: str) -> str:
    return json.dumps(text).replace("/", "\\/")[1:-1]


def pieces(key: str, size: int) -> list[str]:
    return [key[at : at + size] for at in range(len(key) - size + 1)]


SHOWN = [str, slashes, escaped, percent, lambda key: json.dumps(escaped(key))[1:-1]]


@given(key=keys, before=prose, after=prose, show=st.sampled_from(SHOWN))
def test_a_key_is_taken_out_however_it_is_written(
    key: str, before: str, after: str, show: Callable[[str], str]
) -> None:
    clean = mask(before + show(key) + after, Secret(key))
    assert MASK in clean
    assert show(key) not in clean


@given(key=keys.filter(lambda key: len(key) >= 20), at=st.integers(0, 100), show=st.sampled_from(SHOWN))
def test_long_pieces_from_the_middle_are_taken_out_too(key: str, at: int, show: Callable[[str], str]) -> None:
    start = at % (len(key) - 15 + 1)
    piece = key[start : start + 15]
    assert show(piece) not in mask(f"<{show(piece)}>", Secret(key))


@given(key=keys, length=st.integers(8, 120), head=st.booleans())
def test_a_beginning_or_an_end_of_a_key_is_taken_out(key: str, length: int, head: bool) -> None:
    piece = key[:length] if head else key[-length:]
    assert mask(f'"{piece}"', Secret(key)) == f'"{MASK}"'


@given(key=keys, text=st.binary(max_size=60))
def test_bytes_of_any_encoding_pass_unharmed(key: str, text: bytes) -> None:
    shown = text + b" " + key.encode() + b" " + text
    clean = mask(shown, Secret(key))
    assert key.encode() not in clean
    assert MASK.encode() in clean


def test_only_the_key_is_taken_out() -> None:
    assert mask(f"Incorrect API key: {KEY}, see docs.", Secret(KEY)) == f"Incorrect API key: {MASK}, see docs."


def test_a_json_body_stays_json() -> None:
    body = json.dumps({"error": {"message": f'bad key "{KEY}"', "raw": json.dumps({"key": KEY})}}).encode()
    clean = json.loads(mask(body, Secret(KEY)))
    assert clean["error"]["message"] == f'bad key "{MASK}"'
    assert json.loads(clean["error"]["raw"]) == {"key": MASK}


@pytest.mark.parametrize(
    "shown",
    [
        "sk-proj-abcDEF123456",
        "sk-ab****yz12",
        "sk-or-v1-0123456789abcdef",
        "xai-0123456789abcdef",
        "gsk_0123456789abcdef",
        "AIzaSyA0123456789abcdef",
        "Bearer eyJhbGciOi.J9.abc123",
        "bearer 0123456789abcdef",
    ],
)
def test_what_looks_like_a_key_is_taken_out_without_knowing_it(shown: str) -> None:
    assert mask(f"you sent '{shown}'.", None) == f"you sent '{MASK}'."


@pytest.mark.parametrize(
    "words",
    [
        "Bearer authentication is required",
        "the task-management-system is down",
        "model gpt-4.1 not found; ask-something-else",
        "Rate limit reached for gsk users: 30 requests per minute.",
        "C:\\users\\%41%42 100% sure",
        "",
    ],
)
def test_plain_words_are_the_same_object_after(words: str) -> None:
    assert mask(words, Secret(KEY)) is words


def test_a_placeholder_for_a_key_takes_nothing_out() -> None:
    assert mask("no x here: abc", Secret("x")) == "no x here: abc"


@pytest.mark.parametrize("text", ["it was {}!", 'it was "{}"', "x-team={}&y=1"])
def test_words_that_are_told_of_are_taken_out_as_a_whole(text: str) -> None:
    assert mask(text.format("our team/9"), None, ["our team/9"]) == text.format(MASK)


def test_words_are_found_where_they_are_escaped() -> None:
    assert mask(r"it was our team\/9 and our%20team%2F9", None, ["our team/9"]) == f"it was {MASK} and {MASK}"


def test_a_part_of_a_word_is_no_secret() -> None:
    assert mask("it was our team", Secret("another-key-0123"), ["our team/9"]) == "it was our team"


def test_a_word_that_is_too_short_to_be_a_secret_stays() -> None:
    assert mask("a 1 b", None, ["1"]) == "a 1 b"


def test_a_jwt_is_taken_out_whosever_it_is() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
    assert mask(f'{{"error":"the token {token} has expired"}}', None) == f'{{"error":"the token {MASK} has expired"}}'
    assert mask("an eyJ is no token, and neither is heyJhbGciOiJSUzI1NiJ9.eyJz", None).count(MASK) == 0
