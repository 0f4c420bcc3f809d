"""What was asked of several places leaves nothing behind that only the collector of cycles could free."""

import gc
from collections.abc import Callable, Iterator

import pytest
from test_continuation import GOES_ON, REST, ask, broken, going_on, two
from test_continuation import whole as rest
from test_hedged_requests import STREAMED, Idle, hedged, said, stream

from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.exchange import Exchange
from support.line import Line, provider


def cut() -> GatewayError:
    return GatewayError(Kind.CUT_SHORT, "reset")


def outrun() -> Line:
    return hedged([stream(Idle(), *said("one"))], [stream(*said("two"))])


def both_fail() -> Line:
    return hedged([stream(Idle(), cut())], [stream(cut())], [stream(*said("three"))])


def one_fails() -> Line:
    return hedged([stream(cut())], [stream(*said("two"))], hedge=None)


def goes_on() -> Line:
    return two(broken(), rest("openai_chat", *REST))


def goes_on_at_the_third() -> Line:
    return going_on(
        (provider("one"), [broken()]),
        (provider("two", profile=GOES_ON), [Scripted(b"{}", status=503)]),
        (provider("three", profile=GOES_ON), [rest("openai_chat", *REST)]),
    )


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("case", [outrun, both_fail, one_fails, goes_on, goes_on_at_the_third])
async def test_a_finished_exchange_is_freed_at_once(case: Callable[[], Line]) -> None:
    line = case()
    if case in (goes_on, goes_on_at_the_third):
        await ask(line)
    else:
        await line.ask(STREAMED)
    del line
    assert not [one for one in gc.get_objects() if isinstance(one, Exchange)]
