"""Listeners that have the manners of one system: what each does otherwise, and that it is all it does."""

import hashlib

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.engine.clients import Auth, Client
from isthmus.engine.compat import Compat
from isthmus.providers.provider import Provider
from isthmus.server.banner import banner
from isthmus.server.dresses import dressed, numbered
from isthmus.server.manners import MANNERS, application_for
from isthmus.wire import json
from support.asgi import Visit, application
from support.line import Line, provider

ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}'
)
SONNET, HAIKU = "anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-haiku-4-5-20251001-v1:0"
OTHERS = [one for one in Compat if one is not Compat.TRUCK]


def serving(*models: str) -> Provider:
    return replace(provider("one"), models=models)


def line(*models: str, auth: Auth = Auth.AUTO) -> Line:
    made = Line([serving(*models)], {"one": [Scripted(ANSWER)]})
    made.live.swap(replace(made.live.take().snapshot, auth=auth))
    return made


async def ask(made: Line, compat: Compat, model: str, *headers: tuple[bytes, bytes]) -> Visit:
    body = b'{"model":"%b","messages":[{"role":"user","content":"hi"}]}' % model.encode()
    app = application_for(application(made), compat)
    return await Visit(app, "/v1/chat/completions", body, headers=headers).done()


async def asked(made: Line, compat: Compat, model: str) -> str:
    """The model that the provider was asked for."""
    assert (await ask(made, compat, model)).status == 200
    name: str = json.decode(made.transport.sent[-1].body)["model"]
    return name


def code(visit: Visit) -> object:
    found: object = json.decode(visit.body)["error"]["code"]
    return found


def test_every_kind_of_listener_has_its_manners() -> None:
    assert set(MANNERS) == set(Compat)


async def test_a_listener_for_codex_says_that_a_limit_is_one_and_when_it_resets() -> None:
    limited = b'{"error":{"message":"slow down","type":"rate_limit_error","code":null}}'
    made = line("gpt-5.2")
    made.transport.scripts["one.example.com"] = [
        Scripted(limited, status=429, headers=((b"content-type", b"application/json"), (b"retry-after", b"70")))
    ]
    app = application_for(application(made), Compat.CODEX)
    body = b'{"model":"sonnet","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'
    visit = await Visit(app, "/v1/messages", body).done()
    error = json.decode(visit.body)["error"]
    assert (visit.status, error["type"], error["message"]) == (429, "rate_limit_error", "Rate limited: slow down")
    assert (error["resetMs"], error["resetSeconds"]) == (70_000, 70)


@pytest.mark.parametrize("compat", [Compat.UNIFIED, Compat.MUX])
def test_a_listener_without_manners_of_its_own_is_the_gateway_itself(compat: Compat) -> None:
    app = application(line("m"))
    assert application_for(app, compat) is app


@pytest.mark.parametrize("compat", [Compat.UNIFIED, Compat.MUX, Compat.LLMS])
async def test_the_code_of_an_error_is_a_word(compat: Compat) -> None:
    visit = await ask(line("m"), compat, "zork")
    assert (visit.status, code(visit)) == (404, "model_not_found")


async def test_at_a_listener_for_truckllm_the_code_of_an_error_is_its_status() -> None:
    visit = await ask(line("m", auth=Auth.OFF), Compat.TRUCK, "zork")
    assert (visit.status, code(visit)) == (404, 404)
    assert visit.headers[b"content-length"] == b"%d" % len(visit.body)


async def test_answers_of_such_a_listener_are_as_they_were() -> None:
    visit = await ask(line("m", auth=Auth.OFF), Compat.TRUCK, "m")
    assert json.decode(visit.body)["choices"][0]["message"]["content"] == "hello"


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[]", b'{"error":"words"}', b'{"detail":"words"}'])
def test_what_holds_no_error_object_stays_as_it_is(body: bytes) -> None:
    assert dressed(body, numbered, 404) == body


async def test_a_listener_for_truckllm_asks_for_a_key() -> None:
    visit = await ask(line("m"), Compat.TRUCK, "m")
    assert (visit.status, code(visit)) == (401, 401)


