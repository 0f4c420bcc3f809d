"""The OpenAI family: its chat completions codec, its errors and its list of models."""

CHAT = "openai_chat"
"""The name of the chat completions dialect, which many hosts besides OpenAI speak."""
