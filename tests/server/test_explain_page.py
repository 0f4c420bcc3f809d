"""What the server tells of requests that are only looked at, and of those that are over."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.facts import ModelFacts, Price, Rates
from isthmus.engine.clients import Client
from isthmus.engine.snapshot import Habits
from isthmus.server.explain_page import by_shape
from isthmus.telemetry.recent import RecentExchanges
from isthmus.wire import json
from support.asgi import Visit, application
from support.explaining import BODY, change, pooled
from support.line import KEY, Line, provider

HOME = (b"host", b"127.0.0.1:8317")
AWAY = (b"host", b"gateway.example.com")
CLIENT = "sk-client-0123456789abcdef"
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":1000,"completion_tokens":1,"total_tokens":1001}}'
)
MESSAGES = b'{"model":"fast","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
CONTENTS = b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}'


def line(*scripts: Scripted | GatewayError) -> Line:
    return Line([provider("one"), provider("two")], {"one": list(scripts), "two": [Scripted(ANSWER)]}, ROUTES)


ROUTES = {"fast": ["one/m1", "two/m2"]}


async def ask(
    made: Line, path: str = "/v0/explain", body: bytes = BODY, *headers: tuple[bytes, bytes], query: bytes = b""
) -> tuple[int, Any]:
    visit = await Visit(application(made), path, body, headers=headers or (HOME,), query=query).done()
    return visit.status, json.decode(visit.body)


async def past(made: Line, name: str, *headers: tuple[bytes, bytes]) -> tuple[int, Mapping[str, Any]]:
    visit = Visit(application(made), f"/admin/explain/{name}", method="GET", headers=headers or (HOME,))
    await visit.done()
    return visit.status, json.decode(visit.body)


class TestWhichCall:
    @pytest.mark.parametrize(
        ("path", "body", "dialect"),
        [
            ("/v1/chat/completions", BODY, "openai_chat"),
            ("/v1/messages", MESSAGES, "anthropic"),
            ("/v1/responses", b'{"model":"fast","input":"hi"}', "openai_responses"),
            ("/v1/completions", b'{"model":"fast","prompt":"hi"}', "openai_completions"),
            ("/api/chat", BODY, "ollama"),
            ("/v1beta/models/fast:generateContent", CONTENTS, "gemini"),
        ],
    )
    async def test_a_path_behind_it_or_in_the_query_says_which(self, path: str, body: bytes, dialect: str) -> None:
        for where, query in ((f"/v0/explain{path}", b""), ("/v0/explain", b"path=" + path.encode())):
            status, told = await ask(line(), where, body, query=query)
            assert (status, told["request"]["dialect"]) == (200, dialect)
            assert told["candidates"][0]["provider"] == "one"

    async def test_the_verb_and_the_query_of_a_gemini_path_count(self) -> None:
        path = b"path=/v1beta/models/fast:streamGenerateContent%3Falt%3Dsse"
        _, told = await ask(line(), body=CONTENTS, query=path)
        assert (told["request"]["dialect"], told["request"]["stream"]) == ("gemini", True)

    async def test_a_header_of_one_api_says_which(self) -> None:
        status, told = await ask(line(), "/v0/explain", MESSAGES, HOME, (b"anthropic-version", b"2023-06-01"))
        assert (status, told["request"]["dialect"]) == (200, "anthropic")

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            (b'{"messages":[],"system":"x"}', "/v1/messages"),
            (b'{"messages":[],"options":{}}', "/api/chat"),
            (b'{"messages":[]}', "/v1/chat/completions"),
            (b'{"prompt":"","raw":true}', "/api/generate"),
            (b'{"prompt":"","max_tokens":1}', "/v1/completions"),
            (b'{"input":"","truncate":true}', "/api/embed"),
            (b'{"input":"","dimensions":2}', "/v1/embeddings"),
            (b'{"input":"","instructions":""}', "/v1/responses"),
        ],
    )
    def test_the_fields_of_a_body_say_which(self, body: bytes, path: str) -> None:
        assert by_shape(body) == path

    @pytest.mark.parametrize("body", [b'{"input":"hi"}', b'{"prompt":"hi"}', b"{}", CONTENTS, b"[]", b"hi"])
    async def test_what_fits_several_calls_or_none_is_not_guessed(self, body: bytes) -> None:
        status, told = await ask(line(), "/v0/explain", body)
        assert status == 400
        assert "path" in told["error"]["message"] or "JSON" in told["error"]["message"]

    @pytest.mark.parametrize("path", ["/v0/explain/v1/models", "/v0/explain/nothing", "/v0/explain/v0/explain"])
    async def test_what_is_no_call_cannot_be_explained(self, path: str) -> None:
        status, told = await ask(line(), path)
        assert status == 400
        assert "/v0/explain/v1/chat/completions" in told["error"]["message"]

    async def test_a_request_that_cannot_be_read_is_refused_in_its_own_dialect(self) -> None:
        status, told = await ask(line(), "/v0/explain/v1/messages", b'{"model":5}')
        assert (status, told["type"]) == (400, "error")

    async def test_embeddings_and_counts_are_explained_too(self) -> None:
        for path, body in (
            ("/v1/embeddings", b'{"model":"fast","input":"hi"}'),
            ("/v1/messages/count_tokens", MESSAGES),
        ):
            status, told = await ask(line(), f"/v0/explain{path}", body)
            assert status == 200
            assert told["candidates"][0]["refusal"]["kind"] == "unsupported"


class TestWho:
    def closed(self) -> Line:
        made = line()
        change(made, clients={hashlib.sha256(CLIENT.encode()).digest(): Client("alice")})
        return made

    async def test_a_client_key_is_asked_for_as_for_the_call(self) -> None:
        made = self.closed()
        assert (await ask(made))[0] == 401
        status, told = await ask(made, "/v0/explain", BODY, AWAY, (b"x-api-key", CLIENT.encode()))
        assert (status, told["request"]["client"]) == (200, "alice")

    async def test_a_client_sees_no_address(self) -> None:
        _, told = await ask(self.closed(), "/v0/explain", BODY, AWAY, (b"x-api-key", CLIENT.encode()))
        assert told["candidates"][0]["upstream"]["url"] is None
        assert "example.com" not in str(told)

    async def test_where_answers_name_nobody_only_an_administrator_may_ask(self) -> None:
        made = line()
        change(made, habits=Habits(route_headers=False))
        assert (await ask(made, "/v0/explain", BODY, AWAY))[0] == 403
        assert (await ask(made))[0] == 200


class TestPast:
    async def asked(self, made: Line) -> str:
        visit = await Visit(application(made), "/v1/chat/completions", BODY).done()
        return visit.headers[b"x-isthmus-id"].decode()

    async def test_the_attempts_and_who_was_passed_by_are_told(self) -> None:
        made = line(GatewayError(Kind.UNREACHABLE, "no route to the host"))
        status, told = await past(made, await self.asked(made))
        assert status == 200
        assert [(one["provider"], one["key"], one["error"]) for one in told["attempts"]] == [
            ("one", "key", "unreachable"), ("two", "key", None),
        ]  # fmt: skip
        assert "no route to the host" in told["attempts"][0]["reason"]
        again = await self.again(made)
        assert [(one["provider"], one["fate"]) for one in again["candidates"]] == [
            ("two", "asked"),
            ("one", "not reached"),
        ]

    async def again(self, made: Line) -> Mapping[str, Any]:
        made.transport.scripts["two.example.com"].append(Scripted(ANSWER))
        return (await past(made, await self.asked(made)))[1]

    async def test_what_it_cost_and_what_was_lost_are_told(self) -> None:
        made = line(Scripted(ANSWER))
        price = Price(rates=Rates(input=Decimal(1), output=Decimal(2)))
        change(made, facts=lambda provider, model, listed: ModelFacts(price=price))
        _, told = await past(made, await self.asked(made))
        assert told["spent"]["input_tokens"] == 1000
        assert told["spent"]["dollars"] == "0.001002"
        assert (told["lane"], told["losses"], told["outcome"], told["status"]) == ("passthrough", [], "answered", 200)

    async def test_only_an_administrator_may_look(self) -> None:
        made = line(Scripted(ANSWER))
        name = await self.asked(made)
        assert (await past(made, name, AWAY))[0] == 401

    async def test_an_exchange_that_nobody_remembers_is_not_found(self) -> None:
        assert (await past(line(), "ex_nothing"))[0] == 404

    async def test_no_key_is_told(self) -> None:
        made = line(GatewayError(Kind.UPSTREAM_FAULT, f"bad key {KEY}"))
        pooled(made, provider("one"), ["a", "b"])
        _, told = await past(made, await self.asked(made))
        assert KEY not in str(told)

    def test_only_so_many_are_kept_and_those_that_could_not_be_read_take_no_place(self) -> None:
        made, recent = line(), RecentExchanges(lambda: None, kept=2)
        for number in range(4):
            exchange = made.open()
            exchange.id = f"ex_{number}"
            exchange.peek = exchange.call.codec.peek(BODY) if number else None
            recent.take([exchange])
        assert [recent.of(f"ex_{number}") is not None for number in range(4)] == [False, False, True, True]

    async def test_a_request_that_was_only_looked_at_takes_no_place(self) -> None:
        made = line()
        visit = await Visit(application(made), "/v0/explain", BODY, headers=(HOME,)).done()
        assert visit.status == 200
        assert made.exchanges.of(made.recorded.exchanges[-1].id) is None
