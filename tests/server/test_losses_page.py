"""What an exchange lost can be read by its id afterwards, by an administrator."""

import hashlib
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.engine.management import Actor, Management, Role
from isthmus.telemetry.recent import RecentLosses
from isthmus.wire import json
from support.asgi import Visit, application
from support.line import Line, provider

LOSSY = b'{"model":"m","seed":7,"messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hello"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}'
)
HOME = (b"host", b"127.0.0.1:8317")
KEY = b"manage-me-0123456789"


def line() -> Line:
    made = Line([provider("one", "anthropic")], {"one": [Scripted(ANSWER)]})
    snapshot = made.live.take().snapshot
    owner = {hashlib.sha256(KEY).digest(): Actor("owner", Role.OWNER)}
    made.live.swap(replace(snapshot, management=Management(secrets=owner)))
    return made


async def look(made: Line, name: str, *headers: tuple[bytes, bytes]) -> tuple[int, Mapping[str, object]]:
    visit = Visit(application(made), f"/admin/losses/{name}", method="GET", headers=headers)
    await visit.done()
    return visit.status, json.decode(visit.body)


async def asked() -> tuple[Line, str]:
    made = line()
    visit = await Visit(application(made), "/v1/chat/completions", LOSSY).done()
    return made, visit.headers[b"x-isthmus-id"].decode()


async def test_every_loss_is_told_with_path_deed_and_reason() -> None:
    made, name = await asked()
    status, told = await look(made, name, HOME)
    assert status == 200
    assert {"path": "sampling.seed", "deed": "dropped"}.items() <= told["losses"][0].items()  # type: ignore[index]
    assert told["losses"][0]["reason"]  # type: ignore[index]
    assert (told["id"], told["more"]) == (name, 0)


async def test_an_exchange_that_nobody_remembers_is_not_found() -> None:
    status, told = await look(line(), "ex_nothing", HOME)
    assert status == 404
    assert "the log" in told["error"]["message"]  # type: ignore[index]


@pytest.mark.parametrize(
    "headers",
    [
        (HOME, (b"origin", b"https://attacker.example.com")),
        ((b"host", b"rebound.example.com:8317"),),
        ((b"host", b"rebound.example.com"), (b"authorization", b"Bearer wrong")),
        (),
    ],
    ids=["a page of another origin", "a name that was rebound", "a wrong key", "no host"],
)
async def test_nobody_else_may_look(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    made, name = await asked()
    status, _ = await look(made, name, *headers)
    assert status in (401, 403)


@pytest.mark.parametrize("header", [(b"authorization", b"Bearer " + KEY), (b"x-management-key", KEY)])
async def test_the_management_key_opens_it_from_anywhere(header: tuple[bytes, bytes]) -> None:
    made, name = await asked()
    status, _ = await look(made, name, (b"host", b"gateway.example.com"), header)
    assert status == 200


async def test_only_so_many_are_kept_and_those_without_losses_take_no_place() -> None:
    made = line()
    recent = RecentLosses(lambda: None, kept=2)
    for number in range(4):
        exchange = made.open()
        exchange.id = f"ex_{number}"
        if number:
            exchange.losses.drop("somewhere", "because")
        recent.take([exchange])
    assert [recent.of(f"ex_{number}") is not None for number in range(4)] == [False, False, True, True]
