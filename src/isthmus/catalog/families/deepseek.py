"""DeepSeek's models. Read on 2026-11-21.

Source: api-docs.deepseek.com/guides/thinking_mode (`thinking` switches, `reasoning_effort` is low, high or max;
sampling is taken and ignored), .../guides/json_mode (JSON mode, no schemas). Text only.
"""

from isthmus.catalog.row import Row
from isthmus.core.profile import ModelProfile, SchemaStyle

ROWS = (
    Row(
        r"deepseek",
        ModelProfile(
            images=False, documents=False, audio=False, efforts=("low", "high", "max"), schema=SchemaStyle.JSON_MODE
        ),
    ),
)
