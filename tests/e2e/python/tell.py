"""What the scripts of Python clients share: whom they talk to, and how they tell what they found.

Arguments: the gateway's address, the key, and the providers behind it. A scenario is a function that takes the name of
a provider; what it returns is told as JSON, and what it raises is told in words.
"""

import json
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import BaseModel

ROOT, KEY, *PROVIDERS = sys.argv[1:]
WRONG = "sk-nobody-0123456789"
QUESTION = "What is the weather in Paris and Oslo?"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Which city."}},
    "required": ["city"],
    "additionalProperties": False,
}
Scenario = Callable[[str], Any]


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


def get_weather(city: str) -> str:
    """Tell the weather of a city.

    Args:
        city: Which city.
    """
    return f"fine in {city}"


def at(script: str, provider: str) -> str:
    """The model's name at the gateway."""
    return f"{script}-on-{provider}"


def status_of(ask: Callable[[], Any]) -> Any:
    """The status that the client found in the error, wherever it keeps it."""
    try:
        ask()
    except Exception as error:
        found: BaseException | None = error
        while found is not None:
            for name in ("status_code", "code", "status"):
                if isinstance(getattr(found, name, None), int):
                    return getattr(found, name)
            found = found.__cause__ or found.__context__
        return f"{type(error).__name__}: {error}"
    return "nothing was raised"


def outcome_of(pieces: Callable[[], Iterable[Any]]) -> str:
    """How a stream ends for its reader."""
    try:
        for _ in pieces():
            pass
    except Exception:
        return "raised"
    return "ended"


def tell(clients: dict[str, dict[str, Scenario]]) -> None:
    found = {
        client: {
            provider: {name: _tried(scenario, provider) for name, scenario in scenarios.items()}
            for provider in PROVIDERS
        }
        for client, scenarios in clients.items()
    }
    print(json.dumps(found))


def _tried(scenario: Scenario, provider: str) -> Any:
    try:
        return scenario(provider)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[0]
        return f"{type(error).__name__}: {error} (line {last.lineno}...)"[:2000]
