"""Where Google's Vertex AI is asked for what, and what it takes of each maker's requests.

Gemini, Claude and open models stand side by side there, each spoken to in its own dialect. An API key alone
is express mode: no project, no region, Google's models only.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest (methods of Google's models),
.../docs/start/express-mode/vertex-ai-express-mode-api-reference, .../docs/partner-models/claude/use-claude,
.../docs/open-models/use-maas (open models in OpenAI's dialect), .../docs/learn/locations.
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from urllib.parse import quote

from msgspec import Raw

from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.providers import anthropic
from isthmus.providers.betas import named_betas, note_unknown
from isthmus.providers.host import Location, Place
from isthmus.providers.provider import Address, Aim, Envelope
from isthmus.providers.signers import header_key
from isthmus.wire import json
from isthmus.wire.headers import Headers, find

GLOBAL = "global"
"""The region that is asked where none is configured: it has every model, and the most room."""
CLAUDE_VERSION = json.raw("vertex-2023-10-16")
"""`anthropic_version`, which stands in the body here. It is what Anthropic calls 2023-06-01 itself."""

_REGION = re.compile(r"[a-z][a-z0-9-]{1,40}")
_PROJECT = re.compile(r"[a-z0-9.:-]{1,100}")
_SHARED = {GLOBAL: "aiplatform.googleapis.com"} | {
    each: f"aiplatform.{each}.rep.googleapis.com" for each in ("us", "eu")
}
"""Hosts that stand for more than one region."""
_DATE = re.compile(r"-(20\d{6})$")

_BETAS = frozenset(
    {
        "compact-2026-01-12",
        "compact-2026-09-04",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "dangerous-tool-use-2026-09-03",
        "interleaved-thinking-2025-05-14",
        "per-turn-control-2026-07-01",
        "thinking-binding-controls-2026-08-01",
        "thinking-display-updates-2026-08-18",
        "tool-search-tool-2025-10-19",
        "web-search-2025-03-05",
    }
)
"""Betas of Anthropic's that are known there. Requests that name others are refused, as are those of clients that mean
Anthropic itself: github.com/anthropics/claude-code/issues/34802 and /21625. Which are known was tried out by others:
github.com/BerriAI/litellm, anthropic_beta_headers_config.json."""

_GOOGLE: Mapping[tuple[Operation, str], str] = {
    (Operation.CHAT, "gemini"): "generateContent",
    (Operation.COUNT_TOKENS, "gemini"): "countTokens",
    (Operation.EMBED, "gemini_single"): "embedContent",
    (Operation.EMBED, "vertex"): "predict",
    (Operation.EMBED, "vertex_single"): "predict",
}


def locate(place: Place) -> Location:
    """The region's host and the project's path on it. Raises ValueError."""
    region, project = place.settings.get("region", GLOBAL), place.settings.get("project")
    if not _REGION.fullmatch(region):
        raise ValueError("region is a name like us-central1, or global, us or eu")
    if project is None and not place.keyed:
        raise ValueError("needs a project (GOOGLE_CLOUD_PROJECT is not set), or an api-key for express mode")
    if project is not None and not _PROJECT.fullmatch(project):
        raise ValueError("project is the id of a Google Cloud project, like my-project-123")
    home = "" if project is None else f"/projects/{project}/locations/{region}"
    usual = f"https://{_host(GLOBAL if project is None else region)}"
    return Location(
        place.base_url or usual,
        partial(_address_below, home),
        Envelope(wrap=wrap, unwrap=_bare, note=partial(note_unknown, _BETAS)),
    )


def sign(headers: Headers, secret: Secret | None) -> Headers:
    """`x-goog-api-key`. Without a key, a token of Google's signs. Of Claude's betas those that are known there."""
    return header_key(b"x-goog-api-key", tuple(_known(headers)), secret)


def _known(headers: Headers) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers:
        if name != b"anthropic-beta":
            yield name, value
        elif betas := [beta for beta in named_betas(((name, value),)) if beta in _BETAS]:
            yield name, ",".join(betas).encode()


def _host(region: str) -> str:
    return _SHARED.get(region) or f"{region}-aiplatform.googleapis.com"


def _address_below(home: str, prefix: str) -> Address:
    return partial(_address, prefix.removesuffix("/v1") + "/v1" + home)


def _address(root: str, aim: Aim) -> tuple[str, str]:
    if aim.operation is Operation.LIST_MODELS:
        return "GET", f"{root}/publishers/google/models"
    if aim.dialect == "openai_chat":
        return "POST", f"{root}/endpoints/openapi/chat/completions"
    if aim.dialect == "anthropic":
        return "POST", f"{root}/publishers/anthropic/models/{_claude_method(aim)}"
    method = _GOOGLE[aim.operation, aim.dialect]
    if method == "generateContent" and aim.stream:
        method = "streamGenerateContent?alt=sse"
    return "POST", f"{root}/publishers/google/models/{quote(aim.model, safe='')}:{method}"


def _claude_method(aim: Aim) -> str:
    if aim.operation is Operation.COUNT_TOKENS:
        return "count-tokens:rawPredict"
    method = "streamRawPredict" if aim.stream else "rawPredict"
    return f"{quote(claude_of(aim.model), safe='@')}:{method}"


def claude_of(model: str) -> str:
    """Anthropic's name for a model as Vertex spells it: a date stands behind an @."""
    return _DATE.sub(r"@\1", model)


