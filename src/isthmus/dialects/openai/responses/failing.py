"""How a streamed answer breaks off: an `error`, and a failed response behind it. Nothing follows.

OpenAI sends both: its SDKs raise at the first, Codex reads the second. Source: the OpenAI API reference,
"Streaming events"; recorded streams, in which the words of an `error` stand in an object of that name.
"""

from typing import Any

from isthmus.core.errors import GatewayError
from isthmus.core.losses import Losses
from isthmus.dialects.openai.errors import error_object
from isthmus.dialects.openai.responses.frame import make_frame
from isthmus.dialects.openai.responses.names import item_id
from isthmus.dialects.openai.responses.usage import FAILED
from isthmus.wire import json


def event(name: str, number: int, /, **fields: Any) -> bytes:
    """One event of the stream, the `number`th."""
    data = json.encode_line({"type": name, "sequence_number": number, **fields})
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def failure(error: GatewayError) -> dict[str, str | None]:
    """What stands under `error` in a response that failed."""
    told = error_object(error)
    return {"code": told["code"] or "server_error", "message": told["message"]}


def broken(error: GatewayError, number: int, response: dict[str, Any]) -> bytes:
    """The last events. `response` is the object as it stands, failed."""
    told = error_object(error)
    words = {name: told[name] for name in ("code", "message", "param")}
    first = event("error", number, **words, error=told)
    return first + event("response.failed", number + 1, response=response)


def write_error_event(error: GatewayError) -> bytes:
    """The same where nobody knows what was sent before: its numbers start anew."""
    frame = make_frame(item_id("resp", error.message), "", 0, extra=None, echo=None, losses=Losses())
    return broken(error, 0, frame.response(FAILED, [], error=failure(error)))
