"""Whatever breaks off wherever: a caller has the whole text once and a good end, or an error and what was told."""

import asyncio
from collections.abc import Sequence
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from test_continuation import (
    CLIENTS,
    CUT,
    GOES_ON,
    ask,
    begin,
    ends_in_an_error,
    going_on,
    read,
    said,
    stream,
    text_of,
    wire,
)

from fakes.transport import Scripted
from isthmus.core.content import Text
from isthmus.core.events import TextDelta
from isthmus.core.operations import Operation
from isthmus.dialects.table import CODECS
from isthmus.engine.ending import end
from isthmus.engine.snapshot import Limits
from isthmus.providers.provider import Deadlines, Outgoing
from support.line import Line, provider
from support.streams import events_of

SPOKEN = ("openai_chat", "anthropic", "ollama")
"""What the three places speak. The model behind each goes on with a turn of the assistant."""
MOST = Limits().attempts
"""Attempts that a request has."""


class Reciter:
    """A transport to a model that knows one text. Each request it breaks off after so many characters of its own."""

    def __init__(self, text: str, breaks: Sequence[int]) -> None:
        self._text = text
        self._breaks = list(breaks)
        self.played: list[Scripted] = []

    async def send(self, outgoing: Outgoing, deadlines: Deadlines) -> Scripted:
        dialect = outgoing.origin.host.partition(".")[0].replace("-", "_")
        rest = self._text.removeprefix(self._begun(dialect, outgoing.body))
        pieces = [rest[at : at + 3] for at in range(0, len(rest), 3)]
        if self._breaks and self._breaks[0] < len(rest):
            told = rest[: self._breaks.pop(0)]
            answer = stream(dialect, *wire(dialect, said(told))[: 3 if told else 1], CUT)
        else:
            answer = stream(dialect, *wire(dialect, said(*pieces)))
        self.played.append(answer)
        return answer

    def _begun(self, dialect: str, body: bytes) -> str:
        last = CODECS[dialect, Operation.CHAT].read_request(body).messages[-1]
        begun = "".join(part.text for part in last.parts if isinstance(part, Text)) if last.role == "assistant" else ""
        assert self._text.startswith(begun), "a model was given what nobody had said"
        return begun


def reciting(text: str, breaks: Sequence[int]) -> Line:
    line = going_on(*((provider(name.replace("_", "-"), name, profile=GOES_ON), []) for name in SPOKEN))
    line.ports.transport = Reciter(text, breaks)
    return line


@patch("isthmus.routing.walk.BASE", 0.0)
@given(
    client=st.sampled_from(list(CLIENTS)),
    text=st.text(alphabet="ab \n\té🙂", min_size=1, max_size=40).filter(str.strip),
    breaks=st.lists(st.integers(0, 12), max_size=MOST + 2),
)
def test_no_word_is_lost_or_told_twice(client: str, text: str, breaks: list[int]) -> None:
    async def recite() -> None:
        line = reciting(text, breaks)
        body = await ask_anyhow(line, client)
        assert line.exchange is not None
        end(line.exchange, line.live.take(), line.ports)
        assert isinstance(line.ports.transport, Reciter)
        assert len(line.ports.transport.played) <= MOST
        assert all(answer.closed.is_set() for answer in line.ports.transport.played)
        if line.exchange.outcome == "answered":
            assert text_of(read(client, body)) == text
        else:
            assert ends_in_an_error(client, body)
            assert text.startswith(heard(client, body))

    asyncio.run(recite())


@patch("isthmus.routing.walk.BASE", 0.0)
@given(text=st.text(alphabet="ab ", min_size=20, max_size=40), breaks=st.lists(st.integers(1, 3), max_size=MOST - 1))
def test_nobody_is_told_an_error_while_there_is_somebody_to_ask(text: str, breaks: list[int]) -> None:
    async def recite() -> None:
        line = reciting(f"a{text}b", breaks)
        assert text_of(read("openai_chat", await ask(line))) == f"a{text}b"

    asyncio.run(recite())


async def ask_anyhow(line: Line, client: str) -> bytes:
    """The whole of a stream. A refusal, where not a word was told, is an error of its own."""
    answer = await begin(line, client)
    if answer.stream is not None:
        return b"".join([piece async for piece in answer.stream])
    assert line.exchange is not None
    assert line.exchange.error is not None
    return CODECS[client, Operation.CHAT].write_error_event(line.exchange.error)


def heard(client: str, body: bytes) -> str:
    events = events_of(CODECS[client, Operation.CHAT], [body])
    return "".join(event.text for event in events if isinstance(event, TextDelta))
