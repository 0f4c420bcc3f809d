"""How OpenTelemetry's conventions for generative AI call what we know under other names.

The conventions: github.com/open-telemetry/semantic-conventions-genai, gen-ai-spans and gen-ai-metrics.
"""

from collections.abc import Mapping

from isthmus import __version__
from isthmus.core.operations import Operation
from isthmus.engine.snapshot import Snapshot
from isthmus.providers.provider import Provider

SCOPE = "isthmus"
VERSION = __version__

OPERATIONS: Mapping[Operation, str] = {
    Operation.CHAT: "chat",
    Operation.EMBED: "embeddings",
    Operation.COUNT_TOKENS: "count_tokens",
    Operation.LIST_MODELS: "list_models",
}
"""The last two are no names of the conventions, which have none for them."""

PROVIDERS: Mapping[str, str] = {
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "vertex": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""By our type of provider; one that is not here has the same name there, or none."""
_UNNAMED = ("", "compatible", "anthropic-compatible")
"""Types of hosts that are known only by what they speak."""


def provider_name(provider: Provider) -> str:
    """Of its vendor; of a host that nobody knows, what it is called in the configuration."""
    return provider.name if provider.kind in _UNNAMED else PROVIDERS.get(provider.kind, provider.kind)


def vendor_of(name: str, snapshot: Snapshot) -> str:
    """The same of the provider of this name, which may be gone from the configuration."""
    provider = snapshot.providers.get(name)
    return name if provider is None else provider_name(provider)
