"""Spellings of a Converse request that mean the same.

An empty object or list and none; two turns of one role in a row and one; an effort among Claude's own fields and
among Converse's; the wish to be told the stop sequence, which is always told of Claude, and none.
"""

from typing import Any

from isthmus.wire import json


def plain_request(body: bytes) -> dict[str, Any]:
    """The request in one of its spellings."""
    plain: dict[str, Any] = json.decode(body)
    older = plain.get("additionalModelRequestFields", {}).pop("output_config", {})
    plain["outputConfig"] = {**plain.get("outputConfig", {}), **older}
    if plain.get("additionalModelResponseFieldPaths") == ["/stop_sequence"]:
        del plain["additionalModelResponseFieldPaths"]
    turns: list[dict[str, Any]] = []
    for turn in plain.pop("messages"):
        if turns and turns[-1]["role"] == turn["role"]:
            turns[-1]["content"] += turn["content"]
        else:
            turns.append(turn)
    return {"messages": turns, **{name: value for name, value in plain.items() if value not in ({}, [])}}
