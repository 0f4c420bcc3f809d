"""Grok. Read on 2026-11-21.

Source: docs.x.ai/docs/guides/reasoning: grok-3-mini takes low and high, grok-4.3 and later none to high; the others
before refuse `reasoning_effort` with 400, also those that think (github.com/acedergren/opencode-oci-provider, v0.2.3).
"""

from msgspec.structs import replace

from isthmus.catalog.row import Row
from isthmus.core.profile import ModelProfile, ReasoningStyle

_GROK = ModelProfile(documents=False, audio=False)

ROWS = (
    Row(r"grok-3-mini", replace(_GROK, images=False, efforts=("low", "high"))),
    Row(r"grok-(2|3|4-(0709|0|1|20|fast|latest)|4$|code)", replace(_GROK, reasoning=ReasoningStyle.NONE)),
    Row(r"grok", replace(_GROK, efforts=("none", "low", "medium", "high"))),
)
