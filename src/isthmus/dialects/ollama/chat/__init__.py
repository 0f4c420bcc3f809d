"""Chat, POST /api/chat. Its answers are read and written by what it shares with generate; the form is told here."""

from functools import partial

from msgspec import Struct

from isthmus.core.operations import Operation
from isthmus.dialects.codec import Codec
from isthmus.dialects.ollama import OLLAMA
from isthmus.dialects.ollama.answers import Form, read_reply, tap_reply, write_reply
from isthmus.dialects.ollama.asked import peek
from isthmus.dialects.ollama.chat.request import read_request, write_request
from isthmus.dialects.ollama.errors import read_error, write_error, write_error_event
from isthmus.dialects.ollama.load import answer_load
from isthmus.dialects.ollama.reader import LineReader
from isthmus.dialects.ollama.tap import LineTap
from isthmus.dialects.ollama.writer import LineWriter
from isthmus.wire import json
from isthmus.wire.frames import Framing


class _Said(Struct, frozen=True, forbid_unknown_fields=True):
    content: str
    role: str = "assistant"


class _Words(Struct, frozen=True, forbid_unknown_fields=True):
    message: _Said
    done: bool
    model: str = ""
    created_at: str = ""


_read_words = json.decoder(_Words)


def _plain(line: bytes) -> str | None:
    """Most lines of every stream."""
    try:
        said = _read_words(line)
    except json.DECODE_ERRORS:
        return None
    return None if said.done else said.message.content


FORM = Form("message", "content", _plain)

CODEC: Codec = Codec(
    dialect=OLLAMA,
    operation=Operation.CHAT,
    framing=Framing.NDJSON,
    content_type=b"application/x-ndjson",
    ping=b" ",
    fetches=False,
    passed_request_headers=frozenset(),
    passed_reply_headers=frozenset({b"retry-after"}),
    peek=peek,
    read_request=read_request,
    write_request=write_request,
    read_reply=partial(read_reply, form=FORM),
    write_reply=partial(write_reply, form=FORM),
    stream_reader=partial(LineReader, FORM),
    stream_writer=partial(LineWriter, FORM),
    read_error=read_error,
    write_error=write_error,
    write_error_event=write_error_event,
    tap_reply=partial(tap_reply, form=FORM),
    tap=lambda _hide: LineTap(FORM),
    aside=lambda body, created: answer_load(CODEC, body, created),
)
