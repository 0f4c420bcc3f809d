"""From a model's name to what it can do. Pure; the facts are in families/, and what a host changes of them is here."""

import re
from collections.abc import Mapping
from functools import lru_cache

from msgspec.structs import replace

from isthmus.catalog.families import amazon, anthropic, deepseek, google, open_weights, openai, xai
from isthmus.core.profile import UNKNOWN, ModelProfile, ReasoningStyle

REMEMBERED = 1024
"""Profiles that are not worked out again; the least used are forgotten first."""
LONGEST_NAME = 256
"""Characters of a name that is remembered."""
SPEAK_ANTHROPIC = frozenset({"anthropic", "anthropic-compatible"})
"""Hosts that are spoken to in Anthropic's dialect."""
SERVE_CLAUDE = frozenset({"vertex"})
"""Hosts that serve Claude in Anthropic's dialect, and other models in others."""
SERVE_OPENAI = frozenset({"openai", "azure"})
"""Hosts that serve OpenAI's models alone, each in some of its dialects: one with an unknown name is none for which
they keep an older one."""
SPEAK_OLLAMA = frozenset({"ollama", "ollama-cloud"})
"""Hosts that are spoken to in Ollama's own dialect."""
SPEAK_GEMINI = frozenset({"gemini", "vertex"})
"""Hosts that are spoken to in Gemini's own dialect."""
GO_ON = SPEAK_OLLAMA | {"groq", "llamacpp"}
"""Hosts whose models go on with a turn of the assistant at the end: github.com/ollama/ollama/issues/6778,
console.groq.com/docs/prefilling, github.com/ggml-org/llama.cpp/pull/13174. Not gpt-oss: its turns have channels."""
BEDROCK = "bedrock"
"""The host that serves every maker's models in a dialect of its own, and Claude in Anthropic's."""

# gpt-oss is an open model with another maker's prefix, so it is looked for before that maker's.
_ROWS = tuple(
    (re.compile(row.pattern), row.profile)
    for row in (
        *anthropic.ROWS,
        *open_weights.ROWS[:1],
        *openai.ROWS,
        *google.ROWS,
        *deepseek.ROWS,
        *xai.ROWS,
        *amazon.ROWS,
        *open_weights.ROWS[1:],
    )
)

_GEMINI = tuple((re.compile(row.pattern), row.profile) for row in google.NATIVE)

# `thinking` as in Anthropic's API, beside an effort: api-docs.deepseek.com/guides/thinking_mode,
# docs.z.ai/guides/capabilities/thinking, platform.moonshot.ai/docs/api/chat. These three also demand
# the thought back with the calls it led to; openrouter.ai/docs/use-cases/reasoning-tokens takes it.
_HOSTS: Mapping[str, Mapping[str, object]] = {
    "deepseek": {"reasoning": ReasoningStyle.ADAPTIVE, "reasoning_field": "reasoning_content"},
    "zai": {"reasoning": ReasoningStyle.ADAPTIVE, "reasoning_field": "reasoning_content"},
    "moonshot": {"reasoning": ReasoningStyle.ADAPTIVE, "reasoning_field": "reasoning_content"},
    "openrouter": {"reasoning_field": "reasoning"},
    # Whoever copies DeepSeek's field takes it back; vLLM, SGLang and llama.cpp's server do.
    "compatible": {"reasoning_field": "reasoning_content"},
}

# Which of the dialects of a host a model is served in there, and what else is so for that model there alone.
# cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api: later models are asked as
# Gemini's own API is, the others take several texts, and gemini-embedding-001 one;
# cloud.google.com/vertex-ai/generative-ai/docs/open-models/use-maas: open models are called publisher/model-maas;
# platform.claude.com/docs/en/build-with-claude/vision: Claude is given no media by URL there.
_MODELS_AT: Mapping[str, tuple[tuple[re.Pattern[str], Mapping[str, object]], ...]] = {
    "vertex": (
        (re.compile("claude"), {"dialects": ("anthropic",), "fetches": False}),
        (re.compile("gemini-embedding-001"), {"dialects": ("vertex_single",)}),
        (re.compile("text-?embedding|text-multilingual-embedding"), {"dialects": ("vertex",)}),
        (re.compile("/|-maas$"), {"dialects": ("openai_chat",)}),
        (re.compile(""), {"dialects": ("gemini",)}),
    ),
}


def profile_of(host_name: str, model: str) -> ModelProfile:
    """What `model` (as the host calls it) can do at the host of that name in the provider table.

    Remembered, but for names that are no names: callers may choose what they ask for.
    """
    return _remembered(host_name, model) if len(model) <= LONGEST_NAME else _look_up(host_name, model)


def _look_up(host_name: str, model: str) -> ModelProfile:
    name = plain(model)
    rows = (*_GEMINI, *_ROWS) if host_name in SPEAK_GEMINI else _ROWS
    profile = next((profile for pattern, profile in rows if pattern.search(name)), UNKNOWN)
    if host_name == BEDROCK:
        return amazon.on_bedrock(name, profile)
    if "claude" in name and host_name not in SPEAK_ANTHROPIC | SERVE_CLAUDE:
        profile = anthropic.spoken_elsewhere(profile)
    if "claude" not in name and host_name in SPEAK_ANTHROPIC:
        profile = anthropic.COPIED
    # docs.ollama.com/capabilities/thinking: gpt-oss has levels, all others are told whether to think.
    if host_name in SPEAK_OLLAMA and "gpt-oss" not in name:
        profile = replace(profile, efforts=())
    if host_name in SERVE_OPENAI and not profile.dialects:
        profile = replace(profile, dialects=openai.SERVED)
    if host_name in GO_ON and "gpt-oss" not in name:
        profile = replace(profile, continues=True)
    changes = {**_HOSTS.get(host_name, {}), **_model_at_host(host_name, model)}
    return replace(profile, **changes) if changes else profile


def _model_at_host(host_name: str, model: str) -> Mapping[str, object]:
    rows = _MODELS_AT.get(host_name, ())
    return next((changes for pattern, changes in rows if pattern.search(model)), {})


_remembered = lru_cache(maxsize=REMEMBERED)(_look_up)


def plain(model: str) -> str:
    """The name without its maker's prefix, in lower case, with hyphens for all that separates.

    "anthropic/claude-3.5-sonnet:beta" and "anthropic.claude-3-5-sonnet-v2:0" both hold "claude-3-5-sonnet".
    """
    return re.sub(r"[._:@]", "-", model.rpartition("/")[2].lower())
