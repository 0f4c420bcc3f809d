"""`POST /v1/messages`: chat in the Anthropic dialect."""

from isthmus.core.operations import Operation
from isthmus.dialects.anthropic.errors import read_error, write_error, write_error_event
from isthmus.dialects.anthropic.messages.reply import read_reply, tap_reply, write_reply
from isthmus.dialects.anthropic.messages.request import peek, read_request, write_request
from isthmus.dialects.anthropic.messages.stream import MessagesReader
from isthmus.dialects.anthropic.messages.tap import tap
from isthmus.dialects.anthropic.messages.writer import MessagesWriter
from isthmus.dialects.anthropic.words import DIALECT
from isthmus.dialects.codec import Codec
from isthmus.wire.frames import Framing

_LIMITS = ("requests", "tokens", "input-tokens", "output-tokens", "priority-input-tokens", "priority-output-tokens")
_RATES = frozenset(
    f"anthropic-{'' if limit.startswith('priority') else 'ratelimit-'}{limit}-{part}".encode()
    for limit in _LIMITS
    for part in ("limit", "remaining", "reset")
)
_UNIFIED = frozenset(
    f"anthropic-ratelimit-unified-{part}".encode()
    for part in (
        "status",
        "reset",
        "fallback",
        "fallback-percentage",
        "representative-claim",
        "overage-status",
        "overage-disabled-reason",
        *(f"{window}-{part}" for window in ("5h", "7d") for part in ("status", "reset", "utilization")),
    )
)
"""What is told of a subscription's windows. Source: the headers that Claude Code reads."""

CODEC = Codec(
    dialect=DIALECT,
    operation=Operation.CHAT,
    framing=Framing.SSE,
    content_type=b"text/event-stream; charset=utf-8",
    done_marker=b"data: [DONE]\n\n",
    ping=b'event: ping\ndata: {"type": "ping"}\n\n',
    passed_request_headers=frozenset({b"anthropic-version", b"anthropic-beta"}),
    passed_reply_headers=frozenset({b"request-id", b"retry-after", b"retry-after-ms", b"x-should-retry"})
    | _RATES
    | _UNIFIED,
    peek=peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    stream_reader=MessagesReader,
    stream_writer=MessagesWriter,
    read_error=read_error,
    write_error=write_error,
    write_error_event=write_error_event,
    tap_reply=tap_reply,
    tap=tap,
    ask_usage=None,
    shown_within="message",
)

__all__ = ["CODEC"]
