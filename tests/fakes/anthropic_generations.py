"""What each generation of Claude refuses beside what all of them do.

From the migration guide and the pages on effort, adaptive thinking and structured outputs of Anthropic's
documentation, read in November 2026: no sampling parameters and no budgets from 4.7, no prefill from 4.6, effort
from Opus 4.5, structured outputs from 4.5, no thinking before 3.7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fakes.wire import Refused


@dataclass(frozen=True)
class Generation:
    longest: int
    thinking: tuple[str, ...] = ("enabled",)
    efforts: tuple[str, ...] = ()
    structured: bool = True
    sampling: bool = True
    prefill: bool = True


GENERATIONS = {
    "claude-3-5-haiku": Generation(8192, thinking=(), structured=False),
    "claude-3-7-sonnet": Generation(64_000, structured=False),
    "claude-sonnet-4-5": Generation(64_000),
    "claude-opus-4-5": Generation(64_000, efforts=("low", "medium", "high")),
    "claude-opus-4-6": Generation(
        128_000, ("enabled", "adaptive"), efforts=("low", "medium", "high", "max"), prefill=False
    ),
    "claude-opus-4-8": Generation(
        128_000, ("adaptive",), ("low", "medium", "high", "xhigh", "max"), sampling=False, prefill=False
    ),
}


def judge_generation(body: Mapping[str, Any]) -> None:
    """Raises Refused for what this model would answer with 400. Knows the models of GENERATIONS by their beginning."""
    found = [rules for name, rules in GENERATIONS.items() if str(body["model"]).startswith(name)]
    if not found:
        return
    (rules,) = found
    if body["max_tokens"] > rules.longest:
        raise Refused(f"max_tokens: {body['max_tokens']} > {rules.longest}, which is the maximum for this model")
    kind = (body.get("thinking") or {}).get("type", "disabled")
    if kind not in ("disabled", *rules.thinking):
        raise Refused(f'"thinking.type.{kind}" is not supported for this model.')
    config = body.get("output_config") or {}
    if "effort" in config and config["effort"] not in rules.efforts:
        raise Refused("This model does not support the effort parameter at this level.")
    if "format" in config and not rules.structured:
        raise Refused("output_config.format: this model does not support structured outputs.")
    if not rules.sampling and any(body.get(name) is not None for name in ("temperature", "top_p", "top_k")):
        raise Refused("`temperature` is deprecated for this model.")
    if not rules.prefill and body["messages"][-1]["role"] == "assistant":
        raise Refused("This model does not support assistant message prefill.")
