"""Embeddings in every dialect: what is asked comes through or is declared, and no vector loses a bit on the way."""

import math
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from isthmus.core.embedding import EmbedReply, EmbedRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import UNKNOWN
from isthmus.core.usage import Usage
from isthmus.core.value import Extra
from isthmus.dialects.openai.embeddings import pack, unpack
from isthmus.dialects.table import EMBED_CODECS
from isthmus.wire import json
from isthmus.wire.json import Malformed

DIALECT = pytest.mark.parametrize("dialect", EMBED_CODECS)
SINGLE = frozenset({"gemini_single", "vertex_single", "bedrock_titan", "ollama_embeddings"})
"""Those that take one text by itself."""
SINGLES = st.floats(width=32, allow_nan=False, allow_infinity=False)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
OPENAI, GEMINI = EMBED_CODECS["openai"], EMBED_CODECS["gemini"]


def asked(dialect: str, **fields: object) -> EmbedRequest:
    """One text for the dialects that take one, else two."""
    inputs = ("the sea",) if dialect in SINGLE else ("the sea", "the shore")
    named = "" if EMBED_CODECS[dialect].model_in_path else "m-1"
    return replace(EmbedRequest(model=named, inputs=inputs, single=dialect in SINGLE), **fields)


def written(dialect: str, request: EmbedRequest) -> tuple[dict[str, object], list[tuple[str, str]]]:
    """The body, and the path and deed of each loss."""
    losses = Losses()
    body = EMBED_CODECS[dialect].write_request(request, UNKNOWN, losses)
    return json.decode(body), [(loss.path, loss.deed.value) for loss in losses.found]


def through(dialect: str, reply: EmbedReply, **fields: object) -> EmbedReply:
    """What is read of what is written."""
    codec = EMBED_CODECS[dialect]
    return codec.read_reply(codec.write_reply(reply, asked(dialect, **fields), Losses()))


def told(codec_reads: Callable[[bytes], object], body: bytes) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        codec_reads(body)
    return caught.value


@DIALECT
def test_what_is_asked_comes_back(dialect: str) -> None:
    task = None if dialect != "bedrock_cohere" else "retrieval_query"
    request = asked(dialect, task=task)
    losses = Losses()
    codec = EMBED_CODECS[dialect]
    read = codec.read_request(codec.write_request(request, UNKNOWN, losses))
    assert replace(read, extra=None) == request
    assert losses.found == []


@DIALECT
@given(values=st.lists(DOUBLES, min_size=1, max_size=5))
def test_no_number_changes_on_its_way_through_a_list(dialect: str, values: list[float]) -> None:
    assert through(dialect, EmbedReply(model="m-1", vectors=(tuple(values),))).vectors == (tuple(values),)


@given(values=st.lists(SINGLES, max_size=8))
def test_numbers_of_32_bits_are_exact_in_base64(values: list[float]) -> None:
    assert unpack(pack(values)) == tuple(values)


@given(values=st.lists(SINGLES, min_size=1, max_size=8))
def test_base64_that_was_read_and_is_written_to_base64_is_the_same_text(values: list[float]) -> None:
    text = pack(values)
    assert pack(through("openai", EmbedReply(model="m", vectors=(unpack(text),))).vectors[0]) == text


@given(values=st.lists(DOUBLES, min_size=1, max_size=8))
def test_a_number_of_64_bits_is_the_nearest_one_in_base64(values: list[float]) -> None:
    try:
        expected = tuple(struct.unpack("<f", struct.pack("<f", value))[0] for value in values)
    except OverflowError:
        with pytest.raises(GatewayError):
            pack(values)
    else:
        assert unpack(pack(values)) == expected


def test_base64_is_of_little_endian_floats() -> None:
    assert pack((1.0, -2.5)) == "AACAPwAAIMA="


@pytest.mark.parametrize("text", ["AACA", "not base64!", "AADAfw=="], ids=["cut", "no base64", "not a number"])
def test_what_is_no_vector_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        unpack(text)


@pytest.mark.parametrize(("base64", "kind"), [(True, str), (False, list), (None, list)])
def test_vectors_are_spelled_as_the_caller_asked(base64: bool | None, kind: type) -> None:
    body = OPENAI.write_reply(EmbedReply(model="m", vectors=((0.5,),)), asked("openai", base64=base64), Losses())
    (item,) = json.decode(body)["data"]
    assert isinstance(item["embedding"], kind)
    assert (item["object"], item["index"]) == ("embedding", 0)


