"""The words that every file of this dialect shares."""

from collections.abc import Mapping

from isthmus.core.reply import Reason

DIALECT = "bedrock"
CLAUDE = "anthropic"
"""The vendor of what Claude signs, here as anywhere; and the maker whose own fields a Claude model takes."""

STOP_REASONS: Mapping[str, Reason] = {
    "end_turn": Reason.STOP,
    "max_tokens": Reason.LENGTH,
    "tool_use": Reason.TOOL_CALLS,
    "stop_sequence": Reason.STOP_SEQUENCE,
    "content_filtered": Reason.FILTERED,
    "guardrail_intervened": Reason.FILTERED,
    "malformed_model_output": Reason.OTHER,
    "malformed_tool_use": Reason.OTHER,
    "model_context_window_exceeded": Reason.CONTEXT_FULL,
}
"""Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (stopReason)."""

STOP_WORDS: Mapping[Reason, str] = {
    Reason.STOP: "end_turn",
    Reason.LENGTH: "max_tokens",
    Reason.TOOL_CALLS: "tool_use",
    Reason.STOP_SEQUENCE: "stop_sequence",
    Reason.FILTERED: "content_filtered",
    Reason.CONTEXT_FULL: "model_context_window_exceeded",
    Reason.REFUSED: "content_filtered",
    Reason.PAUSED: "end_turn",
    Reason.OTHER: "end_turn",
}
"""Every Reason has a word; those of other dialects get the nearest."""
