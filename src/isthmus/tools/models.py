"""Which of the names that a gateway lists suits a tool, where its person did not say. Only a guess, from the names."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

_NUMBER = re.compile(r"\d+")
_DATE = 1000
"""Numbers from here on are days or years, and tell less than versions."""
_NO_CHAT = (
    "audio",
    "dall-e",
    "embed",
    "image",
    "live",
    "moderation",
    "realtime",
    "rerank",
    "search",
    "transcribe",
    "tts",
    "whisper",
)
"""Words in names of models that do something else than chat."""


def newest(names: Sequence[str], *patterns: str) -> str | None:
    """Of the models that fit the first pattern that any fits: the one with the highest version, the plainest of those.

    A name with a slash is another spelling of one without. None where none fits.
    """
    chat = [name for name in names if "/" not in name and not any(word in name for word in _NO_CHAT)]
    for pattern in patterns:
        fitting = [name for name in chat if fnmatchcase(name, pattern)]
        if fitting:
            return max(fitting, key=_age)
    return None


def _age(name: str) -> tuple[list[int], list[int], int]:
    numbers = [int(number) for number in _NUMBER.findall(name)]
    return [one for one in numbers if one < _DATE], [one for one in numbers if one >= _DATE], -len(name)
