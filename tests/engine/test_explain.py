"""What would become of a request: who would be asked and why, and what they would be sent, without sending it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.core.content import Inline
from isthmus.core.errors import GatewayError, Kind, Rest
from isthmus.core.losses import OnLoss
from isthmus.core.operations import Operation
from isthmus.core.profile import UNKNOWN
from isthmus.core.quota import Window
from isthmus.dialects.table import COUNT_CODECS, EMBED_CODECS
from isthmus.engine.exchange import Call, Exchange
from isthmus.engine.explain import explain
from isthmus.engine.queue import Queue
from isthmus.engine.serve import serve
from isthmus.engine.shown import Viewer
from isthmus.providers.provider import CloudKey, Outgoing
from isthmus.routing.health import Place
from isthmus.routing.limits import Claim, Limit, Measure
from isthmus.routing.naming import Naming
from isthmus.routing.order import NEAR
from isthmus.routing.plan import Branch, Hedge, Route, Rules, Shadow, Target, When, first_of
from isthmus.routing.quotas import Quotas
from isthmus.state.limits import LocalLimiter
from isthmus.wire import json
from support.explaining import BODY, change, explained, places, pooled, why
from support.line import KEY, Line, provider

ROUTES = {"fast": ["one/m1", "two/m2"]}
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)
ONE = Place("one", "key", "m1")


def two() -> Line:
    return Line([provider("one"), provider("two", "anthropic")], {}, ROUTES)


class TestWhy:
    async def test_the_first_target_of_a_route_is_asked_first_and_the_next_one_next(self) -> None:
        told = await explained(two())
        assert [one["verdict"] for one in told["candidates"]] == ["asked first", "next"]
        assert told["request"]["because"] == "fast is a route"
        assert "it is well" in why(told, "one")

    async def test_a_place_that_rests_is_asked_last_and_its_rest_is_told(self) -> None:
        line = two()
        line.live.take().board.health.failed(ONE, Kind.OVERLOADED, Rest.TARGET, line.ports.clock.now())
        told = await explained(line)
        assert places(told) == [("two", "key"), ("one", "key")]
        assert "rests for another 1.0 s: it was overloaded" in why(told, "one")
        assert "nobody is left that is well" in why(told, "one")
        rest = told["candidates"][1]["health"]["rest"]
        assert (rest["kind"], rest["failures"], rest["told_by_provider"], rest["scope"]) == (
            "overloaded", 1, False, "model",
        )  # fmt: skip
        assert rest["until"] == line.ports.clock.time() + 1

    async def test_a_rest_that_its_provider_named_and_that_nobody_can_wait_for_is_skipped(self) -> None:
        line = two()
        health, now = line.live.take().board.health, line.ports.clock.now()
        health.failed(ONE, Kind.UPSTREAM_LIMITED, Rest.TARGET, now, hint=40)
        told = await explained(line)
        assert told["candidates"][1]["verdict"] == "skipped"
        assert "rests for another 40 s, as the provider asked: its rate limit was reached" in why(told, "one")
        assert "longer than the request may wait" in why(told, "one")

    async def test_a_short_rest_that_its_provider_named_is_waited_for_when_nobody_else_is_left(self) -> None:
        line = Line([provider("one")], {}, {"fast": ["one/m1"]})
        health, now = line.live.take().board.health, line.ports.clock.now()
        health.failed(ONE, Kind.UPSTREAM_LIMITED, Rest.TARGET, now, hint=2)
        assert "the request waits for it" in why(await explained(line), "one")

    async def test_the_request_that_would_find_out_whether_a_place_is_well_is_told_so(self) -> None:
        line = two()
        line.live.take().board.health.failed(ONE, Kind.OVERLOADED, Rest.TARGET, line.ports.clock.now() - 5)
        told = await explained(line)
        assert told["candidates"][0]["health"]["state"] == "trial"
        assert "this request is the one that finds out" in why(told, "one")

    async def test_a_trial_under_way_is_told(self) -> None:
        line = two()
        health, now = line.live.take().board.health, line.ports.clock.now()
        health.failed(ONE, Kind.OVERLOADED, Rest.TARGET, now - 5)
        health.begin(ONE, now)
        told = await explained(line)
        assert places(told)[0] == ("two", "key")
        assert "another request is just finding out" in why(told, "one")

    async def test_a_key_that_rests_as_a_whole_is_told_by_its_name(self) -> None:
        line = two()
        line.live.take().board.health.failed(ONE, Kind.QUOTA_SPENT, Rest.CREDENTIAL, line.ports.clock.now(), hint=900)
        assert "all of the key key rests for another 900 s" in why(await explained(line), "one")

    async def test_a_key_that_may_not_serve_the_model_is_told(self) -> None:
        line = Line([provider("one")], {}, {"fast": ["one/m1"]})
        pooled(line, provider("one"), ["a", "b"], {"b": ["other-*"]})
        told = await explained(line)
        assert [one["verdict"] for one in told["candidates"]] == ["asked first", "skipped"]
        assert "the key b may not serve m1" in why(told, "one", "b")

    async def test_the_name_that_nobody_has_is_refused_as_the_call_would_be(self) -> None:
        line = Line([replace(provider("one"), models=("m1",))], {})
        with pytest.raises(GatewayError) as refused:
            await explained(line, BODY.replace(b"fast", b"nothing"))
        assert refused.value.kind is Kind.UNKNOWN_MODEL

    async def test_a_provider_that_excludes_the_model_is_told(self) -> None:
        line = Line([replace(provider("one"), models=("m1",)), replace(provider("two"), models=("m1",))], {})
        change(line, naming=Naming(excluded={"one": ("m*",)}))
        told = await explained(line, BODY.replace(b"fast", b"m1"))
        assert places(told) == [("two", "key")]
        assert told["request"]["excluded_by"] == ["one"]

    async def test_more_candidates_than_tries_are_skipped(self) -> None:
        line = two()
        change(line, limits=replace(line.live.take().snapshot.limits, attempts=1))
        told = await explained(line)
        assert told["candidates"][1]["verdict"] == "skipped"
        assert "one request tries 1 times at most" in why(told, "two")


class TestLimits:
    def limited(self, most: int) -> tuple[Line, Limit]:
        line, limit = two(), Limit("key:one/key", Measure.REQUESTS, most, 60, 12)
        line.ports.limiter = LocalLimiter(line.ports.clock.time)
        change(line, allowances={limit.scope: (limit,)})
        return line, limit

    async def test_a_limit_that_is_used_up_has_its_place_skipped(self) -> None:
        line, limit = self.limited(1)
        assert line.ports.limiter is not None
        await line.ports.limiter.claim([Claim(limit, 1)])
        told = await explained(line)
        assert places(told) == [("two", "key")]
        assert "1 requests a minute" in why(told, "one")
        assert told["candidates"][1]["limits"] == [{"limit": "1 requests a minute for key one/key", "used": 1.0}]

    async def test_who_has_used_most_of_a_limit_stands_behind_the_others_of_its_tier(self) -> None:
        line, limit = self.limited(10)
        assert line.ports.limiter is not None
        await line.ports.limiter.claim([Claim(limit, int(NEAR * 10))])
        told = await explained(line)
        assert places(told) == [("two", "key"), ("one", "key")]
        assert "it has used 80 % of one of its limits" in why(told, "one")

    async def test_the_clients_own_limit_is_told_and_the_rest_too(self) -> None:
        line, limit = two(), Limit("client:anyone", Measure.REQUESTS, 1, 60, 12)
        line.ports.limiter = LocalLimiter(line.ports.clock.time)
        change(line, allowances={limit.scope: (limit,)})
        await line.ports.limiter.claim([Claim(limit, 1)])
        told = await explained(line)
        assert told["request"]["refusal"]["kind"] == "rate_limited"
        assert len(places(told)) == 2

    async def test_places_that_are_only_busy_are_waited_for(self) -> None:
        line, limit = Line([provider("one")], {}, {"fast": ["one/m1"]}), Limit("provider:one", Measure.RUNNING, 1)
        line.ports.limiter, line.ports.queue = LocalLimiter(line.clock.time), Queue(line.clock)
        change(line, allowances={limit.scope: (limit,)})
        await line.ports.limiter.claim([Claim(limit, 1)])
        told = await explained(line)
        assert told["request"]["waits"] == line.live.take().snapshot.queue.wait
        assert "1 requests at a time for provider one" in why(told, "one")
        assert places(told) == []

    async def test_nothing_is_claimed(self) -> None:
        line, limit = self.limited(10)
        assert line.ports.limiter is not None
        await explained(line)
        assert line.ports.limiter.share(limit) == 0


async def test_what_a_provider_tells_of_its_limits_is_a_reason() -> None:
    line = two()
    quotas = line.live.take().board.quotas
    headers = ((b"x-ratelimit-limit-requests", b"100"), (b"x-ratelimit-remaining-requests", b"3"))
    quotas.told(Place("one", "key", "m1"), headers, line.clock.now(), line.clock.time())
    told = await explained(line)
    assert places(told) == [("two", "key"), ("one", "key")]
    assert "little is left of its limits" in why(told, "one")


class TestToldByProviders:
    async def test_what_a_provider_told_of_its_own_limits_is_told_and_counts(self) -> None:
        line = two()
        quotas, clock = Quotas(lambda told, time: (Window("requests", 3, 100, 30),)), line.clock
        line.live.take().board.quotas = quotas
        quotas.told(ONE, (), clock.now(), clock.time())
        told = await explained(line)
        assert places(told) == [("two", "key"), ("one", "key")]
        assert told["candidates"][1]["told_by_provider"] == [
            {"measure": "requests", "remaining": 3, "limit": 100, "reset": 30}
        ]


class TestRequests:
    async def test_the_exact_request_is_told_and_not_sent(self) -> None:
        line = two()
        first = (await explained(line))["candidates"][0]
        assert first["upstream"]["method"] == "POST"
        assert first["upstream"]["url"] == "https://one.example.com/v1/answer"
        assert first["upstream"]["body"] == {"model": "m1", "messages": [{"role": "user", "content": "hi"}]}
        assert line.transport.sent == []

    async def test_lane_dialect_and_losses_are_told(self) -> None:
        told = await explained(two(), BODY[:-1] + b',"seed":7}')
        assert [(one["lane"], one["dialect"]) for one in told["candidates"]] == [
            ("passthrough", "openai_chat"), ("translate", "anthropic"),
        ]  # fmt: skip
        assert told["candidates"][0]["losses"] == []
        assert told["candidates"][1]["losses"][0]["path"] == "sampling.seed"

    async def test_only_the_first_request_is_written_unless_all_are_asked_for(self) -> None:
        told = await explained(two(), every=False)
        assert [one["upstream"] is None for one in told["candidates"]] == [False, True]

    async def test_a_loss_that_is_refused_is_told_as_a_refusal(self) -> None:
        line = two()
        change(line, on_loss=OnLoss.REFUSE)
        second = (await explained(line, BODY[:-1] + b',"seed":7}'))["candidates"][1]
        assert second["refusal"]["kind"] == "unsupported"
        assert "sampling.seed" in second["refusal"]["message"]
        assert second["upstream"] is None

    async def test_the_callers_own_deadline_is_the_total_one(self) -> None:
        told = await explained(two(), headers=((b"x-isthmus-timeout", b"7"),))
        assert told["candidates"][0]["deadlines"]["total"] == 7
        assert told["rules"]["seconds_left"] == 7

    async def test_a_cost_that_nobody_can_know_says_why(self) -> None:
        estimate = (await explained(two()))["candidates"][0]["estimate"]
        assert estimate["dollars"] is None
        assert estimate["why"] == "no price of m1 at one is known"
        assert estimate["input_tokens"] == len(BODY) // 4


class TestSecrets:
    async def test_no_key_is_told_wherever_it_stands(self) -> None:
        secret = KEY.encode()
        leaky = replace(
            provider("one"),
            headers=((b"x-team-token", b"team-secret-123"), (b"x-plain", b"Bearer " + secret)),
            address=lambda aim: ("POST", f"/v1/answer?key={KEY}&t=team-secret-123"),
        )
        line = Line([leaky], {}, {"fast": ["one/m1"]})
        told = await explained(line, BODY.replace(b"hi", secret))
        assert KEY not in str(told)
        assert "team-secret-123" not in str(told)

    async def test_what_an_operator_put_into_a_header_changes_no_word_of_the_request(self) -> None:
        configured = replace(provider("one"), headers=((b"x-mode", b"beta"), (b"x-kind", b"prompt-caching")))
        line = Line([configured], {}, {"fast": ["one/m1"]})
        first = (await explained(line, BODY.replace(b"hi", b"a beta of prompt-c")))["candidates"][0]
        assert first["upstream"]["body"]["messages"][0]["content"] == "a beta of prompt-c"
        assert first["upstream"]["headers"]["x-mode"] == "[hidden key]"

    async def test_who_does_not_manage_sees_no_address_and_no_key_names(self) -> None:
        line = Line([provider("one")], {}, {"fast": ["one/m1"]})
        pooled(line, provider("one"), ["alice-private", "bob-private"], {"bob-private": ["x"]})
        limit = Limit("key:one/alice-private", Measure.REQUESTS, 1, 60, 12)
        line.ports.limiter = LocalLimiter(line.clock.time)
        change(line, allowances={limit.scope: (limit,)})
        await line.ports.limiter.claim([Claim(limit, 1)])
        health, place = line.live.take().board.health, Place("one", "alice-private", "m1")
        health.failed(place, Kind.QUOTA_SPENT, Rest.CREDENTIAL, line.clock.now())
        told = await explained(line, manages=False)
        assert "for key one/#1" in str(told)
        assert "private" not in str(told)
        assert "example.com" not in str(told)
        assert [one["key"] for one in told["candidates"]] == ["#1", "#2"]


class TestNothingIsSpent:
    async def test_no_turn_is_taken(self) -> None:
        line = Line([provider("one")], {}, {"fast": ["one/m1"]})
        pooled(line, provider("one"), ["a", "b"])
        assert [places(await explained(line))[0] for _ in range(3)] == [("one", "a")] * 3

    async def test_no_trial_is_begun(self) -> None:
        line = two()
        line.live.take().board.health.failed(ONE, Kind.OVERLOADED, Rest.TARGET, line.ports.clock.now() - 5)
        assert [places(await explained(line))[0] for _ in range(3)] == [("one", "key")] * 3

    async def test_the_call_itself_does_what_was_told(self) -> None:
        line = two()
        told = await explained(line)

        async def receive(limit: int) -> bytes:
            return BODY

        exchange = line.open()
        with pytest.raises(KeyError):
            await serve(exchange, receive, line.live.take(), line.ports)
        assert line.transport.sent[0].origin.host == "one.example.com"
        assert told["candidates"][0]["provider"] == "one"


class TestRules:
    async def test_the_branch_that_a_request_takes_is_told_with_its_reason(self) -> None:
        line = two()
        rules = Rules(branches=(Branch(tiers=first_of(Target("two", "m9")), when=When(tools=False)),))
        change(line, routes={"fast": Route(tiers=first_of(Target("one", "m1")), rules=rules)})
        told = await explained(line)
        assert "branch 1 of fast takes it" in told["request"]["because"]
        assert [(one["provider"], one["model"]) for one in told["candidates"]] == [("two", "m9")]

    async def test_a_branch_that_does_not_fit_says_why(self) -> None:
        line = two()
        rules = Rules(branches=(Branch(tiers=first_of(Target("two", "m9")), when=When(tools=True)),))
        change(line, routes={"fast": Route(tiers=first_of(Target("one", "m1")), rules=rules)})
        told = await explained(line)
        assert "branch 1: it has no tools" in told["request"]["because"]
        assert told["candidates"][0]["provider"] == "one"

    async def test_what_else_a_route_does_is_told(self) -> None:
        line = two()
        rules = Rules(shadow=Shadow(Target("two", "m2"), 0.05), hedge=Hedge(), continues=True)
        change(line, routes={"fast": Route(tiers=first_of(Target("one", "m1")), rules=rules)})
        streamed = (await explained(line, BODY[:-1] + b',"stream":true}'))["rules"]
        assert "5 % of the requests are sent to two/m2 too" in streamed["shadow"]
        assert "slower than 95 % of its answers" in streamed["hedge"]
        assert "may continue" in streamed["continues"]
        assert "hedge" not in (await explained(line))["rules"]

    async def test_a_conversation_prefers_the_place_that_answered_it(self) -> None:
        line = Line([provider("one"), provider("two")], {"one": [], "two": [Scripted(ANSWER)]}, ROUTES)
        health, session = line.live.take().board.health, ((b"x-isthmus-session", b"s1"),)
        health.failed(ONE, Kind.OVERLOADED, Rest.TARGET, line.clock.now())
        await line.ask(BODY, headers=session)
        health.clear()
        told = await explained(line, headers=session)
        assert places(told)[0] == ("two", "key")
        assert "it answered this conversation before (affinity)" in why(told, "two")
        assert "prefers the place" in told["rules"]["affinity"]
        assert places(await explained(line))[0] == ("one", "key")


class TestWhatIsNotKnown:
    async def test_a_clouds_signature_is_not_asked_for(self) -> None:
        line = Line([replace(provider("one"), cloud=CloudKey("aws"), secret=None)], {}, {"fast": ["one/m1"]})
        line.ports.authority = Unasked()
        first = (await explained(line))["candidates"][0]
        assert first["upstream"]["notes"] == ["the signature of aws is made when it is sent, and is not shown"]

    async def test_files_that_the_gateway_fetches_are_not_fetched(self) -> None:
        unfetching = provider("one", "anthropic", profile=replace(UNKNOWN, fetches=False))
        line = Line([unfetching], {}, {"fast": ["one/m1"]})
        line.ports.fetcher = Unasked()
        picture = b'[{"type":"image_url","image_url":{"url":"https://example.com/cat.png"}}]'
        first = (await explained(line, BODY.replace(b'"hi"', picture)))["candidates"][0]
        assert "fetched when it is sent" in first["upstream"]["notes"][0]
        assert first["lane"] == "translate"

    async def test_of_a_list_of_prompts_the_first_request_is_told(self) -> None:
        line = Line([provider("one", "anthropic")], {}, {"fast": ["one/m1"]})
        body = b'{"model":"fast","prompt":["one","two","three"],"max_tokens":5}'
        first = (await explained(line, body, "openai_completions"))["candidates"][0]
        assert first["upstream"]["body"]["messages"][0]["content"] == "one"
        assert line.transport.sent == []

    async def test_a_request_that_asks_nothing_of_a_model_is_answered_here(self) -> None:
        told = await explained(two(), b'{"model":"fast","messages":[]}', "ollama")
        assert "answers it by itself" in told["request"]["answered_here"]
        assert told["candidates"] == []

    async def test_what_is_remembered_of_a_conversation_is_looked_up_and_not_changed(self) -> None:
        line = two()
        kept = Kept()
        line.ports.memory = kept
        await explained(line, headers=((b"x-isthmus-session", b"s1"),))
        assert kept.asked > 0
        assert kept.written == 0


class Unasked:
    """An authority and a fetcher that fail the test when somebody asks them."""

    async def sign(self, outgoing: Outgoing, key: CloudKey) -> Outgoing:
        raise AssertionError("a signature was asked for")

    async def refused(self, outgoing: Outgoing, key: CloudKey) -> None:
        raise AssertionError("a refusal was told")

    async def fetch(self, url: str) -> Inline:
        raise AssertionError("a file was fetched")


class Kept:
    """A memory that counts how it is used."""

    def __init__(self) -> None:
        self.asked = self.written = 0

    async def put(self, keys: Sequence[str], value: bytes) -> None:
        self.written += 1

    async def forget(self, keys: Sequence[str]) -> None:
        self.written += 1

    async def get(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        self.asked += 1
        return {}

    def may_hold(self, _: str) -> bool:
        return True


class TestOtherOperations:
    def counting(self) -> Line:
        one = replace(
            provider("one"), dialects={Operation.COUNT_TOKENS: ("anthropic",), Operation.CHAT: ("anthropic",)}
        )
        return Line([one, provider("two")], {}, {"fast": ["one/m1", "two/m2"]})

    async def count(self, line: Line, body: bytes) -> Any:
        exchange = Exchange("ex_1", Call(COUNT_CODECS["anthropic"], "/v1/messages/count_tokens", ()), line.clock, 1)
        now = line.live.take()
        told = await explain(exchange, body, now, line.ports, every=True, viewer=Viewer(now, manages=True))
        return json.decode(json.encode(told))

    async def test_only_one_place_is_asked_to_count(self) -> None:
        told = await self.count(self.counting(), BODY)
        assert [(one["provider"], one["verdict"]) for one in told["candidates"]] == [("one", "asked first")]
        assert told["candidates"][0]["upstream"]["body"]["model"] == "m1"

    async def test_a_model_that_nobody_has_is_counted_here(self) -> None:
        line = Line([replace(provider("one"), models=("m1",))], {})
        told = await self.count(line, BODY.replace(b"fast", b"nothing"))
        assert "counts the tokens by itself" in told["request"]["answered_here"]

    async def test_inputs_to_embed_are_told_in_the_providers_dialect(self) -> None:
        line = Line([replace(provider("one"), dialects={Operation.EMBED: ("gemini",)})], {}, {"fast": ["one/m1"]})
        exchange = Exchange("ex_1", Call(EMBED_CODECS["openai"], "/v1/embeddings", ()), line.clock, 1)
        body, now = b'{"model":"fast","input":["one","two"]}', line.live.take()
        told = await explain(exchange, body, now, line.ports, every=True, viewer=Viewer(now, manages=True))
        first = told.candidates[0]
        assert (first.lane, first.dialect) == ("translate", "gemini")
        assert first.upstream is not None
        assert line.transport.sent == []
