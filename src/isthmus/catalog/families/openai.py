"""OpenAI's models, as its chat API serves them. Read on 2026-11-21.

Sources: platform.openai.com/docs/models, .../guides/reasoning (levels of effort), .../guides/structured-outputs (from
gpt-4o on), the API reference (`max_tokens` is refused by models that think; `developer` takes the place of `system`).
Witnesses: community.openai.com/t/gpt-5-models-temperature/1337957 (sampling is refused),
github.com/langchain-ai/langchain/pull/35424 (gpt-5.1 and 5.2 do not think unless asked, and then take sampling).
"""

from msgspec.structs import replace

from isthmus.catalog.row import Row
from isthmus.core.profile import ModelProfile, ReasoningStyle, SchemaStyle

_PLAIN = ModelProfile(reasoning=ReasoningStyle.NONE, audio=False)
_TEXT = replace(_PLAIN, images=False, documents=False)
_THINKS = ModelProfile(
    max_output_field="max_completion_tokens",
    system_role="developer",
    audio=False,
    sampling=False,
    sampling_while_reasoning=False,
)
_O_SERIES = replace(_THINKS, efforts=("low", "medium", "high"), parallel_tools=False)
_BY_CHOICE = replace(_THINKS, sampling=True)

ROWS = (
    Row(r"(^|-)gpt-(3|4(?!o|-turbo|-1(?!\d)|-5|\d))", replace(_TEXT, schema=SchemaStyle.JSON_MODE)),
    Row(r"gpt-4-turbo", replace(_PLAIN, schema=SchemaStyle.JSON_MODE)),
    Row(r"gpt-4o.*audio|gpt-audio", replace(_PLAIN, images=False, audio=True)),
    Row(r"gpt-4|chatgpt-4o", _PLAIN),
    Row(r"gpt-5-chat", replace(_PLAIN, max_output_field="max_completion_tokens")),
    Row(r"gpt-5-pro", replace(_THINKS, efforts=("high",))),
    Row(r"gpt-5-[2-9]-pro", replace(_THINKS, efforts=("medium", "high", "xhigh"))),
    Row(r"gpt-5-1(?!\d)", replace(_BY_CHOICE, efforts=("none", "low", "medium", "high"))),
    Row(r"gpt-5-[2-4](?!\d)", replace(_BY_CHOICE, efforts=("none", "low", "medium", "high", "xhigh"))),
    Row(r"gpt-5-5(?!\d)", replace(_THINKS, efforts=("none", "low", "medium", "high", "xhigh"))),
    Row(r"gpt-5-[6-9](?!\d)", replace(_THINKS, efforts=("none", "low", "medium", "high", "xhigh", "max"))),
    Row(r"gpt-5", replace(_THINKS, efforts=("minimal", "low", "medium", "high"))),
    Row(r"gpt-([6-9]|\d\d)", replace(_THINKS, efforts=("low", "medium", "high", "xhigh", "max"))),
    Row(r"(^|-)o[13]-mini", replace(_O_SERIES, images=False, documents=False)),
    Row(r"(^|-)o[134](-|$)", _O_SERIES),
)
