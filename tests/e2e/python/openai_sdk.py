"""The OpenAI SDK: chat completions, responses and completions."""

import json
from typing import Any

import openai
from tell import CITY, KEY, QUESTION, ROOT, SCHEMA, WRONG, at, get_weather, outcome_of, status_of, tell

client = openai.OpenAI(base_url=f"{ROOT}/v1", api_key=KEY, max_retries=0)
stranger = openai.OpenAI(base_url=f"{ROOT}/v1", api_key=WRONG, max_retries=0)
FUNCTION = {"name": "get_weather", "description": "Tell the weather of a city.", "parameters": CITY, "strict": True}


def said(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def ask(model: str, **more: Any) -> Any:
    return client.chat.completions.create(model=model, messages=more.pop("messages", said(QUESTION)), **more)


def streamed(model: str) -> str:
    pieces = ask(model, stream=True, stream_options={"include_usage": True})
    return "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)


def tools(provider: str) -> str:
    asked: dict[str, Any] = {"tools": [{"type": "function", "function": FUNCTION}], "messages": said(QUESTION)}
    with client.chat.completions.stream(model=at("calls-two", provider), **asked) as stream:
        message = stream.get_final_completion().choices[0].message
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.function.name, "arguments": call.function.arguments},
        }
        for call in message.tool_calls or []
    ]
    asked["messages"].append({"role": "assistant", "content": message.content, "tool_calls": calls})
    for call in reversed(message.tool_calls or []):
        told = get_weather(**json.loads(call.function.arguments))
        asked["messages"].append({"role": "tool", "tool_call_id": call.id, "content": told})
    return str(ask(at("calls-two", provider), **asked).choices[0].message.content)


def structured(provider: str) -> Any:
    form = {"type": "json_schema", "json_schema": {"name": "weather", "schema": SCHEMA, "strict": True}}
    return json.loads(ask(at("gives-json", provider), response_format=form).choices[0].message.content)


def respond(model: str, **more: Any) -> Any:
    return client.responses.create(model=model, input=more.pop("input", QUESTION), **more)


def responded(model: str) -> str:
    with client.responses.stream(model=model, input=QUESTION) as stream:
        return stream.get_final_response().output_text


def response_tools(provider: str) -> str:
    model, asked = at("calls-two", provider), {"tools": [{"type": "function", **FUNCTION}]}
    first = respond(model, **asked)
    told = [
        {"type": "function_call_output", "call_id": item.call_id, "output": get_weather(**json.loads(item.arguments))}
        for item in first.output
        if item.type == "function_call"
    ]
    return str(respond(model, input=told, previous_response_id=first.id, **asked).output_text)


def response_structured(provider: str) -> Any:
    form = {"format": {"type": "json_schema", "name": "weather", "schema": SCHEMA, "strict": True}}
    return json.loads(respond(at("gives-json", provider), text=form).output_text)


def unanswered(model: str) -> Any:
    return status_of(lambda: stranger.responses.create(model=model, input=QUESTION))


tell(
    {
        "openai-py chat": {
            "text": lambda at_: ask(at("says-hello", at_)).choices[0].message.content,
            "stream": lambda at_: streamed(at("says-hello", at_)),
            "tools": tools,
            "structured": structured,
            "bad key": lambda at_: status_of(
                lambda: stranger.chat.completions.create(model=at("says-hello", at_), messages=said("?"))
            ),
            "unknown model": lambda at_: status_of(lambda: ask(at("nobody", at_))),
            "rate limit": lambda at_: status_of(lambda: ask(at("fails-429", at_))),
            "broken stream": lambda at_: outcome_of(lambda: ask(at("ends-midway", at_), stream=True)),
        },
        "openai-py responses": {
            "text": lambda at_: respond(at("says-hello", at_)).output_text,
            "stream": lambda at_: responded(at("says-hello", at_)),
            "tools": response_tools,
            "structured": response_structured,
            "bad key": lambda at_: unanswered(at("says-hello", at_)),
            "unknown model": lambda at_: status_of(lambda: respond(at("nobody", at_))),
            "rate limit": lambda at_: status_of(lambda: respond(at("fails-429", at_))),
        },
        "openai-py completions": {
            "text": lambda at_: client.completions.create(model=at("says-hello", at_), prompt="Hi").choices[0].text,
            "stream": lambda at_: "".join(
                piece.choices[0].text
                for piece in client.completions.create(model=at("says-hello", at_), prompt="Hi", stream=True)
                if piece.choices
            ),
        },
    }
)