def test_vectors_stand_in_the_order_of_the_inputs_whatever_their_order_in_the_answer() -> None:
    body = b'{"data":[{"index":1,"embedding":[2.0]},{"index":0,"embedding":[1.0]}],"model":"m"}'
    assert OPENAI.read_reply(body).vectors == ((1.0,), (2.0,))


@pytest.mark.parametrize(
    ("said", "inputs", "single"),
    [
        ('"a"', ("a",), True),
        ('["a"]', ("a",), False),
        ('["a","b"]', ("a", "b"), False),
        ("[1,2]", ((1, 2),), True),
        ("[[1,2],[3]]", ((1, 2), (3,)), False),
    ],
)
def test_every_form_of_input_is_read_and_written_alike(said: str, inputs: tuple[object, ...], single: bool) -> None:
    request = OPENAI.read_request(f'{{"model":"m","input":{said}}}'.encode())
    assert (request.inputs, request.single) == (inputs, single)
    assert written("openai", request)[0]["input"] == json.decode(said.encode())


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"input":"a"}', "model"),
        (b'{"model":"m"}', "input"),
        (b'{"model":"m","input":[]}', "input"),
        (b'{"model":"m","input":["a",1]}', "input"),
        (b'{"model":"m","input":[["a"]]}', "input"),
        (b'{"model":"m","input":7}', "input"),
        (b'{"model":"m","input":"a","encoding_format":"hex"}', "encoding_format"),
        (b'{"model":"m","input":"a","dimensions":"many"}', "dimensions"),
    ],
)
def test_a_request_that_cannot_be_read_names_the_field(body: bytes, param: str) -> None:
    error = told(OPENAI.read_request, body)
    assert (error.kind, error.param) == (Kind.INVALID, param)


@DIALECT
@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b'{"x":1}', b"\xff"])
def test_what_is_no_request_is_refused(dialect: str, body: bytes) -> None:
    assert told(EMBED_CODECS[dialect].read_request, body).kind is Kind.INVALID
    assert told(EMBED_CODECS[dialect].peek, body).kind is Kind.INVALID


@DIALECT
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"x":1}', b'{"data":7,"embedding":7,"embeddings":7}'])
def test_what_is_no_answer_is_garbled(dialect: str, body: bytes) -> None:
    assert told(EMBED_CODECS[dialect].read_reply, body).kind is Kind.GARBLED


def test_an_error_in_a_good_status_is_the_told_error() -> None:
    body = b'{"error":{"message":"no such model","type":"invalid_request_error","code":"model_not_found"}}'
    assert told(OPENAI.read_reply, body).kind is Kind.UNKNOWN_MODEL
    assert OPENAI.tap_reply is not None
    assert told(OPENAI.tap_reply, body.replace(b"{", b'{"data":null,', 1)).kind is Kind.UNKNOWN_MODEL


def test_the_usage_of_an_answer_is_had_without_reading_its_vectors() -> None:
    body = b'{"data":[{"embedding":"%%%"}],"usage":{"prompt_tokens":7,"total_tokens":7}}'
    assert OPENAI.tap_reply is not None
    usage = OPENAI.tap_reply(body)
    assert usage is not None
    assert usage.input == 7


@pytest.mark.parametrize("dialect", ["gemini", "gemini_single", "bedrock_titan", "bedrock_cohere"])
def test_tokens_are_told_to_nobody_else(dialect: str) -> None:
    request = replace(asked(dialect), inputs=((1, 2, 3),))
    error = told(lambda _: EMBED_CODECS[dialect].write_request(request, UNKNOWN, Losses()), b"")
    assert error.kind is Kind.UNSUPPORTED


@pytest.mark.parametrize("dialect", sorted(SINGLE - {"ollama_embeddings"}))
def test_one_text_by_itself_means_one(dialect: str) -> None:
    request = replace(asked(dialect), inputs=("a", "b"))
    assert told(lambda _: EMBED_CODECS[dialect].write_request(request, UNKNOWN, Losses()), b"").kind is Kind.INVALID


@pytest.mark.parametrize(
    ("dialect", "task", "said"),
    [
        ("gemini", "retrieval_query", "RETRIEVAL_QUERY"),
        ("gemini", "classification", "CLASSIFICATION"),
        ("bedrock_cohere", "retrieval_query", "search_query"),
        ("bedrock_cohere", "retrieval_document", "search_document"),
        ("bedrock_cohere", "clustering", "clustering"),
    ],
)
def test_what_vectors_are_for_is_said_in_each_dialects_word(dialect: str, task: str, said: str) -> None:
    body, losses = written(dialect, asked(dialect, task=task))
    words = [body.get("input_type"), *(one.get("taskType") for one in body.get("requests", ()))]
    assert said in words
    assert losses == []
    named = replace(asked(dialect, task=task), extra=None)
    assert EMBED_CODECS[dialect].read_request(json.encode(body)) == named


