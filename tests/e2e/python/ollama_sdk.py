"""The Ollama SDK's chat and generate."""

import json
from typing import Any

import ollama
from tell import KEY, QUESTION, ROOT, SCHEMA, WRONG, at, get_weather, outcome_of, status_of, tell


def made(key: str) -> ollama.Client:
    return ollama.Client(host=ROOT, headers={"Authorization": f"Bearer {key}"})


client, stranger = made(KEY), made(WRONG)


def ask(model: str, asked: ollama.Client = client, **more: Any) -> Any:
    more.setdefault("messages", [{"role": "user", "content": QUESTION}])
    return asked.chat(model=model, **more)


def tools(provider: str) -> str:
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    first = ask(at("calls-two", provider), messages=messages, tools=[get_weather])
    messages.append(first.message)
    for call in first.message.tool_calls or ():
        told = get_weather(**call.function.arguments)
        messages.append({"role": "tool", "tool_name": call.function.name, "content": told})
    return str(ask(at("calls-two", provider), messages=messages, tools=[get_weather]).message.content)


tell(
    {
        "ollama-py": {
            "text": lambda at_: ask(at("says-hello", at_)).message.content,
            "stream": lambda at_: "".join(
                piece.message.content or "" for piece in ask(at("says-hello", at_), stream=True)
            ),
            "tools": tools,
            "structured": lambda at_: json.loads(ask(at("gives-json", at_), format=SCHEMA).message.content),
            "bad key": lambda at_: status_of(lambda: ask(at("says-hello", at_), stranger)),
            "unknown model": lambda at_: status_of(lambda: ask(at("nobody", at_))),
            "rate limit": lambda at_: status_of(lambda: ask(at("fails-429", at_))),
            "broken stream": lambda at_: outcome_of(lambda: ask(at("errs-midway", at_), stream=True)),
        },
        "ollama-py generate": {
            "text": lambda at_: client.generate(model=at("says-hello", at_), prompt=QUESTION).response,
            "stream": lambda at_: "".join(
                piece.response for piece in client.generate(model=at("says-hello", at_), prompt=QUESTION, stream=True)
            ),
        },
    }
)
