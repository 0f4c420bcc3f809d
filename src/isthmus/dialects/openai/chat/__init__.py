"""Chat completions, POST /v1/chat/completions, as OpenAI defines it and many hosts speak it."""

from isthmus.core.operations import Operation
from isthmus.dialects.codec import Codec
from isthmus.dialects.openai import CHAT
from isthmus.dialects.openai.chat.peek import ask_usage, peek
from isthmus.dialects.openai.chat.reply import read_reply, tap_reply, write_reply
from isthmus.dialects.openai.chat.request import read_request, write_request
from isthmus.dialects.openai.chat.stream import ChatReader
from isthmus.dialects.openai.chat.tap import ChatTap
from isthmus.dialects.openai.chat.writer import ChatWriter
from isthmus.dialects.openai.errors import read_error, write_error, write_error_event
from isthmus.dialects.openai.headers import PASSED_BACK
from isthmus.wire.frames import Framing

CODEC = Codec(
    dialect=CHAT,
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
    stream_reader=ChatReader,
    stream_writer=ChatWriter,
    read_error=read_error,
    write_error=write_error,
    write_error_event=write_error_event,
    tap_reply=tap_reply,
    tap=ChatTap,
    ask_usage=ask_usage,
)
