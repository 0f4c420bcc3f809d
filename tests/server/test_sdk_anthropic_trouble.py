"""The official Anthropic SDK in trouble: its own error classes, streams that break, calls that are left."""

import asyncio
from collections.abc import Iterator

import anthropic
import pytest

from fakes.anthropic_sdk import asynchronous, synchronous, text_of, user, whole
from fakes.clients import Door, left_within, straight_to, through
from fakes.gateway import RunningGateway
from fakes.scripts import HELLO, TOO_LONG
from fakes.upstream import Upstream


@pytest.fixture(params=["straight", "anthropic", "openai"])
def door(request: pytest.FixtureRequest) -> Door:
    if request.param == "straight":
        return straight_to(request.getfixturevalue("upstream"), "anthropic")
    return through(request.getfixturevalue("gateway"), request.param)


@pytest.fixture
def client(door: Door) -> Iterator[anthropic.Anthropic]:
    with synchronous(door) as made:
        yield made


def test_models_are_listed_and_fetched(door: Door, client: anthropic.Anthropic) -> None:
    listed = {model.id for model in client.models.list()}
    assert {"says-hello", "calls-two"} <= listed
    found = client.models.retrieve("says-hello")
    assert (found.id, found.type) == ("says-hello", "model")
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nobody-has-this")


ERRORS = {
    "fails-400": anthropic.BadRequestError,
    "too-long": anthropic.BadRequestError,
    "fails-404": anthropic.NotFoundError,
    "fails-429": anthropic.RateLimitError,
    "fails-500": anthropic.InternalServerError,
    "nobody-has-this": anthropic.NotFoundError,
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", ERRORS)
def test_errors_become_the_sdks_own_classes(door: Door, client: anthropic.Anthropic, model: str, stream: bool) -> None:
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(max_tokens=64, model=door.model(model), messages=[user("Hello?")], stream=stream)
    assert type(caught.value) is ERRORS[model]
    body = caught.value.body
    assert isinstance(body, dict)
    assert body["type"] == "error"
    assert body["error"]["message"]
    assert body["error"]["type"].endswith("_error")


def test_a_prompt_that_is_too_long_says_so_in_the_providers_words(door: Door, client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match=TOO_LONG):
        client.messages.create(max_tokens=64, model=door.model("too-long"), messages=[user("Hello?")])


def test_a_rate_limit_says_when_to_come_back(door: Door, client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.RateLimitError, match="Rate limit reached for the scripted model") as caught:
        client.messages.create(max_tokens=64, model=door.model("fails-429"), messages=[user("Hello?")])
    assert caught.value.response.headers["retry-after"] == "7"


def test_a_wrong_key_is_an_authentication_error(door: Door) -> None:
    stranger = Door(door.root, "sk-stranger", door.prefix, door.behind)
    with pytest.raises(anthropic.AuthenticationError):
        whole(stranger, model=door.model("says-hello"), messages=[user("Hello?")])


def test_a_key_is_taken_in_either_header(gateway: RunningGateway) -> None:
    door = through(gateway, "anthropic")
    for names in ({"api_key": door.key}, {"auth_token": door.key}):
        with anthropic.Anthropic(base_url=door.root, max_retries=0, **names) as client:
            reply = client.messages.create(max_tokens=64, model=door.model("says-hello"), messages=[user("Hello?")])
        assert text_of(reply) == HELLO


@pytest.mark.parametrize("model", ["resets-midway", "ends-midway", "errs-midway"])
@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_broken_stream_raises_and_never_finishes(gateway: RunningGateway, model: str, provider: str) -> None:
    door, heard = through(gateway, provider), []
    with synchronous(door) as client:
        stream = client.messages.create(max_tokens=64, model=door.model(model), messages=[user("Hello?")], stream=True)
        with stream, pytest.raises(anthropic.APIError):
            heard.extend(stream)
    text = "".join(event.delta.text for event in heard if event.type == "content_block_delta")
    assert text, "what came before the break is passed on"
    assert HELLO.startswith(text)
    assert not {"message_delta", "message_stop"} & {event.type for event in heard}, "a broken answer must not finish"


def test_the_provider_sees_at_once_that_a_stream_was_left(
    door: Door, client: anthropic.Anthropic, upstream: Upstream
) -> None:
    def leave(model: str) -> None:
        asked = {"model": door.model(model), "messages": [user("Count.")]}
        with client.messages.stream(max_tokens=4096, **asked) as stream:
            next(stream.text_stream)

    left_within(0.2, upstream, "speaks-slowly", leave)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_provider_sees_at_once_that_a_silent_call_was_left(door: Door, upstream: Upstream, stream: bool) -> None:
    def leave(model: str) -> None:
        async def talk() -> None:
            async with asynchronous(door) as client:
                asked = {"model": door.model(model), "messages": [user("Hello?")], "stream": stream}
                call = asyncio.ensure_future(client.messages.create(max_tokens=64, **asked))
                await asyncio.to_thread(upstream.wait_for_request, model)
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)

        asyncio.run(talk())

    left_within(0.2, upstream, "never-answers", leave)
