"""Gemini behind Google's OpenAI-compatible API. Read on 2026-11-21.

Source: ai.google.dev/gemini-api/docs/openai (levels of effort for each series; images and sound are
taken, files are not).
Witness: github.com/versun/RSSBox/issues/132 (2.5 takes none, but not minimal).
"""

from msgspec.structs import replace

from isthmus.catalog.row import Row
from isthmus.core.profile import ModelProfile, ReasoningStyle

_GEMINI = ModelProfile(documents=False)

ROWS = (
    Row(r"gemini-(1|2-0)", replace(_GEMINI, reasoning=ReasoningStyle.NONE)),
    Row(r"gemini-2-5-pro", replace(_GEMINI, efforts=("low", "medium", "high"))),
    Row(r"gemini-2-5", replace(_GEMINI, efforts=("none", "low", "medium", "high"))),
    Row(r"gemini", replace(_GEMINI, efforts=("low", "medium", "high"))),
)
