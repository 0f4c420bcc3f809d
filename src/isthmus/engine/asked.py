"""What a caller asks of a model, on its way to whoever is asked."""

from msgspec import Struct
from msgspec.structs import replace

from isthmus.core.chat import ChatRequest
from isthmus.core.errors import GatewayError
from isthmus.dialects.codec import Codec, Peek
from isthmus.engine.continuation import can_break_off
from isthmus.engine.empty import Aside


class Asked(Struct, eq=False):
    """The caller's request on its way to several targets. It is read at most once, and only if a lane needs it.

    `peek` says what stands in its path where the dialect has the model there.
    """

    body: bytes
    codec: Codec
    peek: Peek
    aside: Aside | None = None
    unknown: GatewayError | None = None
    _read: ChatRequest | None = None

    def request(self) -> ChatRequest:
        """What is asked. Raises INVALID, and `unknown` where it continues something that only its provider may have."""
        if self.unknown is not None:
            raise self.unknown
        if self._read is None:
            read = self.codec.read_request(self.body)
            named = self.codec.model_in_path or not self.peek.stream_said
            self._read = replace(read, model=self.peek.model, stream=self.peek.stream) if named else read
        return self._read

    def can_break_off(self) -> bool:
        """Is it a stream whose answer another model could go on with?"""
        return self.peek.stream and self.unknown is None and can_break_off(self.body, self.request)
