"""The Google Gen AI SDK."""

import json
from typing import Any

from google import genai
from google.genai import types
from tell import KEY, QUESTION, ROOT, SCHEMA, WRONG, Weather, at, get_weather, outcome_of, status_of, tell


def made(key: str) -> genai.Client:
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=ROOT))


client, stranger = made(KEY), made(WRONG)


def ask(model: str, asked: genai.Client = client, **config: Any) -> Any:
    return asked.models.generate_content(
        model=model, contents=QUESTION, config=types.GenerateContentConfig(**config) if config else None
    )


def heard(model: str) -> Any:
    return client.models.generate_content_stream(model=model, contents=QUESTION)


def structured(provider: str) -> Any:
    model = at("gives-json", provider)
    by_class = ask(model, response_mime_type="application/json", response_schema=Weather).parsed
    by_schema = json.loads(ask(model, response_mime_type="application/json", response_json_schema=SCHEMA).text)
    return by_schema if by_class.model_dump() == by_schema else [by_class.model_dump(), by_schema]


tell(
    {
        "google-genai-py": {
            "text": lambda at_: ask(at("says-hello", at_)).text,
            "stream": lambda at_: "".join(piece.text or "" for piece in heard(at("says-hello", at_))),
            "tools": lambda at_: ask(at("calls-two", at_), tools=[get_weather]).text,
            "structured": structured,
            "bad key": lambda at_: status_of(lambda: ask(at("says-hello", at_), stranger)),
            "unknown model": lambda at_: status_of(lambda: ask(at("nobody", at_))),
            "rate limit": lambda at_: status_of(lambda: ask(at("fails-429", at_))),
            "broken stream": lambda at_: outcome_of(lambda: heard(at("resets-midway", at_))),
        }
    }
)
