"""Limits in lists of models: told where the dialect has words for them, from whoever knows the model."""

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.facts import ModelFacts
from isthmus.core.operations import Operation
from isthmus.engine.discovery import ask_all, discover
from isthmus.engine.live import Live
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.provider import Provider
from isthmus.routing.plan import Route, Target, first_of
from isthmus.wire import json
from support.asgi import Visit, application
from support.line import Line, provider

LIST = b'{"data":[{"id":"large","context_length":100,"max_completion_tokens":30},{"id":"small"}]}'
AS_ANTHROPIC = [(b"anthropic-version", b"2023-06-01")]


def listed(name: str) -> Provider:
    return replace(
        provider(name),
        dialects={Operation.CHAT: ("openai_chat",), Operation.LIST_MODELS: ("openai_chat",)},
        models=(),
        listed=True,
    )


def line_of(*scripts: Scripted | GatewayError) -> Line:
    return Line([listed("ours")], {"ours": list(scripts)})


async def models(line: Line, path: str = "/v1/models", headers: object = AS_ANTHROPIC) -> object:
    visit = await Visit(application(line), path, method="GET", headers=headers).done()
    assert visit.status == 200
    return json.decode(visit.body)


async def test_what_a_provider_tells_is_told_on_in_anthropics_list() -> None:
    line = line_of(Scripted(LIST))
    assert await discover(line.live, line.transport)
    said = await models(line)
    assert [(one["id"], one.get("max_input_tokens"), one.get("max_tokens")) for one in said["data"]] == [
        ("large", 100, 30),
        ("small", None, None),
    ]


async def test_one_model_is_told_with_its_limits() -> None:
    line = line_of(Scripted(LIST))
    await discover(line.live, line.transport)
    assert (await models(line, "/v1/models/large"))["max_tokens"] == 30


async def test_what_is_known_otherwise_is_told_as_well() -> None:
    def known(provider: str, model: str, told: ModelFacts | None) -> ModelFacts:
        return ModelFacts(input_limit=7 if (provider, model) == ("ours", "large") else None)

    line = line_of()
    route = {"best": Route(tiers=first_of(Target("ours", "large")))}
    line.live = Live(Snapshot(providers={"ours": listed("ours")}, routes=route, facts=known))
    assert [(one["id"], one.get("max_input_tokens")) for one in (await models(line))["data"]] == [("best", 7)]


async def test_openais_list_has_no_words_for_limits() -> None:
    line = line_of(Scripted(LIST))
    await discover(line.live, line.transport)
    assert (await models(line, headers=()))["data"][0].keys() == {"id", "object", "created", "owned_by"}


async def test_what_was_told_goes_with_its_provider() -> None:
    line = line_of(Scripted(LIST))
    await discover(line.live, line.transport)
    assert line.live.take().told["ours"]["large"].context_limit == 100
    line.live.swap(Snapshot(providers={}))
    assert line.live.take().told == {}


@pytest.mark.parametrize("answer", [Scripted(status=500), GatewayError(Kind.UNREACHABLE, "no way"), Scripted(b"?")])
async def test_a_provider_that_does_not_say_tells_nothing(answer: Scripted | GatewayError) -> None:
    line = line_of(answer)
    assert await ask_all([listed("ours")], line.transport) == {"ours": None}
