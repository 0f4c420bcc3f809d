"""`POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent`: chat in the Gemini dialect.

CODEC streams as server-sent events (`alt=sse`), ARRAY_CODEC as one JSON array, for clients that do not ask for
events. Providers are always asked for events, so nothing is ever passed through as an array.
"""

from msgspec.structs import replace

from isthmus.core.errors import GatewayError
from isthmus.core.operations import Operation
from isthmus.dialects.codec import Codec
from isthmus.dialects.gemini.errors import read_error, write_error, write_error_event
from isthmus.dialects.gemini.generate.reply import read_reply, tap_reply, write_reply
from isthmus.dialects.gemini.generate.request import peek, read_request, write_request
from isthmus.dialects.gemini.generate.stream import GenerateReader
from isthmus.dialects.gemini.generate.tap import tap, tap_array
from isthmus.dialects.gemini.generate.writer import write_array, write_events
from isthmus.dialects.gemini.words import DIALECT
from isthmus.wire.frames import Framing

CODEC = Codec(
    dialect=DIALECT,
    operation=Operation.CHAT,
    framing=Framing.SSE,
    content_type=b"text/event-stream",
    ping=b": ping\n\n",
    passed_request_headers=frozenset({b"x-goog-api-client", b"x-goog-user-project", b"x-server-timeout"}),
    passed_reply_headers=frozenset({b"retry-after", b"server-timing"}),
    peek=peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    stream_reader=GenerateReader,
    stream_writer=write_events,
    read_error=read_error,
    write_error=write_error,
    write_error_event=write_error_event,
    tap_reply=tap_reply,
    tap=tap,
    model_in_path=True,
    shown_as="modelVersion",
)


def _write_error_item(error: GatewayError) -> bytes:
    """As the last item of an array, which has always been begun when there is an error in it."""
    return b",\r\n" + write_error(error) + b"]"


def _write_lone_error(error: GatewayError) -> bytes:
    """Who asked for an array is refused in one."""
    return b"[" + write_error(error) + b"]"


ARRAY_CODEC = replace(
    CODEC,
    framing=Framing.JSON_ARRAY,
    content_type=b"application/json; charset=UTF-8",
    ping=b"",
    stream_writer=write_array,
    write_error=_write_lone_error,
    write_error_event=_write_error_item,
    tap=tap_array,
)

__all__ = ["ARRAY_CODEC", "CODEC"]
