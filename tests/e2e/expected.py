"""What each scenario is to find, whatever the client and the provider, and where it is known to be otherwise."""

from collections.abc import Mapping
from typing import Any

import pytest

from fakes.scripts import HELLO

EXPECTED: Mapping[str, Any] = {
    "text": HELLO,
    "stream": HELLO,
    "tools": "Paris: fine in Paris; Oslo: fine in Oslo",
    "structured": {"city": "Paris", "degrees": 21},
    "bad key": 401,
    "unknown model": 404,
    "rate limit": 429,
    "broken stream": "raised",
}


def check(found: Mapping[str, Mapping[str, Mapping[str, Any]]], node: pytest.Item) -> None:
    """Hold what a script found (by client, provider and scenario) to what is expected, and note it for the table."""
    wrong = []
    for client, at in found.items():
        for provider, scenarios in at.items():
            for scenario, told in scenarios.items():
                good = told == EXPECTED[scenario]
                node.user_properties.append(("cell", (client, provider, scenario, "passed" if good else "failed")))
                if not good:
                    wrong.append(f"{client}, {provider}, {scenario}: {told}")
    assert not wrong, "\n".join(wrong)