@pytest.mark.parametrize("dialect", ["openai", "bedrock_titan"])
def test_what_vectors_are_for_is_declared_where_nobody_can_be_told(dialect: str) -> None:
    assert written(dialect, asked(dialect, task="clustering"))[1] == [("task", "dropped")]


def test_a_model_that_must_be_told_what_for_is_told_the_usual() -> None:
    body, losses = written("bedrock_cohere", asked("bedrock_cohere"))
    assert body["input_type"] == "search_document"
    assert losses == [("task", "emulated")]


def test_an_unknown_use_is_told_as_the_usual_one() -> None:
    body, losses = written("bedrock_cohere", asked("bedrock_cohere", task="code_retrieval_query"))
    assert body["input_type"] == "search_document"
    assert losses == [("task", "rewritten")]


@DIALECT
def test_the_end_user_and_others_fields_are_told_or_declared(dialect: str) -> None:
    request = asked(dialect, end_user="reader-17", extra=Extra("another", {"truncate": json.raw("END")}))
    body, losses = written(dialect, request)
    assert ("truncate", "dropped") in losses
    assert body.get("user") == "reader-17" or ("end_user", "dropped") in losses


def test_a_batch_names_the_model_in_each_request() -> None:
    body, _ = written("gemini", replace(asked("gemini", dimensions=64), model="e-1"))
    assert body["requests"] == [
        {"model": "models/e-1", "content": {"parts": [{"text": text}]}, "outputDimensionality": 64}
        for text in ("the sea", "the shore")
    ]


def test_what_differs_between_the_requests_of_a_batch_is_kept_and_written_back() -> None:
    first = {"model": "models/e-1", "content": {"parts": [{"text": "a"}]}, "taskType": "RETRIEVAL_QUERY"}
    second = {"model": "models/e-1", "content": {"parts": [{"text": "b"}]}, "title": "B"}
    request = GEMINI.read_request(json.encode({"requests": [first, second]}))
    assert request.inputs == ("a", "b")
    assert written("gemini", replace(request, model="e-1"))[0] == {"requests": [first, second]}
    assert written("openai", replace(request, model="m"))[1] == [("requests", "dropped")]


def test_both_spellings_of_a_field_are_read() -> None:
    body = {"content": {"parts": [{"text": "a"}]}, "task_type": "CLUSTERING", "output_dimensionality": 8}
    request = EMBED_CODECS["gemini_single"].read_request(json.encode(body))
    assert (request.task, request.dimensions) == ("clustering", 8)


def test_a_picture_is_embedded_by_nobody_else() -> None:
    part = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    body = json.encode({"content": {"parts": [part]}})
    assert told(EMBED_CODECS["gemini_single"].read_request, body).kind is Kind.UNSUPPORTED


def test_coheres_vectors_are_read_under_their_type_too() -> None:
    by_type = b'{"embeddings":{"float":[[0.5,1.0]]},"response_type":"embeddings_by_type"}'
    assert EMBED_CODECS["bedrock_cohere"].read_reply(by_type).vectors == ((0.5, 1.0),)


@pytest.mark.parametrize("dialect", ["openai", "gemini", "gemini_single", "bedrock_titan"])
def test_what_was_counted_is_told(dialect: str) -> None:
    reply = through(dialect, EmbedReply(model="m", vectors=((0.5,),), usage=Usage(fresh_input=12)))
    assert reply.usage is not None
    assert reply.usage.input == 12


@given(texts=st.lists(TEXTS, min_size=1, max_size=3))
def test_any_text_is_asked_as_it_is(texts: list[str]) -> None:
    request = EmbedRequest(model="m", inputs=tuple(texts))
    assert OPENAI.read_request(OPENAI.write_request(request, UNKNOWN, Losses())).inputs == tuple(texts)
    assert GEMINI.read_request(GEMINI.write_request(request, UNKNOWN, Losses())).inputs == tuple(texts)


@DIALECT
def test_every_codec_says_how_many_inputs_it_takes(dialect: str) -> None:
    assert EMBED_CODECS[dialect].batch == 1 if dialect in SINGLE else EMBED_CODECS[dialect].batch > 1


def test_no_vector_becomes_another_kind_of_number() -> None:
    assert math.copysign(1.0, through("openai", EmbedReply(model="m", vectors=((-0.0,),))).vectors[0][0]) == -1.0
