"""What is guessed of a request's length before the provider has counted."""

from isthmus.core.operations import Operation
from isthmus.dialects.table import CODECS
from isthmus.engine.estimate import MEDIA, estimate
from isthmus.wire import json


def guessed(content: object, **fields: object) -> int:
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": content}], **fields}
    return estimate(CODECS["anthropic", Operation.CHAT].read_request(json.encode(body)))


def test_four_characters_are_about_a_token() -> None:
    assert 1000 <= guessed("four" * 1000) <= 1010


def test_a_picture_counts_as_a_picture_and_not_by_its_bytes() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "A" * 400_000}
    assert MEDIA <= guessed([{"type": "image", "source": source}]) <= MEDIA + 10


def test_tools_count_with_their_schemas() -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string", "description": "word " * 400}}}
    with_tool = guessed("hi", tools=[{"name": "f", "description": "x" * 400, "input_schema": schema}])
    assert with_tool - guessed("hi") > 600
