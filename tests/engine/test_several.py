"""A list of prompts for a provider that takes one at a time."""

from fakes.transport import SSE, Scripted
from isthmus.engine.several import MOST
from isthmus.wire import json
from support.line import Line, provider


def answer(text: str) -> Scripted:
    return Scripted(
        b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"%b"}],'
        b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":2}}' % text.encode()
    )


def asked(*prompts: str, **more: object) -> bytes:
    return json.encode({"model": "m", "max_tokens": 9, "prompt": list(prompts), **more})


def line(*answers: Scripted) -> Line:
    return Line([provider("one", "anthropic")], {"one": list(answers)})


async def test_every_prompt_is_answered_in_its_place() -> None:
    made = line(answer("one"), answer("two"))
    status, _, body = await made.ask(asked("Say one.", "Say two."), "openai_completions")
    told = json.decode(body)
    assert status == 200
    assert [(choice["index"], choice["text"]) for choice in told["choices"]] == [(0, "one"), (1, "two")]
    assert told["usage"] == {"prompt_tokens": 6, "completion_tokens": 4, "total_tokens": 10}
    assert told["id"].startswith("cmpl-")
    said = [json.decode(sent.body)["messages"][0]["content"] for sent in made.transport.sent]
    assert said == ["Say one.", "Say two."]


async def test_a_stream_of_them_names_each_choice() -> None:
    _, headers, body = await line(answer("one"), answer("two")).ask(
        asked("Say one.", "Say two.", stream=True), "openai_completions"
    )
    chunks = [json.decode(piece[6:]) for piece in body.split(b"\n\n") if piece.startswith(b"data: {")]
    texts = {0: "", 1: ""}
    for chunk in chunks:
        for choice in chunk["choices"]:
            texts[choice["index"]] += choice["text"]
    assert dict(headers)[b"content-type"].startswith(SSE[0][1])
    assert texts == {0: "one", 1: "two"}
    assert body.endswith(b"data: [DONE]\n\n")


async def test_one_that_fails_fails_all() -> None:
    refused = Scripted(b'{"type":"error","error":{"type":"invalid_request_error","message":"no"}}', status=400)
    status, _, body = await line(answer("one"), refused).ask(asked("a", "b"), "openai_completions")
    assert status == 400
    assert "no" in json.decode(body)["error"]["message"]


async def test_there_is_a_bound_to_the_prompts() -> None:
    status, _, body = await line().ask(asked(*["a"] * (MOST + 1)), "openai_completions")
    assert status == 400
    assert "at most 64" in json.decode(body)["error"]["message"]


async def test_losses_are_refused_before_anything_is_sent() -> None:
    made = line()
    status, _, _ = await made.ask(asked("a", "b", seed=7), "openai_completions", ((b"x-isthmus-on-loss", b"refuse"),))
    assert (status, made.transport.sent) == (400, [])
