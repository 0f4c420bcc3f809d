"""Whatever a client or the Codex backend sends: it is taken, or refused in words, and nothing is lost on the way."""

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from isthmus.accounts.codex_usage import read_usage
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.dialects.openai.errors import told_error
from isthmus.providers import codex
from isthmus.providers.codex_errors import read_error
from isthmus.providers.codex_stream import Completing
from isthmus.providers.provider import Aim
from isthmus.providers.quota_headers import read_quota
from isthmus.wire import json

AIM = Aim(Operation.CHAT, "openai_responses", "m", stream=True)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9)
WORDS = st.sampled_from(["type", "id", "role", "content", "system", "reasoning", "message", "item_reference", "text"])
ANY = st.recursive(
    LEAVES | WORDS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=12
)
FIELDS = st.sampled_from(
    ["model", "input", "instructions", "include", "user", "service_tier", "truncation", "store", "prompt", "background"]
)
ERRORS = st.sampled_from(["error", "detail", "code", "type", "message", "resets_at", "resets_in_seconds"])
ERRANT = st.dictionaries(ERRORS, ANY | st.dictionaries(ERRORS, ANY, max_size=4), max_size=3)


@given(st.dictionaries(FIELDS, ANY, max_size=6))
def test_every_body_is_taken_or_refused_as_its_callers(body: dict[str, Any]) -> None:
    fields = {name: Raw(json.encode(value)) for name, value in body.items()}
    codex.note(AIM, (), json.encode(body), Losses())
    refused = Kind.INVALID
    wrapped: dict[str, Raw] = {}
    try:
        wrapped = codex.wrap(AIM, fields, ())
    except GatewayError as error:
        refused = error.kind
    assert refused in (Kind.INVALID, Kind.UNSUPPORTED)
    if not wrapped:
        return
    assert (wrapped["store"], wrapped["stream"]) == (Raw(b"false"), Raw(b"true"))
    assert json.decode(wrapped["instructions"]) not in (None, "")
    json.decode(json.encode(wrapped))


@given(st.integers(400, 599), ERRANT | ANY, st.sampled_from([b"", b"Thu, 21 Aug 2025 12:00:00 GMT", b"x"]))
def test_every_refusal_has_a_kind_and_a_wait_that_can_be_told(status: int, body: object, date: bytes) -> None:
    for error in (read_error(status, ((b"date", date),), json.encode(body)), told_error(json.encode(body))):
        assert error.status >= 400
        assert error.retry_after is None or 0 <= error.retry_after < float("inf")


@given(st.binary(max_size=60), st.integers(400, 599))
def test_so_has_a_refusal_that_is_no_json(body: bytes, status: int) -> None:
    assert read_error(status, (), body).status >= 400


@given(ANY | st.dictionaries(st.sampled_from(["plan_type", "rate_limit"]), ANY))
def test_a_word_on_use_is_read_or_garbled(body: object) -> None:
    with suppress(GatewayError):
        read_usage(json.encode(body), 0.0)


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"\n\n", b"data: ", b'"response.completed"', b"\r\n\r\n"])))
def test_a_stream_that_ends_with_nothing_to_add_goes_on_byte_by_byte(pieces: list[bytes]) -> None:
    completing = Completing()
    assert b"".join(map(completing.feed, pieces)) + completing.end() == b"".join(pieces)


@given(st.dictionaries(st.sampled_from(["used-percent", "window-minutes", "reset-at"]), st.text(max_size=8)))
def test_headers_of_limits_are_read_or_left_out(said: dict[str, str]) -> None:
    headers = tuple((f"x-codex-primary-{name}".encode(), value.encode()) for name, value in said.items())
    for window in read_quota(headers, 0.0):
        assert 0 <= window.remaining <= 1
