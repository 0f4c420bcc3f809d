"""What is guessed of a request's length, and what providers' own counts teach about it."""

import re
from pathlib import Path

import pytest

import isthmus
from isthmus.core.chat import ChatRequest
from isthmus.core.content import MediaKind
from isthmus.core.operations import Operation
from isthmus.dialects.table import CODECS
from isthmus.engine.counting import LEAST, MOST, REMEMBERED, SHORT, Corrections, Counting, Estimated
from isthmus.engine.estimate import MEDIA, measure
from isthmus.engine.vocabulary import Vocabulary, roughly
from isthmus.wire import json

GPT, CLAUDE = "gpt-4o", "claude-sonnet-4-5"
NOTHING = "isthmus.no_such_package"


def request(content: object, **fields: object) -> ChatRequest:
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": content}], **fields}
    return CODECS["anthropic", Operation.CHAT].read_request(json.encode(body))


def guessed(content: object, model: str = GPT, **fields: object) -> int:
    return Counting(Vocabulary(NOTHING)).guess(request(content, **fields), model).tokens


def test_three_and_a_half_characters_are_about_a_token() -> None:
    assert 1142 <= guessed("four" * 1000) <= 1150


def test_a_picture_counts_as_a_picture_and_not_by_its_bytes() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "A" * 400_000}
    assert guessed([{"type": "image", "source": source}]) - guessed("") == MEDIA[MediaKind.IMAGE]


def test_tools_count_with_their_schemas() -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string", "description": "word " * 400}}}
    with_tool = guessed("hi", tools=[{"name": "f", "description": "x" * 400, "input_schema": schema}])
    assert with_tool - guessed("hi") > 600


def test_a_call_counts_with_its_arguments() -> None:
    call = {"type": "tool_use", "id": "c", "name": "look", "input": {"where": "a" * 350}}
    said = request("hi", messages=[{"role": "user", "content": "hi"}, {"role": "assistant", "content": [call]}])
    assert measure(said).texts == ["hi", "look", '{"where":"' + "a" * 350 + '"}']


def test_a_result_counts_with_all_its_parts() -> None:
    result = {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "found"}]}
    assert measure(request([result])).texts == ["found"]


def test_claude_makes_more_tokens_of_a_text_and_adds_words_about_tools() -> None:
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    assert guessed("word " * 1000, CLAUDE) > 1.15 * guessed("word " * 1000)
    assert guessed("hi", CLAUDE, tools=tools) - guessed("hi", tools=tools) > 500


async def test_without_a_vocabulary_characters_are_counted() -> None:
    counting, asked = Counting(Vocabulary(NOTHING)), request("four" * 1000)
    assert await counting.count(asked, GPT) == counting.guess(asked, GPT).tokens


async def test_a_count_is_never_nothing() -> None:
    empty = ChatRequest(model="m", messages=())
    assert await Counting(Vocabulary(NOTHING)).count(empty, GPT) >= 1


def test_a_text_that_no_vocabulary_can_be_told_is_counted_by_characters() -> None:
    pytest.importorskip("toktok")
    assert Vocabulary().count(["\ud800" * 35]) == roughly(["\ud800" * 35]) == 10


def test_the_vocabulary_counts_as_openai_does() -> None:
    pytest.importorskip("toktok")
    vocabulary = Vocabulary()
    assert vocabulary.count(["hello world"]) == 2
    assert vocabulary.count(["hello", " world", ""]) == 2
    assert vocabulary.exact


async def test_what_is_known_of_the_vocabulary_is_used_for_short_guesses_too() -> None:
    pytest.importorskip("toktok")
    counting, asked = Counting(), request("hello world")
    assert not counting.guess(asked, GPT).exact
    counted = await counting.count(asked, GPT)
    assert counting.guess(asked, GPT) == Estimated(counted, exact=True)


async def test_a_long_text_is_counted_beside_the_loop_and_alike() -> None:
    pytest.importorskip("toktok")
    counting = Counting()
    short, long = request("hello world " * 1000), request("hello world " * 10_000)
    few, many = await counting.count(short, GPT), await counting.count(long, GPT)
    assert many == pytest.approx(10 * few, rel=0.01)


def test_what_a_provider_counted_corrects_the_next_estimate() -> None:
    counting, said = Counting(Vocabulary(NOTHING)), Estimated(1000, exact=False)
    counting.learn(GPT, said, 1200)
    assert counting.corrected(said, GPT) == 1200


def test_a_correction_belongs_to_one_model_and_one_way_of_counting() -> None:
    counting = Counting(Vocabulary(NOTHING))
    counting.learn(GPT, Estimated(1000, exact=False), 1200)
    assert counting.corrected(Estimated(1000, exact=False), CLAUDE) == 1000
    assert counting.corrected(Estimated(1000, exact=True), GPT) == 1000


def test_one_answer_does_not_outweigh_all_before_it() -> None:
    corrections = Corrections()
    for _ in range(50):
        corrections.learn(GPT, 1000, 1000)
    corrections.learn(GPT, 1000, 2000)
    assert 1.0 < corrections.of(GPT) < 1.2


@pytest.mark.parametrize(("counted", "ratio"), [(1_000_000, MOST), (60, LEAST)])
def test_a_correction_is_bounded(counted: int, ratio: float) -> None:
    corrections = Corrections()
    corrections.learn(GPT, 1000, counted)
    assert corrections.of(GPT) == ratio


def test_a_short_request_teaches_nothing() -> None:
    corrections = Corrections()
    corrections.learn(GPT, SHORT - 1, 500)
    corrections.learn(GPT, 500, 0)
    assert len(corrections) == 0


def test_the_models_that_are_remembered_are_bounded_in_number() -> None:
    corrections = Corrections()
    for number in range(REMEMBERED + 10):
        corrections.learn(f"m-{number}", 1000, 1500)
    assert len(corrections) == REMEMBERED
    assert corrections.of("m-0") == 1.0
    assert corrections.of(f"m-{REMEMBERED + 9}") == 1.5


def test_the_vocabulary_has_one_door() -> None:
    source = Path(isthmus.__file__).parent
    doors = [path.name for path in source.rglob("*.py") if re.search(r"\btoktok\b(?!-rs)", path.read_text())]
    assert doors == ["vocabulary.py"]
