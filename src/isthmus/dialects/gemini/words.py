"""The words that every file of this dialect shares."""

from collections.abc import Mapping

from isthmus.core.reply import Reason

DIALECT = "gemini"
VENDOR = "google"
"""Whose thought signatures these are, in the core's words."""

FINISHES: Mapping[str, Reason] = {
    "STOP": Reason.STOP,
    "MAX_TOKENS": Reason.LENGTH,
    "SAFETY": Reason.FILTERED,
    "RECITATION": Reason.FILTERED,
    "BLOCKLIST": Reason.FILTERED,
    "PROHIBITED_CONTENT": Reason.FILTERED,
    "SPII": Reason.FILTERED,
    "MODEL_ARMOR": Reason.FILTERED,
    "IMAGE_SAFETY": Reason.FILTERED,
    "IMAGE_PROHIBITED_CONTENT": Reason.FILTERED,
    "IMAGE_RECITATION": Reason.FILTERED,
    "LANGUAGE": Reason.OTHER,
    "OTHER": Reason.OTHER,
    "IMAGE_OTHER": Reason.OTHER,
    "NO_IMAGE": Reason.OTHER,
    "MALFORMED_FUNCTION_CALL": Reason.OTHER,
    "MALFORMED_RESPONSE": Reason.OTHER,
    "MISSING_THOUGHT_SIGNATURE": Reason.OTHER,
    "TOO_MANY_TOOL_CALLS": Reason.OTHER,
    "UNEXPECTED_TOOL_CALL": Reason.OTHER,
}
"""Source: https://ai.google.dev/api/generate-content (FinishReason), and Vertex AI's additions to it."""

NUMBERED: Mapping[int, Reason] = {
    1: Reason.STOP,
    2: Reason.LENGTH,
    3: Reason.FILTERED,
    4: Reason.FILTERED,
    7: Reason.FILTERED,
    8: Reason.FILTERED,
    11: Reason.FILTERED,
}
"""The same as the numbers that some proxies send; those that the two APIs number otherwise are left out."""

FINISH_WORDS: Mapping[Reason, str] = {
    Reason.STOP: "STOP",
    Reason.LENGTH: "MAX_TOKENS",
    Reason.TOOL_CALLS: "STOP",
    Reason.STOP_SEQUENCE: "STOP",
    Reason.REFUSED: "SAFETY",
    Reason.FILTERED: "SAFETY",
    Reason.PAUSED: "STOP",
    Reason.CONTEXT_FULL: "MAX_TOKENS",
    Reason.OTHER: "OTHER",
}
"""Every Reason has a word; those of other dialects get the nearest. Calls end an answer with STOP here."""
