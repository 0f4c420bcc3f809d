"""What OpenAI-like hosts do otherwise than OpenAI, each habit as a change of a body that is about to be sent.

Seen of self-hosted servers and resellers in public trackers; every one of them is met in the field.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Body = dict[str, Any]


def _spoken(body: Body) -> Iterator[Body]:
    """The message or delta of each choice."""
    for choice in body["choices"]:
        yield choice["message"] if "message" in choice else choice["delta"]


def _calls(body: Body) -> Iterator[Body]:
    for spoken in _spoken(body):
        yield from spoken.get("tool_calls") or ()


def _no_usage(body: Body) -> None:
    body.pop("usage", None)


def _says_stop(body: Body) -> None:
    for choice in body["choices"]:
        choice["finish_reason"] = choice["finish_reason"] and "stop"


def _no_index(body: Body) -> None:
    for call in _calls(body):
        call.pop("index", None)


def _one_index(body: Body) -> None:
    for call in _calls(body):
        call["index"] = 0


def _no_ids(body: Body) -> None:
    for call in _calls(body):
        call.pop("id", None)


def _blank_heads(body: Body) -> None:
    """Later pieces of a call carry an empty id and name in place of none."""
    for call in _calls(body):
        call.setdefault("id", "")
        call["function"].setdefault("name", "")


def _nulls(body: Body) -> None:
    """What is not there is there as null."""
    for spoken in _spoken(body):
        for name in ("content", "reasoning_content", "tool_calls", "function_call", "audio", "refusal"):
            spoken.setdefault(name, None)


def _extras(body: Body) -> None:
    """Fields that nobody else knows, on every level."""
    body["provider"] = "somewhere"
    for choice in body["choices"]:
        choice["native_finish_reason"] = choice["finish_reason"]
    for spoken in _spoken(body):
        spoken["channel"] = {"name": "final"}


HABITS: Mapping[str, Callable[[Body], None]] = {
    "no-usage": _no_usage,
    "says-stop": _says_stop,
    "no-index": _no_index,
    "one-index": _one_index,
    "no-ids": _no_ids,
    "blank-heads": _blank_heads,
    "nulls": _nulls,
    "extras": _extras,
}
