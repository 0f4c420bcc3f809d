"""pydantic-ai's agents, over three libraries."""

from collections.abc import Callable
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider
from tell import KEY, QUESTION, ROOT, WRONG, Scenario, Weather, at, get_weather, status_of, tell

Make = Callable[[str, str], Model]


def chat(name: str, key: str) -> Model:
    return OpenAIChatModel(name, provider=OpenAIProvider(base_url=f"{ROOT}/v1", api_key=key))


def responses(name: str, key: str) -> Model:
    return OpenAIResponsesModel(name, provider=OpenAIProvider(base_url=f"{ROOT}/v1", api_key=key))


def messages(name: str, key: str) -> Model:
    return AnthropicModel(name, provider=AnthropicProvider(base_url=ROOT, api_key=key))


def gemini(name: str, key: str) -> Model:
    return GoogleModel(name, provider=GoogleProvider(base_url=ROOT, api_key=key))


def scenarios(make: Make) -> dict[str, Scenario]:
    def run(script: str, provider: str, key: str = KEY, **more: Any) -> Any:
        return Agent(make(at(script, provider), key), retries=0, **more).run_sync(QUESTION).output

    def streamed(provider: str) -> str:
        agent = Agent(make(at("says-hello", provider), KEY), retries=0)
        return "".join(agent.run_stream_sync(QUESTION).stream_text(delta=True))

    return {
        "text": lambda at_: run("says-hello", at_),
        "stream": streamed,
        "tools": lambda at_: run("calls-two", at_, tools=[get_weather]),
        "structured": lambda at_: run("gives-json", at_, output_type=Weather).model_dump(),
        "bad key": lambda at_: status_of(lambda: run("says-hello", at_, WRONG)),
        "unknown model": lambda at_: status_of(lambda: run("nobody", at_)),
    }


tell(
    {
        "pydantic-ai openai": scenarios(chat),
        "pydantic-ai responses": scenarios(responses),
        "pydantic-ai anthropic": scenarios(messages),
        "pydantic-ai google": scenarios(gemini),
    }
)
