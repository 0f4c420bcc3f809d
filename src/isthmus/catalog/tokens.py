"""How many tokens a model makes of a text, measured against OpenAI's o200k vocabulary, which anybody can have.

The factors of Claude are those of public reconstructions of its vocabularies on English, JSON and code; what tools
cost beside their own text was read off answers of the models themselves, as was the frame of gpt-oss. For makers who
publish no vocabulary a tenth more is assumed. Real answers correct all of it.
"""

import re

from isthmus.catalog.lookup import plain
from isthmus.core.value import Value


class Rate(Value, frozen=True):
    """`factor` is on the tokens of texts; `base` is added to every request, `tools` to one that has any."""

    factor: float
    base: int = 0
    tools: int = 0


OTHERS = Rate(1.1)

_ROWS: tuple[tuple[str, Rate], ...] = (
    (r"claude-(3|2|instant)", Rate(1.17, tools=345)),
    (r"claude-(opus|sonnet|haiku)-4(-[01](?!\d)|-\d{8}|-[a-z]|$)", Rate(1.17, tools=380)),
    (r"claude-(opus|sonnet|haiku)-4-[56]|claude-4-[56]", Rate(1.17, tools=550)),
    (r"claude", Rate(1.49, tools=680)),
    (r"gpt-oss", Rate(1.0, base=65)),
    (r"gpt-5|codex", Rate(1.0, tools=60)),
    (r"gpt-?[34]|chatgpt|(^|-)o\d|davinci|babbage", Rate(1.0)),
)
_FOUND = tuple((re.compile(pattern), rate) for pattern, rate in _ROWS)


def rate_of(model: str) -> Rate:
    """That of a model, by whatever name a host calls it."""
    name = plain(model)
    return next((rate for pattern, rate in _FOUND if pattern.search(name)), OTHERS)
