"""Gemini behind Google's own API, and behind hosts that speak OpenAI's. Read on 2026-11-21.

Sources: ai.google.dev/gemini-api/docs/thinking (budgets of the 2.5 series, levels of the later ones), /openai (levels
of effort for each series; images and sound are taken, files are not), /thought-signatures (calls must carry theirs from
3 on), /function-calling (pictures in results from 3 on), /structured-output (beside tools from 3 on);
docs.cloud.google.com/gemini-enterprise-agent-platform/models (limits of output, levels of 3.1 and 3.5).
Witnesses: github.com/versun/RSSBox/issues/132 (2.5 takes none, but not minimal), github.com/rmusser01/tldw_chatbook/
pull/735 (a turn of the model at the end is gone on with, here believed of those that need not think).
"""

from msgspec.structs import replace

from isthmus.catalog.row import Row
from isthmus.core.profile import ModelProfile, ReasoningStyle

_GEMINI = ModelProfile(maker="google", documents=False)

ROWS = (
    Row(r"gemini-(1|2-0)", replace(_GEMINI, reasoning=ReasoningStyle.NONE)),
    Row(r"gemini-2-5-pro", replace(_GEMINI, efforts=("low", "medium", "high"))),
    Row(r"gemini-2-5", replace(_GEMINI, efforts=("none", "low", "medium", "high"))),
    Row(r"gemini", replace(_GEMINI, efforts=("low", "medium", "high"))),
)
"""As hosts that speak OpenAI's dialect take them."""

_NEWEST = ModelProfile(maker="google", efforts=("low", "medium", "high"), max_output_limit=65_536, signed_calls=True)
"""From 3 on, and every Gemini with a name that is not known yet."""
_FLASH = replace(_NEWEST, efforts=("minimal", "low", "medium", "high"))
_2_5 = ModelProfile(
    maker="google",
    reasoning=ReasoningStyle.BUDGET,
    efforts=("none",),
    budgets=(1, 24_576),
    max_output_limit=65_536,
    schema_with_tools=False,
    media_in_results=False,
)
_CAN_REST = replace(_2_5, continues=True)
_THOUGHTLESS = replace(_CAN_REST, reasoning=ReasoningStyle.NONE, efforts=(), budgets=None, max_output_limit=8192)

NATIVE = (
    Row(r"gemini-1", _THOUGHTLESS),
    Row(r"gemini-2-0", _THOUGHTLESS),
    Row(r"gemini-2-5-flash-image", replace(_THOUGHTLESS, max_output_limit=32_768, continues=False)),
    Row(r"gemini-2-5-pro", replace(_2_5, efforts=(), budgets=(128, 32_768))),
    Row(r"gemini-2-5-flash-lite", replace(_CAN_REST, budgets=(512, 24_576))),
    Row(r"gemini-2-5", _CAN_REST),
    Row(r"gemini-3-pro", replace(_NEWEST, efforts=("low", "high"))),
    Row(r"gemini.*flash-lite", replace(_FLASH, continues=True)),
    Row(r"gemini-\d.*flash", _FLASH),
    Row(r"gemini", _NEWEST),
)
"""As Google's own API takes them. An effort "none" is told of those that can be kept from thinking."""
