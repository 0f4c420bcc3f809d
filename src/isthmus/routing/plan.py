"""The ordered targets of one request, and why these."""

from isthmus.core.chat import ReasoningOptions
from isthmus.core.value import Value


class Target(Value, frozen=True):
    """One provider and one model name there."""

    provider: str
    model: str


class Plan(Value, frozen=True):
    """`because` says in words how the asked name led to these targets; `reasoning` is what the name itself asks for."""

    targets: tuple[Target, ...]
    because: str
    reasoning: ReasoningOptions | None = None
