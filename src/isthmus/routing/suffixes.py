"""How much a model may think, said at the end of its name, by clients that have no other way to say it."""

import re
from collections.abc import Mapping

from isthmus.core.chat import ReasoningMode, ReasoningOptions

_LEVELS: Mapping[str, int] = {"low": 1024, "medium": 8192, "high": 24576, "max": 32768}
"""Tokens of thinking for the word behind `-thinking-`."""
_FAMILIES = ("claude-", "gemini-")
"""Whose makers give no model such an ending, so that it is always meant for us."""
_SUFFIX = re.compile(
    r"(?P<base>.+?)-(?:thinking(?:-(?P<level>low|medium|high|max|\d{1,7}))?|(?P<word>nothinking|reasoning))"
)
_WORDS: Mapping[str, ReasoningOptions] = {
    "nothinking": ReasoningOptions(ReasoningMode.OFF),
    "reasoning": ReasoningOptions(ReasoningMode.ADAPTIVE),
}


def split_suffix(name: str) -> tuple[str, ReasoningOptions] | None:
    """The name without its ending, and what the ending says; None for a name that has none."""
    found = _SUFFIX.fullmatch(name)
    if found is None:
        return None
    if (word := found["word"]) is not None:
        return found["base"], _WORDS[word]
    level = found["level"]
    if level is None:
        return found["base"], ReasoningOptions(ReasoningMode.ON)
    return found["base"], ReasoningOptions(ReasoningMode.ON, budget=_LEVELS.get(level) or int(level))


def always_ours(base: str) -> bool:
    """Is the ending of this name meant for us, even where nobody lists the name without it?"""
    return base.rpartition("/")[2].startswith(_FAMILIES)
