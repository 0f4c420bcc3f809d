"""The Ollama family: chat, generate, embeddings, its errors, and its pages about models.

Source of the wire formats: https://docs.ollama.com/api, https://docs.ollama.com/openapi.yaml, and where both are
silent what its server and its Python and JavaScript clients send.
"""

OLLAMA = "ollama"
"""The chat dialect, POST /api/chat. What the whole family alone understands is kept under this name."""
GENERATE = "ollama_generate"
"""POST /api/generate: one prompt in place of a conversation."""
EMBEDDINGS = "ollama_embeddings"
"""POST /api/embeddings, the older way to embed one text."""
