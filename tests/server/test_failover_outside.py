"""A route with two providers of different dialects: whatever the first one does wrong, the caller hears the second."""

import json
from collections.abc import Iterator

import pytest

from fakes.clients import Door
from fakes.gateway import CLIENT_KEY, RunningGateway, between, open_gateway
from fakes.raw import ask, text_of
from fakes.scripts import HELLO, MIDSTREAM_ERRORS
from fakes.upstream import Upstream, questions

DIALECTS = ("openai", "anthropic")
PASSED_OVER = (
    "fails-401",
    "fails-404",
    "fails-429",
    "fails-500",
    "fails-529",
    "too-long",
    "sends-html",
    "sends-html-error",
    "sends-error-body",
    "drops",
    "cuts-body",
)
PASSED_OVER_IN_A_STREAM = ("resets-at-once", "errs-at-once")
KEPT = ("fails-400", "fails-413")


def routes() -> str:
    """Each name is what the first provider does; the second one always says hello."""
    models = (*PASSED_OVER, *PASSED_OVER_IN_A_STREAM, *KEPT, "errs-midway")
    return "routes:\n" + "".join(
        f"  {model}-of-{first}: [{first}/{model}, {second}/says-hello]\n"
        for first, second in (DIALECTS, DIALECTS[::-1])
        for model in models
    )


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with open_gateway(between(upstream, more=routes()), tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture(params=DIALECTS, ids=lambda dialect: f"{dialect}-client")
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=DIALECTS, ids=lambda dialect: f"{dialect}-first")
def first(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def door(gateway: RunningGateway) -> Door:
    return Door(gateway.root, CLIENT_KEY, "", "")


@pytest.mark.parametrize("model", PASSED_OVER)
def test_a_whole_answer_comes_from_the_next_provider(dialect: str, first: str, door: Door, model: str) -> None:
    heard = ask(door, dialect, f"{model}-of-{first}")
    assert heard.status == 200, heard.body
    body = heard.json
    said = body["content"][0]["text"] if dialect == "anthropic" else body["choices"][0]["message"]["content"]
    assert said == HELLO


@pytest.mark.parametrize("model", [*PASSED_OVER, *PASSED_OVER_IN_A_STREAM])
def test_a_stream_comes_from_the_next_provider(dialect: str, first: str, door: Door, model: str) -> None:
    heard = ask(door, dialect, f"{model}-of-{first}", stream=True)
    assert heard.status == 200, heard.body
    assert text_of(heard.body, dialect) == HELLO, "something of the first provider's answer was heard, or nothing"
    ending = b"message_stop" if dialect == "anthropic" else b"[DONE]"
    assert ending in heard.body


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", KEPT)
def test_what_is_wrong_with_the_request_is_not_asked_twice(
    dialect: str, first: str, door: Door, upstream: Upstream, model: str, stream: bool
) -> None:
    before = questions(upstream)
    heard = ask(door, dialect, f"{model}-of-{first}", stream=stream)
    assert heard.status == int(model.removeprefix("fails-"))
    assert questions(upstream) == before + 1


def test_after_the_first_words_nobody_else_is_asked(dialect: str, first: str, door: Door, upstream: Upstream) -> None:
    before = questions(upstream)
    heard = ask(door, dialect, f"errs-midway-of-{first}", stream=True)
    assert json.loads(heard.events[-1][1])["error"]["message"] == MIDSTREAM_ERRORS["error"]
    assert questions(upstream) == before + 1, "words that were heard cannot be taken back"
