"""Amazon's own models, and what Bedrock changes of everybody's. Read on 2026-11-21.

Sources: docs.aws.amazon.com/nova/latest/nova2-userguide (reasoning effort, limits), .../nova/latest/userguide
(first generation), docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
(system text, documents, images, tools), .../prompt-caching.html (who may be told what to cache),
.../structured-output.html (who is held to a schema).
"""

import re

from msgspec.structs import replace

from isthmus.catalog.row import Row
from isthmus.core.profile import ModelProfile, ReasoningStyle, SchemaStyle

_NOVA = ModelProfile(
    maker="amazon",
    audio=False,
    reasoning=ReasoningStyle.NONE,
    max_output_limit=10_000,
    max_temperature=1.0,
    schema=SchemaStyle.NONE,
    prefill=True,
    continues=True,
)

ROWS = (
    Row(
        r"nova-2",
        replace(
            _NOVA,
            reasoning=ReasoningStyle.EFFORT,
            efforts=("low", "medium", "high"),
            max_output_limit=64_000,
            continues=False,
        ),
    ),
    Row(r"nova-micro", replace(_NOVA, images=False, documents=False)),
    Row(r"nova-", _NOVA),
    Row(
        r"titan-text",
        replace(_NOVA, images=False, max_output_limit=8192, cache_marks=False, continues=False),
    ),
)

BY_INVOKE = ("anthropic", "bedrock")
"""The dialects of Claude on Bedrock: by invoke more of what Claude knows arrives."""
_EMBEDDERS = ((re.compile("cohere-embed"), "bedrock_cohere"), (re.compile("titan-embed"), "bedrock_titan"))
_MAKERS = ("mistral", "cohere", "openai")
"""Makers whose own fields are written, beside those that the rows of their models name."""


def on_bedrock(name: str, profile: ModelProfile) -> ModelProfile:
    """The profile of a model there. `name` is in plain form, and opens with the maker or a region and the maker."""
    if "claude" in name:
        return replace(profile, dialects=BY_INVOKE, maker="anthropic", cache_marks=True, fetches=False)
    embedder = next((dialect for pattern, dialect in _EMBEDDERS if pattern.search(name)), None)
    maker = profile.maker or next((maker for maker in _MAKERS if maker in name.split("-")[:2]), "")
    return replace(
        profile,
        dialects=("bedrock",) if embedder is None else (embedder,),
        maker=maker,
        fetches=False,
        system_in_place=False,
        max_temperature=1.0,
        cache_marks=profile.maker == "amazon" and profile.cache_marks,
        schema=profile.schema if profile.maker else SchemaStyle.NONE,
    )
