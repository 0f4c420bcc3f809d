"""Where Azure OpenAI is asked for what: at a deployment of one's own, in the v1 API or in a dated one.

The v1 API takes the deployment's name as the model and needs no version; a dated one has the deployment in
its path. Microsoft calls 2024-10-21 the newest dated version that is no preview, and v1 what to use instead.

Source: https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle (both forms, what v1 serves, the
version that brought /responses), .../openai/reference (paths, `api-key`).
"""

import re
from collections.abc import Mapping
from functools import partial

from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.providers.host import Location, Place, Spoken
from isthmus.providers.paths import segment
from isthmus.providers.provider import Address, Aim
from isthmus.providers.signers import header_key
from isthmus.wire.headers import Headers

V1 = frozenset({"v1", "preview", "latest"})
"""What the v1 API takes as its version, where it is told one: github.com/Azure/azure-rest-api-specs, OpenAI.v1."""
RESPONSES_SINCE = "2025-03-01"
"""The first dated version that serves /responses."""
EXAMPLE = "https://my-resource.openai.azure.com"

_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_CHAT = ("openai_chat", "openai_completions")
_PATHS: Mapping[tuple[Operation, str], tuple[str, str]] = {
    (Operation.CHAT, "openai_chat"): ("POST", "/chat/completions"),
    (Operation.CHAT, "openai_completions"): ("POST", "/completions"),
    (Operation.CHAT, "openai_responses"): ("POST", "/responses"),
    (Operation.EMBED, "openai"): ("POST", "/embeddings"),
    (Operation.LIST_MODELS, "openai_chat"): ("GET", "/models"),
}
_AT_THE_ROOT = frozenset({"/responses", "/models"})
"""What a dated version serves for the whole resource and not at one deployment."""


def locate(place: Place) -> Location:
    """The address of the resource, in any of the forms that Azure's pages show it. Raises ValueError."""
    url, version = place.base_url, place.settings.get("api-version")
    if url is None:
        raise ValueError(f"needs the resource's address as base-url, like {EXAMPLE}; AZURE_OPENAI_ENDPOINT is not set")
    if "/deployments" in url:
        raise ValueError(
            f"the base-url ends before /openai/deployments, like {EXAMPLE}: the model names the deployment"
        )
    if version is None or version in V1:
        return Location(url, partial(_v1, version), also=_spoken(*_CHAT, "openai_responses"))
    if not _DATED.fullmatch(version):
        raise ValueError("api-version is a date like 2024-10-21 or 2025-04-01-preview; leave it out for the v1 API")
    served = (*_CHAT, "openai_responses") if version >= RESPONSES_SINCE else _CHAT
    return Location(url, partial(_dated, version), also=_spoken(*served))


def sign(headers: Headers, secret: Secret | None) -> Headers:
    """`api-key`. Without a key, Entra signs."""
    return header_key(b"api-key", headers, secret)


def _spoken(*dialects: str) -> Spoken:
    return {Operation.CHAT: dialects}


def _v1(version: str | None, prefix: str) -> Address:
    return partial(_v1_address, _resource(prefix), "" if version is None else f"?api-version={version}")


def _dated(version: str, prefix: str) -> Address:
    return partial(_dated_address, _resource(prefix), f"?api-version={version}")


def _resource(prefix: str) -> str:
    """The path to the resource. People write it with the beginning of the API's own path, or without."""
    return prefix.removesuffix("/v1").removesuffix("/openai")


def _v1_address(resource: str, query: str, aim: Aim) -> tuple[str, str]:
    method, path = _PATHS[aim.operation, aim.dialect]
    return method, f"{resource}/openai/v1{path}{query}"


def _dated_address(resource: str, query: str, aim: Aim) -> tuple[str, str]:
    method, path = _PATHS[aim.operation, aim.dialect]
    deployment = "" if path in _AT_THE_ROOT else f"/deployments/{segment(aim.model)}"
    return method, f"{resource}/openai{deployment}{path}{query}"
