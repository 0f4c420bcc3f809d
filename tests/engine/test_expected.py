"""What a request is expected to come to, before anybody has counted it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.core.operations import Operation
from isthmus.core.usage import Usage
from isthmus.dialects.table import CODECS
from isthmus.engine.expected import LONG, LOOKS, MEDIA, OUTPUT, SHORT, Expectations, output_bound, tokens_of

TEXT = b'{"model":"m","messages":[{"role":"user","content":"%b"}]}'
PICTURE = b"iVBORw0KGgo" * 10_000


def test_a_text_has_a_token_for_every_four_bytes() -> None:
    body = TEXT % (b"word " * 1000)
    assert tokens_of(body) == len(body) // 4


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,%b"}}]}]}',
        b'{"messages":[{"content":[{"type":"image","source":{"type":"base64","data":"%b"}}]}]}',
        b'{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data": "%b"}}]}]}',
        b'{"messages":[{"role":"user","content":"what is it?","images":["%b"]}]}',
    ],
)
def test_a_picture_counts_as_one_however_large_it_is(body: bytes) -> None:
    assert tokens_of(body % PICTURE) == (len(body) - 2) // 4 + MEDIA


def test_a_word_called_data_is_no_file() -> None:
    body = b'{"data":"short","more":{"data":{"x":1}}}'
    assert tokens_of(body) == len(body) // 4


def test_of_several_pictures_in_a_list_each_counts() -> None:
    body = b'{"messages":[{"role":"user","content":"compare","images":["%b", "%b","%b"]}]}'
    assert tokens_of(body % (PICTURE, PICTURE, PICTURE)) == (len(body) - 6) // 4 + 3 * MEDIA


@pytest.mark.parametrize(
    "body", [b'{"thinking":"hm","signature":"%b"}', b'{"content":"decode this: %b"}', b'{"content":"no end of it: %b']
)
def test_base64_that_is_said_to_be_no_file_is_text(body: bytes) -> None:
    body %= PICTURE
    assert tokens_of(body) == len(body) // 4


def test_a_long_word_just_before_a_file_is_no_part_of_it() -> None:
    body = b'{"id":"%b","url":"data:image/png;base64,%b"}'
    told = body % (b"x" * 600, PICTURE)
    for blank in range(0, 6000, 50):  # so that some look falls on the word
        assert tokens_of(b" " * blank + told) == (blank + len(body) + 596) // 4 + MEDIA


def test_a_picture_whose_slashes_are_escaped_is_one() -> None:
    body = b'{"data":"%b"}'
    assert tokens_of(body % (rb"iVBOR\/w0KGgo" * 1000)) == (len(body) - 2) // 4 + MEDIA


PARTS = st.lists(st.tuples(st.booleans(), st.integers(min_value=1, max_value=40_000)), min_size=1, max_size=12)


@given(parts=PARTS)
def test_a_file_is_found_wherever_it_stands_unless_it_is_a_small_part(parts: list[tuple[bool, int]]) -> None:
    told = [b'{"data":"%b"}' % (b"A" * size) if file else b'{"text":"%b"}' % (b"word " * size) for file, size in parts]
    body = b'{"parts":[%b]}' % b",".join(told)
    files = [size for file, size in parts if file]
    found = [size for size in files if size > len(body) // LOOKS + 2 * LONG]
    least = (len(body) - sum(files)) // 4 + MEDIA * len(found)
    most = (len(body) - sum(found)) // 4 + MEDIA * len(files)
    assert len(body) <= SHORT or least <= tokens_of(body) <= most


def test_a_file_that_is_cut_off_is_one_all_the_same() -> None:
    assert tokens_of(b'{"data":"' + PICTURE) == MEDIA + 2


@pytest.mark.parametrize(
    "field", ["max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "maxTokens", "num_predict"]
)
def test_the_bound_of_the_answer_is_found_in_every_dialect(field: str) -> None:
    assert output_bound(b'{"model":"m","%b" : 20}' % field.encode()) == 20


@pytest.mark.parametrize(
    "body", [b'{"max_tokens":null}', b'{"content":"\\"max_tokens\\": 5"}', b"{}", b'{"max_tokens":']
)
def test_what_says_nothing_of_a_bound_has_none(body: bytes) -> None:
    assert output_bound(body) is None


TALK = '"messages":[{"role":"user","content":"hi"}]'
BOUNDS = [
    ("openai_chat", TALK, "max_tokens"),
    ("openai_chat", TALK, "max_completion_tokens"),
    ("openai_responses", '"input":"hi"', "max_output_tokens"),
    ("openai_completions", '"prompt":"hi"', "max_tokens"),
    ("anthropic", TALK, "max_tokens"),
]
"""What these dialects' requests must have, and what bounds an answer of theirs."""


@pytest.mark.parametrize(("dialect", "more", "field"), BOUNDS)
def test_a_bound_that_was_read_before_is_not_looked_for_again(dialect: str, more: str, field: str) -> None:
    body = f'{{"model":"m",{more},"{field}":20}}'.encode()
    peek = CODECS[dialect, Operation.CHAT].peek(body)
    assert peek.bound == 20
    assert Expectations().of(b"", "m", peek).output == 20


@pytest.mark.parametrize(("dialect", "more", "field"), BOUNDS)
@pytest.mark.parametrize(("said", "output"), [("-1", OUTPUT), ("null", OUTPUT), ('"20"', OUTPUT), ("20.0", 20)])
def test_what_bounds_nothing_is_no_fault(dialect: str, more: str, field: str, said: str, output: int) -> None:
    """Whether it is to be refused is for the provider to say."""
    body = f'{{"model":"m",{more},"{field}":{said}}}'.encode()
    assert Expectations().of(body, "m", CODECS[dialect, Operation.CHAT].peek(body)).output == output


def test_an_unknown_model_is_expected_to_say_something() -> None:
    assert Expectations().of(TEXT, "m").output == OUTPUT
    assert Expectations().of(TEXT[:-1] + b',"max_tokens":7}', "m").output == 7


def test_what_answers_came_to_is_learnt_of_each_model() -> None:
    expectations = Expectations()
    body = TEXT % (b"word " * 1000)
    before = expectations.of(body, "m")
    for _ in range(50):
        expectations.learn("m", before, Usage(fresh_input=before.measured * 3 // 2, output=90, reasoning=10))
    after = expectations.of(body, "m")
    assert (after.input, after.output) == (round(before.measured * 1.5), 100)
    assert expectations.of(body, "other").output == OUTPUT


def test_a_long_body_is_looked_at_near_its_ends_only() -> None:
    long = b"x" * 20_000
    assert output_bound(b'{"max_tokens": 7, "messages": "' + long + b'"}') == 7
    assert output_bound(b'{"messages": "' + long + b'", "max_tokens": 7}') == 7
    assert output_bound(b'{"a": "' + long + b'", "max_tokens": 7, "b": "' + long + b'"}') is None
