"""The OpenAI family: its codecs, its errors and its list of models."""

CHAT = "openai_chat"
"""The name of the chat completions dialect, which many hosts besides OpenAI speak."""
RESPONSES = "openai_responses"
"""The name of the dialect of POST /v1/responses."""
COMPLETIONS = "openai_completions"
"""The name of the dialect of POST /v1/completions, which continues a text."""
