"""Secrets and files are taken out of what is kept: by what is told of them, their shape, their field, or a pattern."""

import json
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.secret import Secret
from isthmus.providers.key_guard import MASK
from isthmus.telemetry.redaction import FILE, Redactor

CLEAN = Redactor().clean
VALUE = "hunter2-and-more"


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnop",
        "sk-ant-api03-abcdefghijk",
        "isk_0123456789abcdef",
        "AIzaSyA0123456789abcdefghij",
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "ya29.a0AfH6SMBexample",
        "ghp_0123456789abcdefghij",
        "xoxb-123456789012-abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_has_the_look_of_a_secret_is_taken_out(secret: str) -> None:
    assert CLEAN(f"before {secret} after") == f"before {MASK} after"


def test_who_sent_a_bearer_token_is_not_told_which() -> None:
    assert VALUE not in CLEAN(f"Authorization: Bearer {VALUE}")


def test_a_password_in_a_url_is_taken_out() -> None:
    assert CLEAN("redis://user:pa55word@example.com/0") == f"redis://{MASK}@example.com/0"


@pytest.mark.parametrize("url", ["https://example.com/v1?key={}", "https://example.com/v1?alt=sse&access_token={}"])
def test_a_key_in_a_query_is_taken_out(url: str) -> None:
    assert CLEAN(f"GET {url.format(VALUE)}&x=1") == f"GET {url.format(MASK)}&x=1"


@pytest.mark.parametrize("line", ["export OPENAI_API_KEY={}", "DB_PASSWORD = '{}'", 'client-secret="{}"'])
def test_a_setting_with_a_secrets_name_is_taken_out(line: str) -> None:
    assert VALUE not in CLEAN(line.format(VALUE))


NAMES = (
    "password",
    "api_key",
    "apiKey",
    "x-api-key",
    "client_secret",
    "Authorization",
    "token",
    "aws_secret_access_key",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_field_with_a_secrets_name_is_taken_out(name: str) -> None:
    assert json.loads(CLEAN(json.dumps({"a": 1, name: VALUE, "z": "kept"}))) == {"a": 1, name: MASK, "z": "kept"}


@given(text=st.text(alphabet=string.ascii_letters + '\\"{}:, \n\u00e9', min_size=1), depth=st.integers(0, 3))
def test_a_field_is_taken_out_whole_at_any_depth_of_json_in_json(text: str, depth: int) -> None:
    document: object = {"password": text, "next": "kept"}
    for _ in range(depth):
        document = {"arguments": json.dumps(document)}
    found = json.loads(CLEAN(json.dumps(document)))
    for _ in range(depth):
        found = json.loads(found["arguments"])
    assert found == {"password": MASK, "next": "kept"}


def test_a_field_whose_end_is_cut_off_is_taken_out_to_the_end() -> None:
    assert CLEAN('{"password": "hunter2-an') == f'{{"password": "{MASK}'


@pytest.mark.parametrize(
    "text",
    [
        '{"max_tokens": 12, "tokens": ["a", "b"], "password": ""}',
        "the token of my affection, and the basic understanding of passwords",
        '{"key": "value", "monkey": "see"}',
        "x = y, key = 5",
        "data:text/plain;base64,SGVsbG8=",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert CLEAN(text) == text


def test_a_file_is_cut_to_a_note_of_its_length() -> None:
    assert (
        CLEAN(f"data:image/png;base64,{'iVBO' * FILE}==")
        == f"data:image/png;base64,[{4 * FILE + 2} characters of base64]"
    )


def test_a_secret_that_is_told_of_is_taken_out_whatever_it_looks_like() -> None:
    assert "correct horse" not in CLEAN("it was correct horse battery staple", [Secret("correct horse battery staple")])


def test_a_pattern_of_ones_own_is_taken_out() -> None:
    assert Redactor([r"\bEMP-\d+\b"]).clean("of EMP-4711 and EMP") == f"of {MASK} and EMP"


PIECES = (
    "a.", "\\", '\\"', "eyJaaaaaa.", '"password', '"password":"', "-----BEGIN PRIVATE KEY-----", "://a:", "bearer ",
    "A", "a=", "?key=", "api_key=",
)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_no_text_takes_long(piece: str) -> None:
    """What grows with the square of a text's length takes minutes for a hundred thousand characters."""
    before = time.process_time()
    CLEAN(piece * (100_000 // len(piece)))
    assert time.process_time() - before < 5
