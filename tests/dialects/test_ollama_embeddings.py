"""Embeddings as Ollama asks for them and tells them, in the newer way and in the older."""

from typing import Any

import pytest
from msgspec import Raw

from isthmus.core.embedding import EmbedReply, EmbedRequest
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import Losses
from isthmus.core.profile import UNKNOWN
from isthmus.core.usage import Usage
from isthmus.core.value import Extra
from isthmus.dialects.codec import EmbedCodec
from isthmus.dialects.ollama.embed import CODEC, SINGLE
from isthmus.wire import json

BOTH = pytest.mark.parametrize("codec", [CODEC, SINGLE], ids=["embed", "embeddings"])


def written(codec: EmbedCodec, request: EmbedRequest) -> tuple[Any, list[str]]:
    losses = Losses()
    return json.decode(codec.write_request(request, UNKNOWN, losses)), [loss.path for loss in losses.found]


@pytest.mark.parametrize(
    ("said", "inputs", "single"), [("a", ("a",), True), (["a", "b"], ("a", "b"), False), ([], (), False)]
)
def test_one_text_or_several(said: Any, inputs: tuple[str, ...], *, single: bool) -> None:
    body = {"model": "m", "input": said}
    request = CODEC.read_request(json.encode(body))
    assert request == EmbedRequest(model="m", inputs=inputs, single=single)
    assert written(CODEC, request) == (body, [])


def test_the_older_way_takes_one_text() -> None:
    body = {"model": "m", "prompt": "a"}
    request = SINGLE.read_request(json.encode(body))
    assert request == EmbedRequest(model="m", inputs=("a",), single=True)
    assert written(SINGLE, request) == (body, [])
    assert SINGLE.batch == 1


@BOTH
def test_what_only_ollama_knows_comes_back(codec: EmbedCodec) -> None:
    body = {"model": "m", "input": "a", "prompt": "a", "truncate": False, "options": {"num_ctx": 9}, "keep_alive": "5m"}
    del body["prompt" if codec is CODEC else "input"]
    assert written(codec, codec.read_request(json.encode(body))) == (body, [])


def test_the_length_of_a_vector_can_be_chosen_in_the_newer_way_only() -> None:
    request = EmbedRequest(model="m", inputs=("a",), dimensions=256, single=True)
    assert written(CODEC, request) == ({"model": "m", "input": "a", "dimensions": 256}, [])
    assert written(SINGLE, request) == ({"model": "m", "prompt": "a"}, ["dimensions"])


@BOTH
def test_what_ollama_has_no_word_for_is_told(codec: EmbedCodec) -> None:
    extra = Extra("openai", {"novel": Raw(b"1")})
    request = EmbedRequest(model="m", inputs=("a",), task="clustering", end_user="ida", single=True, extra=extra)
    assert written(codec, request)[1] == ["task", "end_user", "novel"]


@BOTH
def test_tokens_are_refused(codec: EmbedCodec) -> None:
    with pytest.raises(GatewayError) as caught:
        codec.write_request(EmbedRequest(model="m", inputs=((1, 2),)), UNKNOWN, Losses())
    assert (caught.value.kind, caught.value.param) == (Kind.UNSUPPORTED, "input[0]")


@BOTH
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"model":7,"input":"a"}'])
def test_a_request_that_cannot_be_read_is_refused(codec: EmbedCodec, body: bytes) -> None:
    for read in (codec.peek, codec.read_request):
        with pytest.raises(GatewayError) as caught:
            read(body)
        assert caught.value.kind is Kind.INVALID


@BOTH
def test_an_embedding_never_streams(codec: EmbedCodec) -> None:
    assert codec.peek(b'{"model":"m","input":"a"}').stream is False


def test_an_answer_comes_back_as_it_was() -> None:
    body = {
        "model": "m",
        "embeddings": [[0.010071029, -0.0017594862], [1.0, 0.5]],
        "total_duration": 14143917,
        "load_duration": 1019500,
        "prompt_eval_count": 8,
    }
    reply = CODEC.read_reply(json.encode(body))
    assert reply.vectors == ((0.010071029, -0.0017594862), (1.0, 0.5))
    assert reply.usage is not None
    assert reply.usage.input == 8
    assert json.decode(CODEC.write_reply(reply, EmbedRequest(model="m", inputs=("a", "b")), Losses())) == body


def test_an_answer_of_another_dialect_has_counts_and_times() -> None:
    reply = EmbedReply(model="m", vectors=((0.5,),), usage=Usage(3))
    assert json.decode(CODEC.write_reply(reply, EmbedRequest(model="m", inputs=("a",)), Losses())) == {
        "model": "m",
        "embeddings": [[0.5]],
        "total_duration": 0,
        "load_duration": 0,
        "prompt_eval_count": 3,
    }


def test_the_older_answer_is_a_vector_and_nothing_else() -> None:
    reply = SINGLE.read_reply(b'{"embedding":[0.5,1]}')
    assert reply == EmbedReply(model="", vectors=((0.5, 1.0),))
    told = SINGLE.write_reply(reply, EmbedRequest(model="m", inputs=("a",), single=True), Losses())
    assert json.decode(told) == {"embedding": [0.5, 1.0]}


@BOTH
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"embeddings":[["x"]],"embedding":"x"}', b"<html>"])
def test_what_holds_no_vectors_is_garbled(codec: EmbedCodec, body: bytes) -> None:
    with pytest.raises(GatewayError) as caught:
        codec.read_reply(body)
    assert caught.value.kind is Kind.GARBLED


@BOTH
def test_an_error_under_a_good_status_is_told(codec: EmbedCodec) -> None:
    with pytest.raises(GatewayError) as caught:
        codec.read_reply(b'{"error":"model \'m\' not found"}')
    assert caught.value.kind is Kind.UNKNOWN_MODEL
