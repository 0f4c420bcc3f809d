"""Where Amazon Bedrock is asked for what, and how Claude is spoken to there by invoke.

Every maker's models are asked by Converse. Claude is asked by invoke, in Anthropic's own dialect: the version and the
betas stand in the body, the model and whether to stream in the path, and a stream's events come as base64 in an event
stream.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
(version, betas), https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html (bearer keys).
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from functools import partial

from msgspec import Raw

from isthmus.catalog.families.bedrock_names import IDS, PREFIXES, bedrock_id
from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.core.secret import Secret
from isthmus.dialects.bedrock.errors import read_error, read_failure
from isthmus.providers.betas import named_betas, note_unknown
from isthmus.providers.host import Location, Place
from isthmus.providers.paths import segment
from isthmus.providers.provider import Address, Aim, Envelope
from isthmus.providers.signers import bearer
from isthmus.wire import json
from isthmus.wire.event_stream import EventStreamSplitter
from isthmus.wire.frames import Frame
from isthmus.wire.headers import Headers
from isthmus.wire.json import Fields, Malformed
from isthmus.wire.sse import write_event

REGION = "us-east-1"
"""Asked where neither the configuration nor the environment names one."""
VERSION = json.raw("bedrock-2023-05-31")
"""`anthropic_version`, which stands in the body here."""
MODELS = (
    "claude-sonnet-4.5",
    "claude-haiku-4.5",
    *IDS.values(),
    *(f"{prefix}.*" for prefix in PREFIXES),
    *(
        f"{maker}.*"
        for maker in (
            "ai21",
            "amazon",
            "anthropic",
            "cohere",
            "deepseek",
            "google",
            "meta",
            "minimax",
            "mistral",
            "moonshot",
            "moonshotai",
            "nvidia",
            "openai",
            "qwen",
            "writer",
            "zai",
        )
    ),
    "arn:aws*:bedrock:*",
)
"""Names and wildcards that Bedrock serves: its ids open with the maker, or with the prefix of an inference profile."""

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_CLAUDES = frozenset(
    {
        "compact-2026-01-12",
        "computer-use-2024-10-22",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "dev-full-thinking-2025-05-14",
        "effort-2025-11-24",
        "interleaved-thinking-2025-05-14",
        "output-128k-2025-02-19",
        "token-efficient-tools-2025-02-19",
        "tool-examples-2025-10-29",
        "tool-search-tool-2025-10-19",
    }
)
"""The betas that are known there. It refuses requests that name others, as clients do that mean Anthropic itself:
github.com/BerriAI/litellm/pull/19877, github.com/anthropics/claude-code/issues/56595."""

_METHODS: Mapping[tuple[Operation, str], tuple[str, str]] = {
    (Operation.CHAT, "bedrock"): ("converse", "converse-stream"),
    (Operation.CHAT, "anthropic"): ("invoke", "invoke-with-response-stream"),
    (Operation.COUNT_TOKENS, "bedrock"): ("count-tokens", "count-tokens"),
    (Operation.EMBED, "bedrock_titan"): ("invoke", "invoke"),
    (Operation.EMBED, "bedrock_cohere"): ("invoke", "invoke"),
}
"""Asked for whole, and as a stream."""


def locate(place: Place) -> Location:
    """The region's host. Raises ValueError for what is no region."""
    region = place.settings.get("region", REGION)
    if not _REGION.fullmatch(region):
        raise ValueError("region is a name like us-east-1")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    usual = f"https://bedrock-runtime.{region}.{suffix}"
    return Location(
        place.base_url or usual,
        address,
        Envelope(wrap=wrap, unwrap=unwrap, read_error=read_error, note=partial(note_unknown, _CLAUDES)),
    )


def address(prefix: str) -> Address:
    """The paths below `prefix`. Ids are percent-encoded as the AWS SDKs do, colons and slashes too."""
    return partial(_address, prefix)


def _address(prefix: str, aim: Aim) -> tuple[str, str]:
    whole, streamed = _METHODS[aim.operation, aim.dialect]
    model = segment(_id_for(aim), safe="-._~")
    return "POST", f"{prefix}/model/{model}/{streamed if aim.stream else whole}"


def _id_for(aim: Aim) -> str:
    """Tokens are counted for models, not for inference profiles, as the id in a count's path must be a model's."""
    model = bedrock_id(aim.model)
    prefix, _, rest = model.partition(".")
    return rest if aim.operation is Operation.COUNT_TOKENS and prefix in PREFIXES else model


def sign(headers: Headers, secret: Secret | None) -> Headers:
    """The bearer key, where there is one. What Anthropic takes in headers stands in the body here."""
    return bearer(tuple(pair for pair in headers if not pair[0].startswith(b"anthropic-")), secret)


def wrap(aim: Aim, fields: dict[str, Raw], headers: Headers) -> dict[str, Raw]:
    """Claude's body as invoke takes it. Others are taken as they are."""
    if aim.dialect != "anthropic":
        return fields
    wrapped = {"anthropic_version": VERSION, **fields}
    for name in ("model", "stream"):
        wrapped.pop(name, None)
    if betas := [beta for beta in named_betas(headers, fields.get("anthropic_beta")) if beta in _CLAUDES]:
        wrapped["anthropic_beta"] = json.raw(betas)
    else:
        wrapped.pop("anthropic_beta", None)
    return wrapped


def unwrap(aim: Aim) -> "ClaudeEvents | None":
    return ClaudeEvents() if aim.dialect == "anthropic" else None


class ClaudeEvents:
    """Anthropic's events out of an invoke stream, as server-sent events.

    A failure is raised when all that came before it has been passed on.
    """

    def __init__(self) -> None:
        self._splitter = EventStreamSplitter()
        self._failure: GatewayError | None = None

    def feed(self, data: bytes) -> bytes:
        """The events that `data` completes. Raises FrameTooLarge, and what the provider tells in place of an event."""
        self._raise()
        out: list[bytes] = []
        for frame in self._splitter.feed(data):
            self._failure = read_failure(frame)
            if self._failure is not None:
                break
            out.append(_event(frame))
        if not out:
            self._raise()
        return b"".join(out)

    def end(self) -> bytes:
        self._raise()
        return b""

    def _raise(self) -> None:
        if self._failure is not None:
            raise self._failure


def _event(frame: Frame) -> bytes:
    """One event; b"" for a frame that holds none, as new kinds of frames may."""
    try:
        data = Fields(frame.data).text("bytes")
        if data is None:
            return b""
        event = b64decode(data, validate=True)
        return write_event(Fields(event).text("type") or "message", event.replace(b"\n", b" ").replace(b"\r", b" "))
    except (Malformed, binascii.Error, ValueError) as error:
        raise GatewayError(Kind.GARBLED, f"the provider's stream: {error}") from error
