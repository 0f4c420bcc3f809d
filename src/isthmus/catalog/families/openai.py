"""OpenAI's models, as its APIs serve them. Read on 2026-11-21.

Sources: platform.openai.com/docs/models, .../guides/reasoning (levels of effort), .../guides/structured-outputs (from
gpt-4o on), the API reference (`max_tokens` is refused by models that think; `developer` takes the place of `system`),
.../guides/reasoning (only Responses give thinking back to be kept); openai-python 3.52, types/shared (which models are
Responses' alone). Each model's page tells its endpoints: codex and pro are served by Responses, gpt-audio and
search-preview by chat, instruct and the base models by completions.
Witnesses: community.openai.com/t/gpt-5-models-temperature/1337957 (sampling is refused),
github.com/langchain-ai/langchain/pull/35424 (gpt-5.1 and 5.2 do not think unless asked, and then take sampling),
github.com/pgadmin-org/pgadmin4/issues/9795 and alvinunreal/tmuxai/issues/82 (gpt-5-pro and gpt-5-codex refuse chat).
"""

from msgspec.structs import replace

from isthmus.catalog.row import Row
from isthmus.core.profile import ModelProfile, ReasoningStyle, SchemaStyle

CHAT, RESPONSES, COMPLETIONS = "openai_chat", "openai_responses", "openai_completions"
SERVED = (CHAT, RESPONSES)
"""The dialects in which a model is served of which nothing else is known."""

_PLAIN = ModelProfile(dialects=SERVED, reasoning=ReasoningStyle.NONE, audio=False)
_TEXT = replace(_PLAIN, images=False, documents=False)
_CONTINUES = replace(_TEXT, dialects=(COMPLETIONS,))
_THINKS = ModelProfile(
    dialects=(RESPONSES, CHAT),
    max_output_field="max_completion_tokens",
    system_role="developer",
    audio=False,
    sampling=False,
    sampling_while_reasoning=False,
)
_O_SERIES = replace(_THINKS, efforts=("low", "medium", "high"), parallel_tools=False)
_BY_CHOICE = replace(_THINKS, sampling=True)
_PRO = replace(_THINKS, dialects=(RESPONSES,))

ROWS = (
    Row(r"gpt-3-5.*instruct|(^|-)(davinci|babbage)-002", _CONTINUES),
    Row(r"(^|-)gpt-(3|4(?!o|-turbo|-1(?!\d)|-5|\d))", replace(_TEXT, schema=SchemaStyle.JSON_MODE)),
    Row(r"gpt-4-turbo", replace(_PLAIN, schema=SchemaStyle.JSON_MODE)),
    Row(r"gpt-4o.*audio|gpt-audio", replace(_PLAIN, dialects=(CHAT,), images=False, audio=True)),
    Row(r"gpt-.*search-(preview|api)", replace(_PLAIN, dialects=(CHAT,))),
    Row(r"gpt-4|chatgpt-4o", _PLAIN),
    Row(r"gpt-5-chat", replace(_PLAIN, max_output_field="max_completion_tokens")),
    Row(r"gpt-5-pro", replace(_PRO, efforts=("high",))),
    Row(r"gpt-5-[2-9]-pro", replace(_PRO, efforts=("medium", "high", "xhigh"))),
    Row(r"gpt-5-(1-codex-max|[2-9]-codex)", replace(_PRO, efforts=("low", "medium", "high", "xhigh"))),
    Row(r"gpt-5.*codex|(^|-)codex-mini", replace(_PRO, efforts=("low", "medium", "high"))),
    Row(r"gpt-.*(daybreak|cyber|rosalind)|computer-use-preview", _PRO),
    Row(r"gpt-5-1(?!\d)", replace(_BY_CHOICE, efforts=("none", "low", "medium", "high"))),
    Row(r"gpt-5-[2-4](?!\d)", replace(_BY_CHOICE, efforts=("none", "low", "medium", "high", "xhigh"))),
    Row(r"gpt-5-5(?!\d)", replace(_THINKS, efforts=("none", "low", "medium", "high", "xhigh"))),
    Row(r"gpt-5-[6-9](?!\d)", replace(_THINKS, efforts=("none", "low", "medium", "high", "xhigh", "max"))),
    Row(r"gpt-5", replace(_THINKS, efforts=("minimal", "low", "medium", "high"))),
    Row(r"gpt-([6-9]|\d\d)", replace(_THINKS, efforts=("low", "medium", "high", "xhigh", "max"))),
    Row(r"(^|-)o[134](-mini)?-(pro|deep-research)", replace(_O_SERIES, dialects=(RESPONSES,))),
    Row(r"(^|-)o[13]-mini", replace(_O_SERIES, images=False, documents=False)),
    Row(r"(^|-)o[134](-|$)", _O_SERIES),
)