async def test_a_key_that_is_known_opens_it() -> None:
    made = line("m")
    clients = {hashlib.sha256(b"team-key").digest(): Client("team")}
    made.live.swap(replace(made.live.take().snapshot, clients=clients))
    assert (await ask(made, Compat.TRUCK, "m", (b"authorization", b"Bearer team-key"))).status == 200


@pytest.mark.parametrize("compat", OTHERS)
async def test_other_listeners_ask_for_no_key_where_none_is_known(compat: Compat) -> None:
    assert (await ask(line("m"), compat, "m")).status == 200


@pytest.mark.parametrize("compat", Compat)
async def test_the_word_for_health_is_healthy_where_its_clients_look_for_it(compat: Compat) -> None:
    visit = await Visit(application_for(application(line("m")), compat), "/health", method="GET").done()
    word = "healthy" if compat in (Compat.BEDROCK, Compat.LLMS) else "ok"
    assert json.decode(visit.body)["status"] == word


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("claude-sonnet-4.5", SONNET),
        ("claude-haiku-4.5", HAIKU),
        ("gpt-4", SONNET),
        ("gpt-3.5-turbo", HAIKU),
        ("zork", SONNET),
        (HAIKU, HAIKU),
    ],
)
async def test_names_at_a_listener_for_bedrock(name: str, model: str) -> None:
    assert await asked(line(SONNET, HAIKU), Compat.BEDROCK, name) == model


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("opus", "gpt-5.3-codex"),
        ("claude-opus-4-5-20251101", "gpt-5.3-codex"),
        ("claude-3-opus-20240229", "gpt-5.3-codex"),
        ("sonnet", "gpt-5.2"),
        ("claude-sonnet-4-6-1m", "gpt-5.2"),
        ("gpt-5.3-codex", "gpt-5.3-codex"),
        ("zork", "gpt-5.2"),
    ],
)
async def test_names_at_a_listener_for_codex(name: str, model: str) -> None:
    assert await asked(line("gpt-5.2", "gpt-5.3-codex"), Compat.CODEX, name) == model


@pytest.mark.parametrize("name", ["claude-opus-4-6", "claude-opus-4-5-20251101", "opus"])
async def test_what_is_configured_to_stand_in_for_claude_counts_at_a_listener_for_codex(name: str) -> None:
    made = line("gpt-5.3-codex", "claude-opus-4-6", "mine")
    snapshot = made.live.take().snapshot
    standing_in = replace(snapshot.providers["one"], stand_ins={"claude-opus-*": "mine", "opus": "mine"})
    made.live.swap(replace(snapshot, providers={"one": standing_in}))
    assert await asked(made, Compat.CODEX, name) == "mine"


async def test_the_answer_has_the_name_that_was_asked_for() -> None:
    visit = await ask(line(SONNET), Compat.BEDROCK, "gpt-4")
    assert json.decode(visit.body)["model"] == "gpt-4"


async def test_a_name_of_such_a_listener_leads_nowhere_elsewhere() -> None:
    assert (await ask(line(SONNET), Compat.UNIFIED, "zork")).status == 404


async def test_a_name_whose_model_nobody_offers_is_understood_as_elsewhere() -> None:
    assert await asked(line("gpt-4"), Compat.BEDROCK, "gpt-4") == "gpt-4"
    assert (await ask(line("gpt-4"), Compat.BEDROCK, "zork")).status == 404


async def test_what_is_configured_of_a_name_comes_before() -> None:
    made = line(SONNET, "mine")
    snapshot = made.live.take().snapshot
    made.live.swap(replace(snapshot, naming=replace(snapshot.naming, aliases={"gpt-4": ("mine",)})))
    assert await asked(made, Compat.BEDROCK, "gpt-4") == "mine"


def test_who_starts_it_is_told_whose_manners_an_address_has() -> None:
    found = banner(["http://a", "http://b"], line("m").live.take(), compat=[Compat.UNIFIED, Compat.TRUCK])
    assert "listens on http://a and http://b (truck)\n" in found


async def test_a_change_of_the_configuration_reaches_such_a_listener() -> None:
    made = line("other")
    app = application_for(application(made), Compat.BEDROCK)
    made.live.swap(replace(made.live.take().snapshot, providers={"one": serving(SONNET)}))
    body = b'{"model":"gpt-4","messages":[{"role":"user","content":"hi"}]}'
    assert (await Visit(app, "/v1/chat/completions", body).done()).status == 200
