"""Models that many hosts serve. Only what holds wherever they run. Read on 2026-11-21.

Sources: the model cards at huggingface.co/{meta-llama,Qwen,openai,mistralai,HuggingFaceTB}; docs.mistral.ai/api
(`temperature` up to 1.5). Which of Mistral's models are told how much to think, and in which words, was tried out in
github.com/anomalyco/models.dev/pull/1986; the others refuse it: github.com/NousResearch/hermes-agent/issues/11243.
"""

from msgspec.structs import replace

from isthmus.catalog.row import Row
from isthmus.core.profile import ModelProfile, ReasoningStyle

_SEES = ModelProfile(documents=False, audio=False)
_READS = replace(_SEES, images=False)
_SEES_PLAIN = replace(_SEES, reasoning=ReasoningStyle.NONE)
_READS_PLAIN = replace(_READS, reasoning=ReasoningStyle.NONE)
_MISTRAL = replace(_SEES_PLAIN, max_temperature=1.5)

ROWS = (
    Row(r"gpt-oss", replace(_READS, efforts=("low", "medium", "high"))),
    Row(r"llama-?4|llama-?3-2-(11|90)b|llama.*vision", _SEES_PLAIN),
    Row(r"(^|-)(code)?llama", _READS_PLAIN),
    Row(r"qwen.*(vl|omni)|qvq", _SEES),
    Row(r"qwen(1|2|-?2-5)?-", _READS_PLAIN),
    Row(r"qwen3(-(0|1|4|8|14|30|32|235)|-coder|-max|-next)|qwq", _READS),
    Row(
        r"mistral-(small-(latest|[4-9]|2603)|medium)|magistral-small",
        replace(_MISTRAL, reasoning=ReasoningStyle.EFFORT, efforts=("none", "high")),
    ),
    Row(r"mistral|ministral|codestral|devstral|magistral|mixtral|pixtral", _MISTRAL),
    Row(r"smollm", _READS_PLAIN),
)
