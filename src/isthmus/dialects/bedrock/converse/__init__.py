"""`POST /model/{modelId}/converse` and `/converse-stream`: chat in the Bedrock dialect."""

from isthmus.core.operations import Operation
from isthmus.dialects.bedrock.converse.reply import read_reply, tap_reply, write_reply
from isthmus.dialects.bedrock.converse.request import peek, read_request, write_request
from isthmus.dialects.bedrock.converse.stream import ConverseReader
from isthmus.dialects.bedrock.converse.tap import tap
from isthmus.dialects.bedrock.converse.writer import ConverseWriter
from isthmus.dialects.bedrock.errors import read_error, write_error, write_error_event
from isthmus.dialects.bedrock.words import DIALECT
from isthmus.dialects.codec import Codec
from isthmus.wire.event_stream import write_event
from isthmus.wire.frames import Framing

CODEC = Codec(
    dialect=DIALECT,
    operation=Operation.CHAT,
    framing=Framing.EVENT_STREAM,
    content_type=b"application/vnd.amazon.eventstream",
    ping=write_event("initial-response", b"{}"),
    passed_request_headers=frozenset(),
    passed_reply_headers=frozenset({b"x-amzn-requestid", b"retry-after"}),
    peek=peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    stream_reader=ConverseReader,
    stream_writer=ConverseWriter,
    read_error=read_error,
    write_error=write_error,
    write_error_event=write_error_event,
    tap_reply=tap_reply,
    tap=tap,
    ask_usage=None,
    model_in_path=True,
    shown_as="",
    fetches=False,
)
"""`ping` is an event that SDKs of event streams step over."""

__all__ = ["CODEC"]
