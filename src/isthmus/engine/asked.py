"""What a caller asks of a model, on its way to whoever is asked."""

from msgspec.structs import replace

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError
from isthmus.dialects.codec import Codec, Peek
from isthmus.engine.continuation import can_break_off
from isthmus.engine.empty import Aside


class Asked:
    """The caller's request on its way to several targets. It is read at most once, and only if a lane needs it.

    `peek` says what stands in its path where the dialect has the model there.
    """

    __slots__ = ("_peek", "_read", "aside", "body", "codec", "unknown")

    def __init__(self, body: bytes, codec: Codec, peek: Peek) -> None:
        self.body = body
        self.codec = codec
        self.aside: Aside | None = None
        self._peek = peek
        self._read: ChatRequest | None = None
        self.unknown: GatewayError | None = None

    def request(self) -> ChatRequest:
        """What is asked. Raises INVALID, and `unknown` where it continues something that only its provider may have."""
        if self.unknown is not None:
            raise self.unknown
        if self._read is None:
            read = self.codec.read_request(self.body)
            named = self.codec.model_in_path or not self._peek.stream_said
            self._read = replace(read, model=self._peek.model, stream=self._peek.stream) if named else read
        return self._read

    def can_break_off(self) -> bool:
        """Is it a stream whose answer another model could go on with?"""
        return self._peek.stream and self.unknown is None and can_break_off(self.body, self.request)
