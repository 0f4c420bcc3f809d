"""The words that every file of this dialect shares."""

from collections.abc import Mapping

from isthmus.core.reply import Reason

DIALECT = "anthropic"

STOP_REASONS: Mapping[str, Reason] = {
    "end_turn": Reason.STOP,
    "max_tokens": Reason.LENGTH,
    "tool_use": Reason.TOOL_CALLS,
    "stop_sequence": Reason.STOP_SEQUENCE,
    "refusal": Reason.REFUSED,
    "pause_turn": Reason.PAUSED,
    "model_context_window_exceeded": Reason.CONTEXT_FULL,
}
"""Source: https://docs.anthropic.com/en/docs/build-with-claude/handling-stop-reasons."""

STOP_WORDS: Mapping[Reason, str] = {
    **{reason: word for word, reason in STOP_REASONS.items()},
    Reason.FILTERED: "refusal",
    Reason.OTHER: "end_turn",
}
"""Every Reason has a word; those of other dialects get the nearest."""
