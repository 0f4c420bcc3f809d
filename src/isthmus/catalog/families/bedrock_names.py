"""What Amazon Bedrock calls Claude, by the names that people know. Read on 2026-11-21.

A name may carry the prefix of an inference profile, which serves a model from several regions ("us.claude-sonnet-4.5").
Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html.
"""

from collections.abc import Mapping

PREFIXES = ("us-gov", "us", "eu", "apac", "jp", "au", "ca", "global")
"""Of inference profiles."""

IDS: Mapping[str, str] = {
    "claude-3-haiku": "anthropic.claude-3-haiku-20240307-v1:0",
    "claude-3-opus": "anthropic.claude-3-opus-20240229-v1:0",
    "claude-3-5-sonnet": "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "claude-3-5-haiku": "anthropic.claude-3-5-haiku-20241022-v1:0",
    "claude-3-7-sonnet": "anthropic.claude-3-7-sonnet-20250219-v1:0",
    "claude-opus-4": "anthropic.claude-opus-4-20250514-v1:0",
    "claude-sonnet-4": "anthropic.claude-sonnet-4-20250514-v1:0",
    "claude-opus-4-1": "anthropic.claude-opus-4-1-20250805-v1:0",
    "claude-sonnet-4-5": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "claude-haiku-4-5": "anthropic.claude-haiku-4-5-20251001-v1:0",
    "claude-opus-4-5": "anthropic.claude-opus-4-5-20251101-v1:0",
    "claude-opus-4-6": "anthropic.claude-opus-4-6-v1",
    "claude-sonnet-4-6": "anthropic.claude-sonnet-4-6",
    "claude-opus-4-7": "anthropic.claude-opus-4-7",
    "claude-opus-4-8": "anthropic.claude-opus-4-8",
    "claude-opus-5": "anthropic.claude-opus-5",
    "claude-sonnet-5": "anthropic.claude-sonnet-5",
}
"""Spelled with hyphens; a name with dots is looked for in that spelling."""


def bedrock_id(name: str) -> str:
    """The id that Bedrock is asked for. A name that is in no table is one already, and passes as it is."""
    prefix, dot, rest = name.partition(".")
    if dot and prefix in PREFIXES:
        return f"{prefix}.{_known(rest)}"
    return _known(name)


def _known(name: str) -> str:
    return IDS.get(name.replace(".", "-"), name) if name.startswith("claude-") else name
