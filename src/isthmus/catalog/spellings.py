"""The many spellings of one model's name. Pure text; knows no row of the catalogue."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

ALSO: Mapping[str, tuple[str, ...]] = {
    "azure": ("azure-ai",),
    "bedrock": ("bedrock-mantle",),
    "meta-llama": ("meta",),
    "mistral": ("codestral",),
    "ollama-cloud": ("ollama",),
}
"""Where else to look for what a kind of provider serves: the same host by another door."""

MAKERS = (
    "openai",
    "anthropic",
    "gemini",
    "mistral",
    "deepseek",
    "xai",
    "moonshot",
    "zai",
    "alibaba",
    "minimax",
    "cohere",
    "meta-llama",
    "ai21",
)
"""Kinds of provider that serve what they made themselves, so that their word on a model's limits is the first."""

_PATHS = re.compile(r"^(arn:[^/]+/|(projects/[^/]+/locations/[^/]+/)?(publishers/[^/]+/)?models/)")
_REGION = re.compile(r"^(us-gov|us|eu|apac|global|jp|au|ca)\.(?=[a-z0-9]+\.)")
_MAKER = re.compile(r"^[a-z0-9]+\.(?=[a-z])")
_VARIANT = re.compile(r":(free|beta|nitro|floor|online|thinking|extended|exacto)$")
_VERSION = re.compile(r"(?<=\d)-v\d+(:\d+)?$|:0$|@(default|latest)$")
_DATE = re.compile(r"[-@](20\d{6}|20\d\d-\d\d-\d\d)$|-latest$")
_MARKS = re.compile(r"[._:@]")


def spellings(kind: str, model: str) -> Iterator[str]:
    """The name as it is, and as the same host would write it elsewhere: without a path or its own name."""
    yield model
    bare = _PATHS.sub("", model).removeprefix(f"{kind}/")
    yield bare
    yield bare.lower()
    if bare.startswith("ft:"):  # ft:gpt-4o-2024-08-06:organization::id
        yield ":".join(bare.split(":")[:2])


class Parts(NamedTuple):
    """One name taken apart. All spellings of one model have the same `stem` and `variant`.

    `variant` is such as "free"; `edition` the day that it is dated by, in eight digits, "" also for `-latest`;
    `region` the only one that it may be served in. Each is "" for a name that does not say.
    """

    stem: str
    variant: str
    edition: str
    region: str


def take_apart(model: str) -> Parts:
    """What a name says.

    "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic/claude-sonnet-4.5" and "claude-sonnet-4-5@20250929"
    all have the stem "claude-sonnet-4-5".
    """
    name = model.lower().rpartition("/")[2]
    region = _REGION.match(name)
    name = _MAKER.sub("", name if region is None else name[region.end() :])
    name, variant = _cut(_VARIANT, name)
    name, _ = _cut(_VERSION, name)
    name, edition = _cut(_DATE, name)
    bound = "" if region is None or region[1] == "global" else region[1]
    return Parts(_MARKS.sub("-", name), variant, edition.replace("-", ""), bound)


def stem(model: str) -> str:
    """What all spellings and dates of one model have in common."""
    return take_apart(model).stem


def _cut(ending: re.Pattern[str], name: str) -> tuple[str, str]:
    """The name without its ending, and what the ending says."""
    found = ending.search(name)
    return (name, "") if found is None else (name[: found.start()], found[1] or "")
