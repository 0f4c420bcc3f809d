"""The Anthropic SDK's messages."""

import json
from typing import Any

import anthropic
from tell import CITY, KEY, QUESTION, ROOT, SCHEMA, WRONG, at, get_weather, outcome_of, status_of, tell

client = anthropic.Anthropic(base_url=ROOT, api_key=KEY, max_retries=0)
stranger = anthropic.Anthropic(base_url=ROOT, api_key=WRONG, max_retries=0)
TOOL = {"name": "get_weather", "description": "Tell the weather of a city.", "input_schema": CITY}


def ask(model: str, asked: Any = client, **more: Any) -> Any:
    more.setdefault("messages", [{"role": "user", "content": QUESTION}])
    return asked.messages.create(model=model, max_tokens=512, **more)


def words(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def opened(model: str, **more: Any) -> Any:
    more.setdefault("messages", [{"role": "user", "content": QUESTION}])
    return client.messages.stream(model=model, max_tokens=512, **more)


def streamed(provider: str) -> str:
    with opened(at("says-hello", provider)) as stream:
        return "".join(stream.text_stream)


def tools(provider: str) -> str:
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    with opened(at("calls-two", provider), tools=[TOOL], messages=messages) as stream:
        first = stream.get_final_message()
    messages.append({"role": "assistant", "content": first.content})
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": get_weather(**block.input)}
        for block in reversed(first.content)
        if block.type == "tool_use"
    ]
    messages.append({"role": "user", "content": results})
    return words(ask(at("calls-two", provider), tools=[TOOL], messages=messages))


def structured(provider: str) -> Any:
    form = {"format": {"type": "json_schema", "schema": SCHEMA}}
    return json.loads(words(ask(at("gives-json", provider), output_config=form)))


def heard(model: str) -> Any:
    with opened(model) as stream:
        yield from stream


tell(
    {
        "anthropic-py": {
            "text": lambda at_: words(ask(at("says-hello", at_))),
            "stream": streamed,
            "tools": tools,
            "structured": structured,
            "bad key": lambda at_: status_of(lambda: ask(at("says-hello", at_), stranger)),
            "unknown model": lambda at_: status_of(lambda: ask(at("nobody", at_))),
            "rate limit": lambda at_: status_of(lambda: ask(at("fails-429", at_))),
            "broken stream": lambda at_: outcome_of(lambda: heard(at("errs-midway", at_))),
        }
    }
)
