"""What a caller can ask for."""

from enum import StrEnum


class Operation(StrEnum):
    CHAT = "chat"
    LIST_MODELS = "list_models"
    EMBED = "embed"
    COUNT_TOKENS = "count_tokens"
