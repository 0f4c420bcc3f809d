"""Bodies are captured on their way where somebody asked for that: whose, how much, and without changing anything."""

import hashlib
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from fakes.transport import SSE, Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.bodies import Bodies, Captured, whole_answer
from isthmus.engine.body_rule import BodyRule
from isthmus.engine.clients import Client
from isthmus.wire import json
from support.administering import Managed
from support.asgi import Visit, application
from support.line import KEY, Line, provider

PATH = "/v1/chat/completions"
ASKED = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
STREAMED = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}'
)
EVENTS = [
    b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"hel"}}]}\n\n',
    b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]
CLIENT_KEY = "sk-client-0123456789"
ALL = BodyRule(requests=True, answers=True)


class Keeper:
    """Implements the engine's BodyKeeper."""

    def __init__(self) -> None:
        self.kept: list[Captured] = []

    def put(self, captured: Captured) -> None:
        self.kept.append(captured)


async def kept(
    rule: BodyRule | None, *answers: Scripted | GatewayError, body: bytes = ASKED
) -> tuple[Visit, Sequence[Captured]]:
    """What alice was answered, and what was captured of it."""
    line, keeper = Line([provider("one")], {"one": answers}), Keeper()
    clients = {hashlib.sha256(CLIENT_KEY.encode()).digest(): Client("alice")}
    line.live.swap(replace(line.live.take().snapshot, bodies=rule, clients=clients))
    line.ports.bodies = keeper
    headers = ((b"authorization", b"Bearer " + CLIENT_KEY.encode()),)
    visit = await Visit(application(line), PATH, body, headers=headers).done()
    return visit, keeper.kept


async def test_nothing_is_captured_where_nobody_asked_for_that() -> None:
    assert (await kept(None, Scripted(ANSWER)))[1] == []


async def test_both_bodies_are_captured_as_they_travelled() -> None:
    visit, (found,) = await kept(ALL, Scripted(ANSWER))
    assert (found.request, found.answer) == (ASKED, visit.body)
    assert (found.request_bytes, found.answer_bytes) == (len(ASKED), len(visit.body))
    assert (found.client, found.route, found.streamed) == ("alice", "m", None)
    assert found.id == visit.headers[b"x-isthmus-id"].decode()


async def test_a_streamed_answer_is_captured_and_arrives_unchanged() -> None:
    visit, (found,) = await kept(ALL, Scripted(*EVENTS, headers=SSE), body=STREAMED)
    assert visit.body == found.answer == b"".join(EVENTS)
    assert found.streamed is not None
    told = json.decode(whole_answer(found.answer, found.streamed))
    assert told["choices"][0]["message"]["content"] == "hello"


async def test_no_more_of_a_body_is_captured_than_can_be_of_use() -> None:
    long = ASKED[:-1] + b',"user":"' + b"x" * 10_000 + b'"}'
    _, (found,) = await kept(BodyRule(requests=True, most=1024), Scripted(ANSWER), body=long)
    assert (len(found.request or b""), found.request_bytes) == (1024 + 4096, len(long))


async def test_a_refusal_is_captured_as_an_answer() -> None:
    visit, (found,) = await kept(ALL, GatewayError(Kind.INVALID, "no"))
    assert (visit.status, found.answer) == (400, visit.body)


async def test_the_secrets_that_may_stand_in_them_are_told() -> None:
    _, (found,) = await kept(ALL, Scripted(ANSWER))
    assert [secret.reveal() for secret in found.known] == [CLIENT_KEY, KEY]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        (BodyRule(requests=True), (True, False)),
        (BodyRule(answers=True), (False, True)),
    ],
)
async def test_one_of_both_may_be_wanted_alone(rule: BodyRule, wanted: tuple[bool, bool]) -> None:
    _, (found,) = await kept(rule, Scripted(ANSWER))
    assert (found.request is not None, found.answer is not None) == wanted


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ({"clients": ("alice", "bob")}, True),
        ({"clients": ("bob",)}, False),
        ({"routes": ("m",)}, True),
        ({"routes": ("other",)}, False),
        ({"clients": ("a*",), "routes": ("other", "*")}, True),
        ({"without": ("alice",)}, False),
        ({"clients": ("*",), "without": ("al*",)}, False),
    ],
)
async def test_bodies_of_some_clients_and_routes_are_wanted(names: dict[str, tuple[str, ...]], wanted: bool) -> None:
    rule = BodyRule(requests=True, answers=True, **names)
    assert bool((await kept(rule, Scripted(ANSWER)))[1]) == wanted


async def test_a_request_for_no_model_that_there_is_is_not_captured() -> None:
    line, keeper = Line([provider("one")], {"one": []}, {"fast": ["one/m"]}), Keeper()
    line.live.swap(replace(line.live.take().snapshot, bodies=ALL))
    line.ports.bodies = keeper
    await Visit(application(line), PATH, b"no json").done()
    assert keeper.kept == []


class Shelf:
    """Implements the engine's BodyShelf."""

    async def keep_bodies(self, rows: Sequence[Bodies]) -> None:
        raise NotImplementedError

    async def bodies(self, identity: str) -> Bodies | None:
        row = Bodies(
            id="ex_1", at=1.0, client="a", route="m", request="{}", answer=None, request_bytes=2, answer_bytes=0
        )
        return row if identity == "ex_1" else None


def managed(shelf: Shelf | None) -> Managed:
    return Managed().at_desk(bodies=shelf)


async def test_an_owner_reads_the_bodies_of_an_exchange() -> None:
    visit = await managed(Shelf()).ask("GET", "/admin/exchanges/ex_1/bodies")
    assert visit.status == 200
    assert json.decode(visit.body)["request"] == "{}"


@pytest.mark.parametrize("shelf", [Shelf(), None])
async def test_bodies_that_are_not_kept_are_not_found(shelf: Shelf | None) -> None:
    assert (await managed(shelf).ask("GET", "/admin/exchanges/ex_2/bodies")).status == 404
