"""One chat request. `None` always means "the caller did not say"; the core never fills a default."""

from enum import StrEnum
from typing import TypeAlias

from msgspec import Raw

from isthmus.core.content import CacheMark, Part, Text
from isthmus.core.value import Extra, Foreign, Value


class Role(StrEnum):
    SYSTEM = "system"
    DEVELOPER = "developer"
    USER = "user"
    ASSISTANT = "assistant"


class Message(Value, frozen=True):
    """One turn. System text stays where it was said. Tool results are parts of a USER message.

    Results that answer one assistant turn, and the user text right behind them, are one
    USER message: the results first, in the caller's order, then the rest.
    """

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    extra: Extra | None = None


SILENT = (Message(Role.USER, ()), Message(Role.USER, (Text(""),)))
"""Turns that leave nothing where results are in front of them: what follows is joined in their place."""


class Tool(Value, frozen=True):
    """A function the model may call. `schema` is the JSON Schema of its arguments, word for word."""

    name: str
    about: str | None = None
    schema: Raw | None = None
    strict: bool | None = None
    cache: CacheMark | None = None
    extra: Extra | None = None


class ToolMode(StrEnum):
    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"
    NAMED = "named"


class ToolChoice(Value, frozen=True):
    """Whether and which tool must be called. `name` is set exactly when the mode is NAMED."""

    mode: ToolMode
    name: str | None = None


class Sampling(Value, frozen=True):
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None


class ReasoningMode(StrEnum):
    OFF = "off"
    ON = "on"
    ADAPTIVE = "adaptive"


class ReasoningOptions(Value, frozen=True):
    """How much the model may think. An explicit `budget` (tokens) outranks `effort`, which outranks `mode`.

    `effort` is one of none, minimal, low, medium, high, xhigh, max, or a newer word passed as it is.
    `show` is how much of the thinking the caller wants to see, in the caller's word.
    """

    mode: ReasoningMode | None = None
    effort: str | None = None
    budget: int | None = None
    show: str | None = None
    extra: Extra | None = None


class OutputKind(StrEnum):
    TEXT = "text"
    JSON = "json"
    SCHEMA = "schema"


class OutputFormat(Value, frozen=True):
    """What the answer must look like. `name`, `about`, `schema` and `strict` belong to SCHEMA."""

    kind: OutputKind
    name: str | None = None
    about: str | None = None
    schema: Raw | None = None
    strict: bool | None = None


ToolEntry: TypeAlias = Tool | Foreign


class ChatRequest(Value, frozen=True, kw_only=True):
    """A conversation to be continued. `tools` is None when absent and () when the caller sent an empty list."""

    model: str
    messages: tuple[Message, ...]
    tools: tuple[ToolEntry, ...] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    sampling: Sampling = Sampling()
    max_output: int | None = None
    reasoning: ReasoningOptions | None = None
    output: OutputFormat | None = None
    stream: bool = False
    end_user: str | None = None
    extra: Extra | None = None
