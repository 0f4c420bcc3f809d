"""The official OpenAI SDK in trouble: its own error classes, streams that break, calls that are left."""

import asyncio
from collections.abc import Iterator

import openai
import pytest

from fakes.clients import Door, left_within, straight_to, through
from fakes.gateway import RunningGateway
from fakes.openai_sdk import asynchronous, synchronous, user, whole
from fakes.scripts import HELLO
from fakes.upstream import Upstream


@pytest.fixture(params=["straight", "openai", "anthropic"])
def door(request: pytest.FixtureRequest) -> Door:
    if request.param == "straight":
        return straight_to(request.getfixturevalue("upstream"), "openai")
    return through(request.getfixturevalue("gateway"), request.param)


@pytest.fixture
def client(door: Door) -> Iterator[openai.OpenAI]:
    with synchronous(door) as made:
        yield made


def test_models_are_listed_and_fetched(door: Door, client: openai.OpenAI) -> None:
    listed = {model.id for model in client.models.list()}
    assert {"says-hello", "calls-two"} <= listed
    assert client.models.retrieve("says-hello").id == "says-hello"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody-has-this")


ERRORS = {
    "fails-400": openai.BadRequestError,
    "too-long": openai.BadRequestError,
    "fails-404": openai.NotFoundError,
    "fails-429": openai.RateLimitError,
    "fails-500": openai.InternalServerError,
    "nobody-has-this": openai.NotFoundError,
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", ERRORS)
def test_errors_become_the_sdks_own_classes(door: Door, client: openai.OpenAI, model: str, stream: bool) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model=door.model(model), messages=[user("Hello?")], stream=stream)
    assert type(caught.value) is ERRORS[model]
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["message"]


def test_a_rate_limit_says_when_to_come_back(door: Door, client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError, match="Rate limit reached for the scripted model") as caught:
        client.chat.completions.create(model=door.model("fails-429"), messages=[user("Hello?")])
    assert caught.value.response.headers["retry-after"] == "7"


def test_a_wrong_key_is_an_authentication_error(door: Door) -> None:
    stranger = Door(door.root, "sk-stranger", door.prefix, door.behind)
    with pytest.raises(openai.AuthenticationError):
        whole(stranger, model=door.model("says-hello"), messages=[user("Hello?")])


@pytest.mark.parametrize("model", ["resets-midway", "ends-midway", "errs-midway"])
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_broken_stream_raises_and_never_finishes(gateway: RunningGateway, model: str, provider: str) -> None:
    door = through(gateway, provider)
    heard = []
    with synchronous(door) as client:
        stream = client.chat.completions.create(model=door.model(model), messages=[user("Hello?")], stream=True)
        with stream, pytest.raises(openai.APIError):
            heard.extend(chunk.choices[0] for chunk in stream)
    assert HELLO.startswith("".join(choice.delta.content or "" for choice in heard))
    assert any(choice.delta.content for choice in heard), "what came before the break is passed on"
    assert not any(choice.finish_reason for choice in heard), "a broken answer has no finish reason"


def test_the_provider_sees_at_once_that_a_stream_was_left(
    door: Door, client: openai.OpenAI, upstream: Upstream
) -> None:
    def leave(model: str) -> None:
        stream = client.chat.completions.create(model=door.model(model), messages=[user("Count.")], stream=True)
        with stream:
            next(chunk for chunk in stream if chunk.choices[0].delta.content)

    left_within(0.2, upstream, "speaks-slowly", leave)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_provider_sees_at_once_that_a_silent_call_was_left(door: Door, upstream: Upstream, stream: bool) -> None:
    def leave(model: str) -> None:
        async def talk() -> None:
            async with asynchronous(door) as client:
                call = asyncio.ensure_future(
                    client.chat.completions.create(model=door.model(model), messages=[user("Hello?")], stream=stream)
                )
                await asyncio.to_thread(upstream.wait_for_request, model)
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)

        asyncio.run(talk())

    left_within(0.2, upstream, "never-answers", leave)
