"""In every dialect a refusal may name the time in its words, and some name it in a field of their own."""

import pytest

from isthmus.core.errors import Kind
from isthmus.core.operations import Operation
from isthmus.dialects.table import CODECS
from isthmus.wire import json

WORDS = "Rate limit reached. Please try again in 6m20s."
BODIES = {
    "openai_chat": {"error": {"message": WORDS, "type": "tokens", "code": "rate_limit_exceeded"}},
    "openai_responses": {"error": {"message": WORDS, "type": "tokens", "code": "rate_limit_exceeded"}},
    "anthropic": {"type": "error", "error": {"type": "rate_limit_error", "message": WORDS}},
    "gemini": {"error": {"code": 429, "message": WORDS, "status": "RESOURCE_EXHAUSTED"}},
    "ollama": {"error": WORDS},
    "bedrock": {"__type": "ThrottlingException", "message": WORDS},
}
EACH = pytest.mark.parametrize("dialect", list(BODIES))


@EACH
def test_a_time_in_the_words_is_a_hint(dialect: str) -> None:
    error = CODECS[dialect, Operation.CHAT].read_error(429, (), json.encode(BODIES[dialect]))
    assert (error.kind, error.retry_after) == (Kind.UPSTREAM_LIMITED, 380.0)


@EACH
def test_a_header_outranks_the_words(dialect: str) -> None:
    error = CODECS[dialect, Operation.CHAT].read_error(429, ((b"retry-after", b"7"),), json.encode(BODIES[dialect]))
    assert error.retry_after == 7.0


def test_words_of_a_refusal_that_will_not_pass_are_no_hint() -> None:
    body = {"error": {"message": "the file is not there: wait 5 minutes", "type": "invalid_request_error"}}
    assert CODECS["openai_chat", Operation.CHAT].read_error(400, (), json.encode(body)).retry_after is None


def test_the_quota_of_an_account_tells_its_reset_among_the_details() -> None:
    told = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "RATE_LIMIT_EXCEEDED",
        "metadata": {"quotaResetDelay": "5h4m3s", "model": "m"},
    }
    body = {"error": {"code": 429, "message": "No capacity.", "status": "RESOURCE_EXHAUSTED", "details": [told]}}
    assert CODECS["gemini", Operation.CHAT].read_error(429, (), json.encode(body)).retry_after == 18_243.0
