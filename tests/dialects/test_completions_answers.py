"""Completions as answers: whole and streamed, with the prompt in front, with log probabilities, several at once."""

import pytest
from msgspec.structs import replace
from openai._models import construct_type
from openai.types import Completion

from isthmus.core.chat import ChatRequest
from isthmus.core.content import Reasoning, Refusal, Text, ToolCall
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.events import StreamError
from isthmus.core.fold import fold, unfold
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.usage import Usage
from isthmus.core.value import Foreign
from isthmus.dialects.codec import ReplyHead
from isthmus.dialects.table import CODECS
from isthmus.wire import json
from support.streams import events_of, pieces_of, stream_of, tapped

COMPLETIONS, CHAT = CODECS["openai_completions", Operation.CHAT], CODECS["openai_chat", Operation.CHAT]
ASKED = ChatRequest(model="m", messages=())
REPLY = ChatReply(
    id="chatcmpl-7",
    model="m",
    candidates=(Candidate((Text(" a time"),), Finish(Reason.STOP)),),
    usage=Usage(fresh_input=3, output=2),
    created=1_700_000_000,
)
LEGACY = {
    "tokens": [" a", " time"],
    "token_logprobs": [-0.5, -0.25],
    "top_logprobs": [{" a": -0.5, " the": -1.0}, {" time": -0.25}],
    "text_offset": [9, 11],
}


def said(text: str) -> Candidate:
    return Candidate((Text(text),), Finish(Reason.STOP))


def asked(**fields: object) -> ChatRequest:
    return COMPLETIONS.read_request(json.encode({"model": "m", "prompt": "Once upon", **fields}))


def echoing(reply: ChatReply, **fields: object) -> ChatReply:
    """As the engine answers that request."""
    assert COMPLETIONS.echo is not None
    return replace(reply, echo=COMPLETIONS.echo(asked(**fields)))


def written(reply: ChatReply) -> tuple[Completion, list[tuple[str, str]]]:
    """As OpenAI's own SDK reads it, strictly; and the losses."""
    losses = Losses()
    body = COMPLETIONS.write_reply(reply, losses)
    found = [(loss.path, loss.deed.value) for loss in losses.found]
    return Completion.model_validate(json.decode(body), strict=True), found


def streamed(reply: ChatReply) -> tuple[list[Completion], list[tuple[str, str]]]:
    losses = Losses()
    head = ReplyHead(model=reply.model, created=1, echo=reply.echo)
    body = stream_of(COMPLETIONS, head, unfold(reply), losses)
    assert body.endswith(b"data: [DONE]\n\n")
    frames = [line.removeprefix(b"data: ") for line in body.split(b"\n\n")[:-2]]
    found = [(loss.path, loss.deed.value) for loss in losses.found]
    return [_as_the_sdk_does(json.decode(frame)) for frame in frames], found


def _as_the_sdk_does(chunk: object) -> Completion:
    """Its types want a reason to stop in every chunk, where there is none; so it does not hold chunks to them."""
    built = construct_type(type_=Completion, value=chunk)
    assert isinstance(built, Completion)
    return built


def texts_of(chunks: list[Completion]) -> dict[int, str]:
    texts: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + choice.text
    return texts


def test_a_chats_answer_is_a_completion() -> None:
    answer, losses = written(REPLY)
    assert (answer.id, answer.object, answer.created) == ("cmpl-7", "text_completion", 1_700_000_000)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == (" a time", "stop")
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5
    assert losses == []


def test_an_answer_without_words_has_a_text_all_the_same() -> None:
    silent = replace(REPLY, candidates=(Candidate((), Finish(Reason.LENGTH)),))
    assert written(silent)[0].choices[0].text == ""
    assert all(isinstance(choice.text, str) for chunk in streamed(silent)[0] for choice in chunk.choices)


def test_the_prompt_is_put_in_front_where_the_caller_wants_it() -> None:
    reply = echoing(REPLY, echo=True)
    answer, losses = written(reply)
    assert answer.choices[0].text == "Once upon a time"
    assert losses == [("echo", "emulated")]
    chunks, streamed_losses = streamed(reply)
    assert texts_of(chunks) == {0: "Once upon a time"}
    assert streamed_losses == losses


def test_the_prompt_is_not_repeated_where_nobody_asked() -> None:
    assert written(echoing(REPLY))[0].choices[0].text == " a time"
    assert written(echoing(REPLY, echo=False))[0].choices[0].text == " a time"


