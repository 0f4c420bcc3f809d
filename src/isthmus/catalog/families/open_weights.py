"""Models that many hosts serve. Only what holds wherever they run. Read on 2026-11-21.

Sources: the model cards at huggingface.co/{meta-llama,Qwen,openai,mistralai,HuggingFaceTB}; docs.mistral.ai/api
(`temperature` up to 1.5).
"""

from msgspec.structs import replace

from isthmus.catalog.row import Row
from isthmus.core.profile import ModelProfile, ReasoningStyle

_SEES = ModelProfile(documents=False, audio=False)
_READS = replace(_SEES, images=False)
_SEES_PLAIN = replace(_SEES, reasoning=ReasoningStyle.NONE)
_READS_PLAIN = replace(_READS, reasoning=ReasoningStyle.NONE)

ROWS = (
    Row(r"gpt-oss", replace(_READS, efforts=("low", "medium", "high"))),
    Row(r"llama-?4|llama-?3-2-(11|90)b|llama.*vision", _SEES_PLAIN),
    Row(r"(^|-)(code)?llama", _READS_PLAIN),
    Row(r"qwen.*(vl|omni)|qvq", _SEES),
    Row(r"qwen(1|2|-?2-5)?-", _READS_PLAIN),
    Row(r"qwen3(-(0|1|4|8|14|30|32|235)|-coder|-max|-next)|qwq", _READS),
    Row(r"mistral|ministral|codestral|devstral|magistral|mixtral|pixtral", replace(_SEES, max_temperature=1.5)),
    Row(r"smollm", _READS_PLAIN),
)
