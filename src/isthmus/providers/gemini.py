"""Where the Gemini API is asked for what, and how it is signed to.

Source: https://ai.google.dev/api (methods), https://ai.google.dev/gemini-api/docs/api-key.
"""

from collections.abc import Mapping
from functools import partial
from urllib.parse import quote

from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.providers.provider import Address, Aim
from isthmus.providers.signers import header_key
from isthmus.wire.headers import Headers

VERSION = "/v1beta"
"""Asked for where the base URL names no version: it has all that the others have."""
_VERSIONS = ("/v1", "/v1beta", "/v1alpha")
_METHODS: Mapping[tuple[Operation, str], str] = {
    (Operation.CHAT, "gemini"): "generateContent",
    (Operation.COUNT_TOKENS, "gemini"): "countTokens",
    (Operation.EMBED, "gemini"): "batchEmbedContents",
    (Operation.EMBED, "gemini_single"): "embedContent",
}
_COLLECTIONS = ("models/", "tunedModels/")
"""What a model's name may say itself of where it belongs."""


def address(prefix: str) -> Address:
    """The paths below `prefix`, which may end in a version or not: this dialect's clients add it themselves."""
    return partial(_address, prefix if prefix.endswith(_VERSIONS) else prefix + VERSION)


def _address(prefix: str, aim: Aim) -> tuple[str, str]:
    if aim.operation is Operation.LIST_MODELS:
        return "GET", f"{prefix}/models?pageSize=1000"
    method = _METHODS[aim.operation, aim.dialect]
    if method == "generateContent" and aim.stream:
        method = "streamGenerateContent?alt=sse"
    return "POST", f"{prefix}/{path_of(aim.model)}:{method}"


def path_of(model: str) -> str:
    """The model's place in a path: `models/gemini-2.5-flash`."""
    name = model if model.startswith(_COLLECTIONS) else f"models/{model}"
    collection, _, rest = name.partition("/")
    return f"{collection}/{quote(rest, safe='')}"


def sign(headers: Headers, secret: Secret | None) -> Headers:
    """`x-goog-api-key`. The key never stands in the URL, where logs would keep it."""
    return header_key(b"x-goog-api-key", headers, secret)
