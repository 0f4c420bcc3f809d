"""What usage tells beyond its counts, in each dialect's own words."""

import pytest
from msgspec import Raw

from isthmus.core.usage import NO_DETAIL, Usage, UsageDetail
from isthmus.core.value import Foreign
from isthmus.dialects.bills import detail_of
from isthmus.wire import json


def told(dialect: str, body: bytes) -> UsageDetail:
    return detail_of(Usage(native=Foreign(dialect, Raw(body))))


def rows(**counts: int) -> list[dict[str, object]]:
    return [{"modality": modality, "tokenCount": count} for modality, count in counts.items()]


@pytest.mark.parametrize(
    ("dialect", "usage", "detail"),
    [
        (
            "anthropic",
            {"cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5}},
            UsageDetail(cache_write_hour=5),
        ),
        (
            "openai_chat",
            {"prompt_tokens_details": {"audio_tokens": 2}, "completion_tokens_details": {"audio_tokens": 3}},
            UsageDetail(audio_input=2, audio_output=3),
        ),
        ("openai_responses", {"input_tokens_details": {"audio_tokens": 2}}, UsageDetail(audio_input=2)),
        (
            "gemini",
            {"promptTokensDetails": rows(TEXT=1, AUDIO=2, IMAGE=3), "candidatesTokensDetails": rows(IMAGE=4)},
            UsageDetail(audio_input=2, image_input=3, image_output=4),
        ),
        (
            "bedrock",
            {"cacheDetails": [{"ttl": "5m", "inputTokens": 1}, {"ttl": "1h", "inputTokens": 2}]},
            UsageDetail(cache_write_hour=2),
        ),
        ("ollama", {"eval_count": 3}, NO_DETAIL),
    ],
)
def test_a_dialects_own_object_tells_more(dialect: str, usage: object, detail: UsageDetail) -> None:
    assert told(dialect, json.encode(usage)) == detail


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"7", b'{"cache_creation":3}', b'{"cache_creation":{"ephemeral_1h_input_tokens":"5"}}']
)
def test_what_is_not_understood_is_nought(body: bytes) -> None:
    assert told("anthropic", body) == NO_DETAIL


@pytest.mark.parametrize("body", [b'{"promptTokensDetails":{}}', b'{"promptTokensDetails":[7,null,{}]}'])
def test_rows_that_are_none_are_nought(body: bytes) -> None:
    assert told("gemini", body) == NO_DETAIL


def test_without_an_object_nothing_more_is_told() -> None:
    assert detail_of(Usage(fresh_input=5)) == NO_DETAIL
