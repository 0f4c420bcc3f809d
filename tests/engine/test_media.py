"""Files by URL, for providers that fetch nothing."""

import pytest

from fakes.clock import FakeClock
from isthmus.core.chat import ChatRequest, Message, Role
from isthmus.core.content import FileRef, Inline, Media, MediaKind, Source, Text, ToolResult, Url
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.media import MOST, inline_media
from isthmus.state.memory import BoundedMemory
from isthmus.wire import json
from support.line import Line, provider

CAT = "https://files.example.com/cat.png"
PICTURE = Inline("image/png", "Y2F0")


class Shelf:
    """Implements the engine's Fetcher."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, url: str) -> Inline:
        self.asked.append(url)
        if url.endswith("gone"):
            raise GatewayError(Kind.INVALID, "it is gone")
        return PICTURE


def image(source: Source) -> Media:
    return Media(MediaKind.IMAGE, source)


def asking(*parts: Text | Media) -> ChatRequest:
    result = ToolResult("call_a", parts)
    return ChatRequest(model="m", messages=(Message(Role.USER, (result, *parts)),))


async def test_a_file_is_fetched_once_and_put_wherever_it_is_named() -> None:
    shelf = Shelf()
    request = await inline_media(asking(Text("See"), image(Url(CAT))), shelf, None)
    assert request == asking(Text("See"), image(PICTURE))
    assert shelf.asked == [CAT]


async def test_the_same_url_gives_the_same_bytes_in_the_next_turn() -> None:
    shelf, memory = Shelf(), BoundedMemory(FakeClock().now)
    for _ in range(2):
        assert await inline_media(asking(image(Url(CAT))), shelf, memory) == asking(image(PICTURE))
    assert shelf.asked == [CAT]


@pytest.mark.parametrize("source", [PICTURE, FileRef("gemini", "files/1"), Url("gs://bucket/cat.png")])
async def test_what_is_not_on_the_web_is_left_alone(source: Source) -> None:
    shelf, request = Shelf(), asking(image(source))
    assert await inline_media(request, shelf, None) == request
    assert shelf.asked == []


async def test_a_file_that_cannot_be_had_is_told() -> None:
    with pytest.raises(GatewayError, match="it is gone"):
        await inline_media(asking(image(Url(CAT)), image(Url("http://files.example.com/gone"))), Shelf(), None)


async def test_there_is_a_bound_to_the_files_of_a_request() -> None:
    many = [image(Url(f"{CAT}?{number}")) for number in range(MOST + 1)]
    with pytest.raises(GatewayError, match="20 files by URL"):
        await inline_media(asking(*many), Shelf(), None)


@pytest.mark.parametrize(("dialect", "sent"), [("ollama", True), ("bedrock", True), ("anthropic", False)])
async def test_only_for_providers_that_fetch_nothing_a_file_is_fetched(dialect: str, sent: bool) -> None:
    shelf, made = Shelf(), Line([provider("one", dialect)], {"one": [GatewayError(Kind.UNREACHABLE, "refused")] * 2})
    made.ports.fetcher = shelf
    picture = {"type": "image_url", "image_url": {"url": CAT}}
    await made.ask(json.encode({"model": "m", "messages": [{"role": "user", "content": [picture]}]}))
    assert shelf.asked == ([CAT] if sent else [])
    assert (b"Y2F0" in made.transport.sent[0].body) is sent
