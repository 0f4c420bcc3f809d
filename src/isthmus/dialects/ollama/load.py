"""A request without a word: it asks for its model to be loaded, or with `keep_alive` 0 to be unloaded, and no more.

Source: https://docs.ollama.com/faq (keep a model loaded), https://docs.ollama.com/api/generate.
"""

from typing import Any

from isthmus.core.losses import Losses
from isthmus.core.reply import Candidate, ChatReply, Finish, Reason
from isthmus.core.value import Foreign
from isthmus.dialects.codec import Codec
from isthmus.dialects.ollama import GENERATE, OLLAMA
from isthmus.wire import json
from isthmus.wire.json import Fields, Malformed

_ASKING = {OLLAMA: ("messages",), GENERATE: ("prompt", "images")}


def answer_load(codec: Codec, body: bytes, created: int) -> bytes | None:
    """The answer for a caller of /api/chat or /api/generate who asks for nothing but the model; None for all others.

    `created` is in Unix seconds. It is one line, whether the caller wants a stream or not. Raises INVALID.
    """
    if codec.dialect not in _ASKING or not _is_load(codec.dialect, body):
        return None
    request = codec.read_request(body)
    word = "unload" if _unloads(body) else "load"
    finish = Finish(Reason.OTHER, native=Foreign(OLLAMA, json.raw(word)))
    reply = ChatReply(id="", model=request.model, candidates=(Candidate((), finish),), created=created)
    return codec.write_reply(reply, Losses()) + b"\n"


def _is_load(dialect: str, body: bytes) -> bool:
    """A look at the body, at the price of one shallow decode; one that cannot be read is somebody else's to refuse."""
    try:
        fields = Fields(body)
        return not any(_says(fields, name) for name in _ASKING[dialect])
    except Malformed:
        return False


def _says(fields: Fields, name: str) -> bool:
    value = fields.look(name)
    return value is not None and bytes(value) not in (b"[]", b'""')


def _unloads(body: bytes) -> bool:
    told: Any = json.decode(json.read_fields(body).get("keep_alive", json.NULL))
    return told in (0, "0", "0s") and told is not False