def test_the_prompt_is_not_repeated_twice() -> None:
    """A provider of this dialect has put it in front itself."""
    body = COMPLETIONS.write_reply(replace(REPLY, candidates=(said("Once upon a time"),)), Losses())
    reply = echoing(COMPLETIONS.read_reply(body), echo=True)
    assert written(reply)[0].choices[0].text == "Once upon a time"
    assert texts_of(streamed(reply)[0]) == {0: "Once upon a time"}


def test_each_prompt_stands_in_front_of_its_own_choices() -> None:
    answers = tuple(said(f"{number}") for number in range(4))
    reply = echoing(replace(REPLY, candidates=answers), prompt=["a", "b"], n=2, echo=True)
    assert [choice.text for choice in written(reply)[0].choices] == ["a0", "a1", "b2", "b3"]
    assert texts_of(streamed(reply)[0]) == {0: "a0", 1: "a1", 2: "b2", 3: "b3"}


def test_the_answers_to_several_prompts_are_one() -> None:
    assert COMPLETIONS.join is not None
    second = replace(REPLY, id="chatcmpl-8", candidates=(said("b"), said("c")))
    joined = COMPLETIONS.join([REPLY, second])
    assert [choice.text for choice in written(joined)[0].choices] == [" a time", "b", "c"]
    assert [choice.index for choice in written(joined)[0].choices] == [0, 1, 2]
    assert joined.usage == Usage(fresh_input=6, output=4)
    assert joined.id == REPLY.id


def test_one_answer_is_joined_to_nothing() -> None:
    assert COMPLETIONS.join is not None
    assert COMPLETIONS.join([REPLY]) is REPLY


def test_log_probabilities_are_read_into_those_of_a_chat() -> None:
    choice = {"text": " a time", "index": 0, "logprobs": LEGACY, "finish_reason": "stop"}
    reply = COMPLETIONS.read_reply(json.encode({"id": "cmpl-1", "choices": [choice]}))
    chat = json.decode(CHAT.write_reply(reply, losses := Losses()))
    assert chat["choices"][0]["logprobs"]["content"][0] == {
        "token": " a",
        "logprob": -0.5,
        "bytes": [32, 97],
        "top_logprobs": [
            {"token": " a", "logprob": -0.5, "bytes": [32, 97]},
            {"token": " the", "logprob": -1.0, "bytes": [32, 116, 104, 101]},
        ],
    }
    assert losses.found == []
    assert json.decode(COMPLETIONS.write_reply(reply, Losses()))["choices"][0]["logprobs"] == LEGACY


def test_a_chats_log_probabilities_are_told_in_four_lists_behind_the_prompt() -> None:
    content = [
        {"token": token, "logprob": one, "bytes": None, "top_logprobs": [{"token": t, "logprob": p} for t, p in top]}
        for token, one, top in ((" a", -0.5, [(" a", -0.5), (" the", -1.0)]), (" time", -0.25, [(" time", -0.25)]))
    ]
    told = Foreign("openai_chat", json.raw({"content": content, "refusal": None}))
    reply = echoing(replace(REPLY, candidates=(replace(REPLY.candidates[0], logprobs=told),)), logprobs=2)
    answer, losses = written(reply)
    assert answer.choices[0].logprobs is not None
    assert answer.choices[0].logprobs.model_dump() == LEGACY
    assert losses == []
    weighed = [choice.logprobs for chunk in streamed(reply)[0] for choice in chunk.choices if choice.logprobs]
    assert [one.model_dump() for one in weighed] == [LEGACY]


def test_a_probability_that_nobody_knows_is_null_here_and_a_very_small_one_there() -> None:
    lists = {**LEGACY, "token_logprobs": [None, -0.25], "top_logprobs": [None, {}]}
    choice = {"text": "x", "index": 0, "logprobs": lists, "finish_reason": "stop"}
    reply = COMPLETIONS.read_reply(json.encode({"id": "cmpl-1", "choices": [choice]}))
    assert reply.candidates[0].logprobs is not None
    assert json.decode(reply.candidates[0].logprobs.body)["content"][0]["logprob"] == -9999.0


