"""Completions, POST /v1/completions: a text is continued. OpenAI calls it legacy; servers of base models live by it."""

from isthmus.core.operations import Operation
from isthmus.dialects.codec import Codec
from isthmus.dialects.openai import COMPLETIONS
from isthmus.dialects.openai.completions.prompt import echo, split
from isthmus.dialects.openai.completions.reply import join, read_reply, tap_reply, write_reply
from isthmus.dialects.openai.completions.request import ask_usage, peek, read_request, write_request
from isthmus.dialects.openai.completions.stream import CompletionReader
from isthmus.dialects.openai.completions.tap import CompletionTap
from isthmus.dialects.openai.completions.writer import CompletionWriter
from isthmus.dialects.openai.embeddings import CODEC as EMBEDDINGS
from isthmus.dialects.openai.errors import read_error, write_error, write_error_event
from isthmus.wire.frames import Framing

CODEC = Codec(
    dialect=COMPLETIONS,
    operation=Operation.CHAT,
    framing=Framing.SSE,
    content_type=b"text/event-stream; charset=utf-8",
    ping=b": ping\n\n",
    passed_request_headers=EMBEDDINGS.passed_request_headers,
    passed_reply_headers=EMBEDDINGS.passed_reply_headers,
    peek=peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    stream_reader=CompletionReader,
    stream_writer=CompletionWriter,
    read_error=lambda status, headers, body: read_error(status, headers, body, COMPLETIONS),
    write_error=write_error,
    write_error_event=write_error_event,
    tap_reply=tap_reply,
    tap=CompletionTap,
    ask_usage=ask_usage,
    echo=echo,
    split=split,
    join=join,
)

__all__ = ["CODEC"]
