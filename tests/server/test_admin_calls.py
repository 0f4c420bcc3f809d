"""What becomes of an administrator's call: bodies, answers, errors, and what is kept of it."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.value import Value
from isthmus.server.admin.audit import REFUSALS
from isthmus.server.admin.call import AdminCall, Facade, Flow, Media, Role, Row
from isthmus.server.admin.desk import Desk
from isthmus.server.admin.office import Office
from isthmus.server.admin.readers import reader
from isthmus.server.admin.refusals import refuse
from isthmus.server.pages import Page
from isthmus.wire import json
from support.administering import ELSEWHERE, HERE, OPERATOR, OWNER, VIEWER, Header, Managed, key, told
from support.asgi import Visit

JSON = (b"content-type", b"application/json")


class Thing(Value, frozen=True, forbid_unknown_fields=True):
    name: str
    size: int = 0


_thing = reader(Thing)


async def put(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(_thing(call.body)))


async def length(call: AdminCall, desk: Desk) -> Page:
    return Page(200, json.encode(len(call.body)))


async def broken(call: AdminCall, desk: Desk) -> Page:
    raise ZeroDivisionError("a mistake")


async def busy(call: AdminCall, desk: Desk) -> Page:
    raise GatewayError(Kind.STORE_GONE, "the store cannot be reached", retry_after=2.5)


async def flow(call: AdminCall, desk: Desk) -> Flow:
    return Flow(counting())


async def counting() -> AsyncIterator[bytes]:
    for number in range(3):
        yield b"data: %d\n\n" % number


async def endless(call: AdminCall, desk: Desk) -> Flow:
    return Flow(ENDLESS.chunks())


class Endless:
    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            yield b"data: first\n\n"
            await asyncio.Event().wait()
        finally:
            self.closed.set()


ENDLESS = Endless()


def row(method: str, path: str, handler: object, *, role: Role = Role.OPERATOR, most: int = 100) -> Row:
    return Row(method=method, path=path, role=role, handler=handler, about=".", most=most, audited=method != "GET")  # type: ignore[arg-type]  # handlers of tests


ROWS = (
    row("PUT", "/t/{name}", put),
    row("POST", "/t", put),
    row("GET", "/broken", broken, role=Role.VIEWER),
    row("GET", "/busy", busy, role=Role.VIEWER),
    row("GET", "/flow", flow, role=Role.VIEWER),
    row("GET", "/endless", endless, role=Role.VIEWER),
    row("GET", "/open", put, role=Role.ANYONE),
    replace(row("PUT", "/text", length), takes=Media("application/yaml")),
    replace(row("POST", "/text", length), takes=Media("application/yaml"), may_be_empty=True),
)


class Called(Managed):
    """The rows of this file, as one facade."""

    def __init__(self, *secrets: bytes, **settings: bool) -> None:
        super().__init__(*secrets, **settings)
        self.app.office = Office(self.desk, (Facade(name="tests", rows=ROWS, refuse=refuse, realm="/t"),))


async def test_a_body_is_read_by_its_shape() -> None:
    visit = await Called().ask("PUT", "/t/one", JSON, body=b'{"name":"x","size":3}')
    assert (visit.status, told(visit)) == (200, {"name": "x", "size": 3})


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"name":"x","role":"owner"}', "role"),
        (b'{"name":1}', "name"),
        (b'{"size":1}', "name"),
        (b"[]", None),
        (b"{", None),
        (b"\xff\xfe", None),
    ],
)
async def test_a_body_of_another_shape_is_refused_with_the_field(body: bytes, param: str | None) -> None:
    visit = await Called().ask("PUT", "/t/one", JSON, body=body)
    assert (visit.status, told(visit)["error"].get("param")) == (400, param)
    assert told(visit)["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "kind", [b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b""]
)
async def test_a_body_that_a_form_could_send_is_not_read(kind: bytes) -> None:
    visit = await Called().ask("PUT", "/t/one", (b"content-type", kind), body=b'{"name":"x"}')
    assert visit.status == 415


@pytest.mark.parametrize(
    "kind", [b"application/json; charset=utf-8", b"application/yaml", b"application/merge-patch+json"]
)
async def test_json_and_yaml_come_under_several_names(kind: bytes) -> None:
    assert (await Called().ask("PUT", "/t/one", (b"content-type", kind), body=b'{"name":"x"}')).status == 200


async def test_a_body_is_bounded_by_its_row() -> None:
    assert (await Called().ask("PUT", "/t/one", JSON, body=b'{"name":"' + b"x" * 100 + b'"}')).status == 413


async def test_no_answer_is_kept_by_anybody() -> None:
    visit = await Called().ask("PUT", "/t/one", JSON, body=b'{"name":"x"}')
    assert visit.headers[b"cache-control"] == b"no-store"
    assert visit.headers[b"x-content-type-options"] == b"nosniff"


async def test_a_fault_of_ours_is_told_as_one_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    visit = await Called().ask("GET", "/broken")
    assert visit.status == 500
    assert "ZeroDivisionError" in caplog.text
    assert b"a mistake" not in visit.body


async def test_what_passes_says_when_to_come_again() -> None:
    visit = await Called().ask("GET", "/busy")
    assert (visit.status, visit.headers[b"retry-after"]) == (503, b"3")


async def test_a_wrong_method_is_told_the_right_ones() -> None:
    visit = await Called().ask("PATCH", "/t/one")
    assert (visit.status, visit.headers[b"allow"]) == (405, b"PUT")


async def test_an_answer_may_grow_until_its_end() -> None:
    visit = await Called().ask("GET", "/flow")
    assert visit.headers[b"content-type"] == b"text/event-stream"
    assert visit.body == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"


async def test_an_answer_that_grows_is_closed_when_its_client_leaves() -> None:
    called = Called()
    visit = Visit(called.app, "/endless", method="GET", headers=(HERE,))
    await visit.until(lambda seen: seen.body == b"data: first\n\n")
    visit.leave()
    await visit.done()
    assert ENDLESS.closed.is_set()


async def test_a_row_for_anyone_asks_for_nothing() -> None:
    visit = await Called(OWNER).ask("GET", "/open", peer=ELSEWHERE)
    assert visit.status == 400, "its handler was asked, and read no body"


async def test_what_was_done_is_kept_with_who_did_it(caplog: pytest.LogCaptureFixture) -> None:
    called = Called(OWNER, OPERATOR)
    with caplog.at_level(logging.INFO):
        await called.ask("PUT", "/t/one", JSON, key(OPERATOR), body=b'{"name":"x"}')
    [deed] = called.records.noted
    assert (deed.who, deed.role, deed.peer) == ("otto", "operator", "127.0.0.1")
    assert (deed.what, deed.on, deed.outcome, deed.at) == ("PUT /t/{name}", "one", "done", 1_700_000_000.0)
    assert "PUT /t/{name} one by otto (operator) from 127.0.0.1: done" in caplog.text


async def test_what_has_its_name_in_the_body_is_kept_by_it() -> None:
    called = Called()
    await called.ask("POST", "/t", JSON, body=b'{"name":"fresh"}')
    assert called.records.noted[0].on == "fresh"


@pytest.mark.parametrize(
    ("header", "outcome", "who"),
    [
        (key(VIEWER), "forbidden", "vera"),
        (key(b"wrong"), "unauthenticated", "nobody"),
        ((b"origin", b"https://attacker.example.com"), "forbidden", "nobody"),
    ],
)
async def test_what_was_refused_is_kept_too(header: Header, outcome: str, who: str) -> None:
    called = Called(OWNER, VIEWER)
    await called.ask("PUT", "/t/one", JSON, header, body=b'{"name":"x"}')
    assert [(deed.outcome, deed.who) for deed in called.records.noted] == [(outcome, who)]


async def test_looking_is_not_kept() -> None:
    called = Called()
    await called.ask("GET", "/flow")
    assert called.records.noted == []


async def test_a_flood_of_refusals_does_not_fill_the_store() -> None:
    called = Called(OWNER, remote=True)
    for _ in range(REFUSALS + 20):
        await called.ask("PUT", "/t/one", JSON, peer=ELSEWHERE)
    assert len(called.records.noted) == REFUSALS
    called.line.clock.move(60)
    await called.ask("PUT", "/t/one", JSON, key(OWNER), peer=ELSEWHERE)
    assert len(called.records.noted) == REFUSALS + 1


async def test_what_cannot_be_kept_is_done_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    called = Called()
    called.records.gone = True
    visit = await called.ask("PUT", "/t/one", JSON, body=b'{"name":"x"}')
    assert visit.status == 200
    assert "could not be kept" in caplog.text


async def test_a_body_that_is_needed_is_not_taken_for_an_empty_one() -> None:
    visit = await Called().ask("PUT", "/text")
    assert (visit.status, told(visit)["error"]["message"]) == (400, "a body is required here, and none came")
    assert (await Called().ask("POST", "/text")).status == 200