def wrap(aim: Aim, fields: dict[str, Raw], client: Headers) -> dict[str, Raw]:
    """The body as Vertex takes it. Open models' bodies are taken as they are."""
    if aim.dialect == "anthropic":
        return _wrap_claude(aim, fields, find(client, b"anthropic-version"))
    if aim.dialect == "gemini":
        return _wrap_gemini(aim, fields)
    return fields


def _bare(_: Aim) -> None:
    """Every stream comes as its own dialect frames it."""


def _wrap_claude(aim: Aim, fields: dict[str, Raw], version: bytes | None) -> dict[str, Raw]:
    """The version stands in the body, and the model in the path; only to be counted, in the body too.

    A client that asks for a later version in its header means that one: Anthropic's libraries put it here themselves.
    """
    said = CLAUDE_VERSION if version in (None, anthropic.VERSION) else json.raw(str(version, "latin-1"))
    wrapped = {"anthropic_version": said, **fields}
    wrapped.pop("model", None)
    if aim.operation is Operation.COUNT_TOKENS:
        wrapped["model"] = json.raw(claude_of(aim.model))
    return wrapped


def _wrap_gemini(aim: Aim, fields: dict[str, Raw]) -> dict[str, Raw]:
    """Turns as Vertex wants them. What is to be counted is not put into a request of its own, as it is at Gemini's API.

    What is no request at all is left for Google to refuse. Source: .../rest/v1/projects.locations.endpoints.
    """
    try:
        if aim.operation is Operation.COUNT_TOKENS and (whole := fields.get("generateContentRequest")) is not None:
            fields = json.read_fields(whole)
            fields.pop("model", None)
        if (contents := fields.get("contents")) is not None:
            fields = {**fields, "contents": json.raw([_turn(turn) for turn in json.read_items(contents)])}
    except json.Malformed:
        pass
    return fields


def _turn(turn: Raw) -> object:
    """With a role, which Gemini's own API can do without: github.com/BerriAI/litellm/issues/32731.

    Without ids of calls and results, which are refused as unknown: github.com/pydantic/pydantic-ai/issues/5081.
    """
    fields: dict[str, object] = dict(json.read_fields(turn))
    marked = b'"id"' in bytes(turn)
    if "role" in fields and not marked:
        return turn
    if marked and isinstance(parts := fields.get("parts"), Raw):
        fields["parts"] = [_without_id(part) for part in json.read_items(parts)]
    return {"role": "user", **fields}


def _without_id(part: Raw) -> dict[str, object]:
    fields: dict[str, object] = dict(json.read_fields(part))
    for name in ("functionCall", "functionResponse", "function_call", "function_response"):
        if isinstance(told := fields.get(name), Raw):
            inner = json.read_fields(told)
            inner.pop("id", None)
            fields[name] = inner
    return fields
