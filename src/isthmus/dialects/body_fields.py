"""How all dialects spell the few things that are looked for in a request's body without reading it.

For whoever needs them on the way of every request, before it is known whether the body will be read at all. Holds names
and patterns only; what they mean in full is in the dialects' own folders.
"""

OUTPUT_BOUNDS = (
    b'"max_tokens"',
    b'"max_completion_tokens"',
    b'"max_output_tokens"',
    b'"maxOutputTokens"',
    b'"maxTokens"',
    b'"num_predict"',
)
"""The most tokens that the answer may have, wherever in the body it stands."""
FILES = (rb'"data"\s*:\s*', rb'"images"\s*:\s*\[\s*')
"""Patterns of what stands before a string that is the base64 of a file."""
DATA_URL = b"base64,"
"""What stands before it in a URL that is the file itself."""
SYSTEM = ("system", "instructions", "systemInstruction", "system_instruction")
"""Top-level fields with what comes before the conversation."""
TURNS = ("messages", "contents", "input")
"""Top-level fields with the conversation, where they are lists."""
KEPT = ("previous_response_id", "store")
"""Top-level fields of requests that a provider keeps, or that go on with what it has kept: OpenAI's."""
ACTS = ("conversation", "background", "container", "mcp_servers", "web_search_options", "plugins")
"""Top-level fields that let the provider, or a host of many, do more than answer: work in the background, in a
conversation or a box of its own, or with tools that do not stand among the tools. Those of OpenAI's dialects and of
Anthropic's; no other dialect has any."""
