"""Embeddings along the line: passed through, translated, split to what the target takes, handed on when one fails."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.losses import OnLoss
from isthmus.core.operations import Operation
from isthmus.core.profile import UNKNOWN, ModelProfile
from isthmus.dialects.table import EMBED_CODECS
from isthmus.engine.admission import settle
from isthmus.engine.embed import serve_embedding
from isthmus.engine.exchange import Call, Exchange, Lane, Named
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.engine.spending import spending
from isthmus.providers.provider import Provider
from isthmus.providers.quirks import Quirks
from isthmus.routing.limits import Limit, Measure
from isthmus.routing.plan import Branch, Route, Rules, Target, When, first_of
from isthmus.state.limits import LocalLimiter
from isthmus.wire import json
from isthmus.wire.headers import Headers
from support.line import Line, provider

ANSWER = (
    b'{ "object":"list", "data":[{"object":"embedding","index":0,"embedding":[0.5,-1e-9]}],'
    b'"model":"m1","usage":{"prompt_tokens":3,"total_tokens":3} }'
)
SHOWN = (
    b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1e-9]}],'
    b'"model":"fast","usage":{"prompt_tokens":3,"total_tokens":3}}'
)
"""The same under the name that was asked for: no value but that is written anew."""
ASKED = b'{"model":"fast","input":"the sea"}'
ROUTES = {"fast": ["one/m1", "two/m2"]}


def embedding(
    name: str, *dialects: str, quirks: Quirks | None = None, profile: ModelProfile = UNKNOWN, speaks: bool = True
) -> Provider:
    spoken = {Operation.EMBED: dialects or ("openai",)} if speaks else {Operation.CHAT: ("openai_chat",)}
    return replace(provider(name, quirks=quirks, profile=profile), dialects=spoken)


class EmbedLine(Line):
    """The line for embeddings."""

    async def embed(
        self, body: bytes, dialect: str = "openai", *, model: str | None = None, headers: Headers = ()
    ) -> tuple[int, Headers, bytes]:
        async def receive(limit: int) -> bytes:
            return body

        named = None if model is None else Named(model)
        call = Call(EMBED_CODECS[dialect], "/v1/embeddings", headers, named=named)
        self.exchange = Exchange("ex_test", call, self.ports.clock, 1)
        answer = await serve_embedding(self.exchange, receive, self.live.take(), self.ports)
        self.exchange.close()
        assert answer.stream is None
        return answer.status, answer.headers, answer.body


def line(
    one: Sequence[Scripted | GatewayError], two: Sequence[Scripted | GatewayError] = (), *providers: Provider
) -> EmbedLine:
    several = providers or (embedding("one"), embedding("two"))
    return EmbedLine(several, {"one": one, "two": two}, ROUTES if len(several) > 1 else {"fast": ["one/m1"]})


def vectors(*values: float) -> bytes:
    return json.encode({"data": [{"index": place, "embedding": [one]} for place, one in enumerate(values)]})


async def test_between_two_ends_of_one_dialect_all_but_the_name_passes_unchanged() -> None:
    asked = line([Scripted(ANSWER)])
    status, _, body = await asked.embed(b'{ "input" : "the sea",\n "model":"fast", "novel":1.50 }')
    assert (status, body) == (200, SHOWN)
    assert asked.transport.sent[0].body == b'{"input":"the sea","model":"m1","novel":1.50}'
    assert asked.exchange is not None
    assert asked.exchange.lane is Lane.PASSTHROUGH
    assert asked.exchange.usage is not None
    assert asked.exchange.usage.input == 3


async def test_a_model_by_its_own_name_leaves_every_byte_alone() -> None:
    asked, body = line([Scripted(ANSWER)]), b'{ "input":["a"],\n "model":"m1" }'
    _, _, answer = await asked.embed(body)
    assert (asked.transport.sent[0].body, answer) == (body, ANSWER)


async def test_the_next_target_embeds_when_one_is_overloaded() -> None:
    asked = line([Scripted(b"", status=503)], [Scripted(ANSWER)])
    status, _, body = await asked.embed(ASKED)
    assert (status, body) == (200, SHOWN)
    assert [json.decode(sent.body)["model"] for sent in asked.transport.sent] == ["m1", "m2"]
    assert asked.exchange is not None
    assert [one.error for one in asked.exchange.attempts] == [Kind.OVERLOADED, None]


async def test_a_provider_that_embeds_nothing_is_passed_over() -> None:
    asked = line([], [Scripted(ANSWER)], embedding("one", speaks=False), embedding("two"))
    assert (await asked.embed(ASKED))[0] == 200


async def test_a_refusal_is_told_in_the_providers_own_words() -> None:
    refusal = b'{"error":{"message":"too many inputs","type":"invalid_request_error","param":"input","code":null}}'
    status, _, body = await line([Scripted(refusal, status=400)]).embed(ASKED)
    assert (status, body) == (400, refusal)


async def test_a_request_that_nobody_could_read_is_refused() -> None:
    status, _, body = await line([]).embed(b'{"model":"fast"}')
    assert status == 400
    assert json.decode(body)["error"]["param"] == "input"


async def test_a_model_that_nobody_has_is_refused() -> None:
    assert (await EmbedLine([], {}).embed(ASKED))[0] == 404


async def test_another_dialect_is_asked_in_its_own_words_and_answered_in_the_callers() -> None:
    told = b'{"embeddings":[{"values":[0.5]},{"values":[0.25]}]}'
    asked = line([Scripted(told)], (), embedding("one", "gemini"))
    status, _, body = await asked.embed(b'{"model":"fast","input":["a","b"],"encoding_format":"base64"}')
    assert status == 200
    assert json.decode(asked.transport.sent[0].body) == {
        "requests": [{"model": "models/m1", "content": {"parts": [{"text": text}]}} for text in ("a", "b")]
    }
    answer = json.decode(body)
    assert [item["embedding"] for item in answer["data"]] == ["AAAAPw==", "AACAPg=="]
    assert answer["model"] == "fast"
    assert asked.exchange is not None
    assert asked.exchange.lane is Lane.TRANSLATE


async def test_the_model_of_a_path_may_be_another_there() -> None:
    told = b'{"data":[{"index":0,"embedding":[0.5]}],"model":"m1"}'
    asked = line([Scripted(told)], (), embedding("one"))
    body = b'{"content":{"parts":[{"text":"a"}]}}'
    status, _, answer = await asked.embed(body, "gemini_single", model="fast")
    assert (status, json.decode(answer)) == (200, {"embedding": {"values": [0.5]}})
    assert json.decode(asked.transport.sent[0].body) == {"model": "m1", "input": "a"}


async def test_a_batch_that_names_its_model_inside_is_written_anew_for_another_name() -> None:
    told = b'{"embeddings":[{"values":[0.5]}]}'
    asked = line([Scripted(told)], (), embedding("one", "gemini"))
    body = json.encode({"requests": [{"model": "models/fast", "content": {"parts": [{"text": "a"}]}}]})
    await asked.embed(body, "gemini", model="fast")
    (sent,) = json.decode(asked.transport.sent[0].body)["requests"]
    assert sent["model"] == "models/m1"


async def test_inputs_are_asked_one_by_one_where_the_provider_takes_one() -> None:
    told = [Scripted(b'{"embedding":[%d.5],"inputTextTokenCount":%d}' % (place, place + 1)) for place in range(6)]
    asked = line(told, (), embedding("one", "bedrock_titan"))
    texts = [f"text {place}" for place in range(6)]
    _, _, body = await asked.embed(json.encode({"model": "fast", "input": texts}))
    answer = json.decode(body)
    assert [json.decode(sent.body)["inputText"] for sent in asked.transport.sent] == texts
    assert [item["embedding"] for item in answer["data"]] == [[place + 0.5] for place in range(6)]
    assert [item["index"] for item in answer["data"]] == list(range(6))
    assert answer["usage"]["prompt_tokens"] == 21


async def test_the_first_failure_of_a_part_is_the_failure_of_the_whole() -> None:
    told = [Scripted(b'{"embedding":[0.5]}'), Scripted(b'{"message":"slow down"}', status=429)]
    status, _, _ = await line(told, (), embedding("one", "bedrock_titan")).embed(b'{"model":"fast","input":["a","b"]}')
    assert status == 429


async def test_every_upstream_answer_is_closed() -> None:
    told = [Scripted(b'{"embedding":[0.5]}'), Scripted(b"{}", status=500)]
    asked = line(told, [Scripted(ANSWER)], embedding("one", "bedrock_titan"), embedding("two"))
    await asked.embed(b'{"model":"fast","input":["a","b"]}')
    assert all(answer.closed.is_set() for answer in asked.transport.played)


async def test_an_answer_with_a_vector_too_few_is_garbled() -> None:
    told = Scripted(b'{"embeddings":[{"values":[0.5]}]}')
    asked = line([told], (), embedding("one", "gemini"))
    status, _, _ = await asked.embed(b'{"model":"fast","input":["a","b"]}')
    assert status == 502
    assert asked.exchange is not None
    assert asked.exchange.attempts[0].reason == "the provider sent 1 vectors for 2 inputs"


async def test_the_dialect_of_a_model_is_chosen_where_a_provider_speaks_several() -> None:
    spoken = ("bedrock_titan", "bedrock_cohere")
    cohere = embedding("one", *spoken, profile=ModelProfile(dialects=("bedrock_cohere",)))
    asked = line([Scripted(b'{"embeddings":[[0.5],[1.5]]}')], (), cohere)
    await asked.embed(b'{"model":"fast","input":["a","b"]}')
    assert json.decode(asked.transport.sent[0].body)["texts"] == ["a", "b"]


async def test_what_a_host_refuses_is_left_out_and_told() -> None:
    quirks = Quirks(drop=frozenset({"user"}), default={"safe_prompt": json.raw("yes")})
    asked = line([Scripted(ANSWER)], (), embedding("one", quirks=quirks))
    _, headers, _ = await asked.embed(b'{"model":"fast","input":"a","user":"u"}')
    assert json.decode(asked.transport.sent[0].body) == {"model": "m1", "input": "a"}
    assert dict(headers)[b"x-isthmus-losses"] == b"user;dropped"


async def test_a_loss_is_refused_where_the_caller_wants_that() -> None:
    asked = line([], (), embedding("one", "bedrock_cohere"))
    status, _, body = await asked.embed(ASKED, headers=((b"x-isthmus-on-loss", b"refuse"),))
    assert status == 400
    assert b"task would be emulated" in body
    assert asked.transport.sent == []


async def test_a_loss_is_refused_where_the_operator_wants_that() -> None:
    asked = line([], (), embedding("one", "bedrock_cohere"))
    snapshot: Snapshot = replace(
        asked.live.take().snapshot, on_loss=OnLoss.REFUSE, routes={"fast": Route(tiers=first_of(Target("one", "m")))}
    )
    asked.live = Live(snapshot)
    assert (await asked.embed(ASKED))[0] == 400


@pytest.mark.parametrize("body", [b"nonsense", b'{"data":[]}'])
async def test_what_is_no_answer_is_the_providers_fault(body: bytes) -> None:
    asked = line([Scripted(body)], (), embedding("one", "gemini"))
    assert (await asked.embed(ASKED))[0] == 502


async def test_a_branch_of_its_route_is_taken_by_what_the_texts_are() -> None:
    long = Branch(tiers=first_of(Target("two", "m2")), when=When(tokens_over=100, tools=False))
    asked = line([Scripted(ANSWER)], [Scripted(ANSWER)])
    route = Route(tiers=first_of(Target("one", "m1")), rules=Rules(branches=(long,)))
    asked.live.swap(replace(asked.live.take().snapshot, routes={"fast": route}))
    await asked.embed(ASKED)
    await asked.embed(json.encode({"model": "fast", "input": ["the sea " * 200]}))
    assert [one.origin.host for one in asked.transport.sent] == ["one.example.com", "two.example.com"]


async def test_embeddings_count_against_limits_like_any_request() -> None:
    limit = Limit("client:anyone", Measure.TOKENS, 10_000, 60, 12)
    asked = line([Scripted(ANSWER)])
    asked.live.swap(replace(asked.live.take().snapshot, allowances={limit.scope: (limit,)}))
    asked.ports.limiter = limiter = LocalLimiter(asked.clock.time)
    await asked.embed(b'{"input":"the sea","model":"fast"}')
    assert asked.exchange is not None
    settle(asked.exchange, asked.live.take(), asked.ports)
    assert asked.exchange.usage is not None
    assert round(limiter.share(limit) * limit.most) == asked.exchange.usage.input > 0


async def test_vectors_that_nobody_counted_are_their_input_and_no_output() -> None:
    asked = line([Scripted(ANSWER.partition(b',"usage"')[0] + b"}")])
    await asked.embed(b'{"input":"the sea","model":"fast"}')
    assert asked.exchange is not None
    asked.exchange.bytes_out = 10_000
    assert (asked.exchange.usage, asked.exchange.outcome) == (None, "answered")
    spent = spending(asked.exchange, asked.live.take().tariffs)
    assert (spent.usage.input, spent.usage.output) == (len(b'{"input":"the sea","model":"fast"}') // 4, 0)
