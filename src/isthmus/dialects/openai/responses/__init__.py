"""Responses, POST /v1/responses, as OpenAI defines it and Codex and newer SDKs speak it."""

from functools import partial

from isthmus.core.operations import Operation
from isthmus.dialects.codec import Codec
from isthmus.dialects.openai import RESPONSES
from isthmus.dialects.openai.errors import read_error, write_error
from isthmus.dialects.openai.headers import PASSED_BACK
from isthmus.dialects.openai.responses.failing import write_error_event
from isthmus.dialects.openai.responses.peek import peek
from isthmus.dialects.openai.responses.reply import read_reply, tap_reply, write_reply
from isthmus.dialects.openai.responses.request import echo, read_request, write_request
from isthmus.dialects.openai.responses.stream import ResponsesReader
from isthmus.dialects.openai.responses.tap import tap
from isthmus.dialects.openai.responses.writer import ResponsesWriter
from isthmus.wire.frames import Framing

CODEC = Codec(
    dialect=RESPONSES,
    operation=Operation.CHAT,
    framing=Framing.SSE,
    content_type=b"text/event-stream; charset=utf-8",
    ping=b": ping\n\n",
    passed_request_headers=frozenset({b"openai-beta"}),
    passed_reply_headers=PASSED_BACK,
    peek=peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    stream_reader=ResponsesReader,
    stream_writer=ResponsesWriter,
    read_error=partial(read_error, dialect=RESPONSES),
    write_error=write_error,
    write_error_event=write_error_event,
    tap_reply=tap_reply,
    tap=tap,
    echo=echo,
    keeps=True,
    shown_within="response",
)