def test_lists_that_do_not_match_are_kept_for_this_dialect_alone() -> None:
    lists = {**LEGACY, "tokens": ["one"]}
    choice = {"text": "x", "index": 0, "logprobs": lists, "finish_reason": "stop"}
    reply = COMPLETIONS.read_reply(json.encode({"id": "cmpl-1", "choices": [choice]}))
    assert reply.candidates[0].logprobs is None
    assert json.decode(COMPLETIONS.write_reply(reply, Losses()))["choices"][0]["logprobs"] == lists


def test_the_lists_of_a_stream_are_joined() -> None:
    def chunk(token: str, offset: int) -> bytes:
        lists = {"tokens": [token], "token_logprobs": [-0.5], "top_logprobs": [{token: -0.5}], "text_offset": [offset]}
        choice = {"text": token, "index": 0, "logprobs": lists, "finish_reason": "stop" if offset else None}
        return b"data: " + json.encode({"id": "cmpl-1", "model": "m", "choices": [choice]}) + b"\n\n"

    stream = chunk("a", 0) + chunk("b", 1) + b"data: [DONE]\n\n"
    reply = fold(events_of(COMPLETIONS, [stream]))
    assert reply.candidates[0].logprobs is not None
    assert [one["token"] for one in json.decode(reply.candidates[0].logprobs.body)["content"]] == ["a", "b"]


def test_what_no_text_holds_is_declared_whole_and_streamed() -> None:
    parts = (Reasoning("hm"), Text("a"), ToolCall("c", "look", "{}"), Refusal("no"))
    reply = replace(REPLY, candidates=(Candidate(parts, Finish(Reason.TOOL_CALLS)),))
    answer, losses = written(reply)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("ano", "stop")
    assert losses == [
        ("candidates[0].parts[0]", "dropped"),
        ("candidates[0].parts[2]", "dropped"),
        ("candidates[0].parts[3]", "rewritten"),
        ("candidates[0].finish", "rewritten"),
    ]
    chunks, streamed_losses = streamed(reply)
    assert texts_of(chunks) == {0: "ano"}
    assert {deed for _, deed in streamed_losses} == {"dropped", "rewritten"}


def test_a_word_of_vllms_is_kept() -> None:
    choice = {"text": "x", "index": 0, "logprobs": None, "finish_reason": "stop", "stop_reason": "\n"}
    body = json.encode({"id": "cmpl-1", "choices": [choice]})
    assert json.decode(COMPLETIONS.write_reply(COMPLETIONS.read_reply(body), Losses()))["choices"] == [choice]
    stream = b"data: " + json.encode({"id": "cmpl-1", "choices": [choice]}) + b"\n\ndata: [DONE]\n\n"
    assert fold(events_of(COMPLETIONS, [stream])).candidates[0].extra is not None


def test_an_error_in_a_good_status_is_the_told_error() -> None:
    body = b'{"error":{"message":"busy","type":"server_error","code":"overloaded"}}'
    for read in (COMPLETIONS.read_reply, COMPLETIONS.tap_reply):
        with pytest.raises(GatewayError) as caught:
            read(body)
        assert caught.value.kind is Kind.OVERLOADED


def test_a_stream_that_stops_in_the_middle_is_cut_short() -> None:
    stream = b'data: {"id":"cmpl-1","choices":[{"text":"a","index":0,"finish_reason":null}]}\n\n'
    last = events_of(COMPLETIONS, [stream])[-1]
    assert isinstance(last, StreamError)
    assert last.error.kind is Kind.CUT_SHORT
    assert not tapped(COMPLETIONS.tap(False), [stream]).complete


@pytest.mark.parametrize("size", [1, 7, 64, 4096])
def test_a_tap_takes_out_usage_that_nobody_asked_for(size: int) -> None:
    head = ReplyHead(model="m", created=1)
    shown = stream_of(COMPLETIONS, head, unfold(REPLY), Losses())
    bare = stream_of(COMPLETIONS, replace(head, show_usage=False), unfold(REPLY), Losses())
    seen = tapped(COMPLETIONS.tap(True), pieces_of(shown, size))
    assert seen.passed == bare
    assert seen.usage is not None
    assert (seen.usage.input, seen.usage.output, seen.complete) == (3, 2, True)


def test_words_of_chat_counts_are_passed_on_as_they_were() -> None:
    counted = json.raw({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "novel": 1})
    reply = replace(REPLY, usage=Usage(fresh_input=3, output=2, native=Foreign("openai_chat", counted)))
    assert json.decode(COMPLETIONS.write_reply(reply, Losses()))["usage"]["novel"] == 1
