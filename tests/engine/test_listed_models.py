"""Lists of models for people who choose: asked for once in a while, and only when somebody wants one."""

import asyncio

import pytest

from fakes.clock import FakeClock
from fakes.transport import Scripted, ScriptedTransport
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.listed_models import FAILED_FOR, FOR, PROVIDERS_KEPT, ListedModel, ListedModels
from isthmus.providers.build import build
from isthmus.providers.provider import Provider
from isthmus.providers.table import PROVIDERS

LIST = (
    b'{"data":[{"id":"a/b:free","name":"B","context_length":4096,"supported_parameters":["tools"],"pricing":{}},'
    b'{"id":"a/c"}]}'
)
FOUND = (ListedModel("a/b:free", "B", 4096, ("tools",)), ListedModel("a/c"))


def provider(name: str = "kilo") -> Provider:
    return build(PROVIDERS["compatible"], name=name, base_url=f"https://{name}.example.com/v1")


class Shelf:
    """Lists that come from a script."""

    def __init__(self, *answers: Scripted | GatewayError, name: str = "kilo") -> None:
        self.clock = FakeClock()
        self.transport = ScriptedTransport({f"{name}.example.com": answers})
        self.lists = ListedModels(self.transport, self.clock)


async def test_a_list_is_asked_for_without_a_key_and_kept_for_ten_minutes() -> None:
    shelf = Shelf(Scripted(LIST), Scripted(b'{"data":[]}'))
    assert await shelf.lists.of(provider()) == FOUND
    shelf.clock.move(FOR - 1)
    assert await shelf.lists.of(provider()) == FOUND
    (sent,) = shelf.transport.sent
    assert sent.target == "/v1/models"
    assert b"authorization" not in dict(sent.headers)
    shelf.clock.move(2)
    assert await shelf.lists.of(provider()) == ()


async def test_whoever_asks_while_it_is_on_its_way_waits_for_it() -> None:
    gate = asyncio.Event()
    shelf = Shelf(Scripted(gate, LIST))
    asked = [asyncio.create_task(shelf.lists.of(provider())) for _ in range(5)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*asked) == [FOUND] * 5
    assert len(shelf.transport.sent) == 1


@pytest.mark.parametrize(
    "answer",
    [
        GatewayError(Kind.UNREACHABLE, "no such host"),
        Scripted(b"no", status=500),
        Scripted(b"<html>"),
        Scripted(b'{"data":[{"id":7}]}'),
    ],
)
async def test_a_provider_without_a_list_is_asked_again_after_a_while(answer: Scripted | GatewayError) -> None:
    shelf = Shelf(answer, Scripted(LIST))
    assert await shelf.lists.of(provider()) is None
    assert await shelf.lists.of(provider()) is None
    shelf.clock.move(FAILED_FOR + 1)
    assert await shelf.lists.of(provider()) == FOUND


async def test_only_so_many_lists_are_kept() -> None:
    names = [f"p{number}" for number in range(PROVIDERS_KEPT + 1)]
    shelf = Shelf()
    shelf.transport.scripts = {f"{name}.example.com": [Scripted(LIST), Scripted(LIST)] for name in names}
    for name in (*names, names[0]):
        await shelf.lists.of(provider(name))
    assert len(shelf.transport.sent) == len(names) + 1


def test_a_model_is_free_that_says_so() -> None:
    assert [one.is_free for one in FOUND] == [True, False]
