"""What is looked up in a request's body before it is read, and what is told of one that cannot be read."""

from isthmus.core.errors import GatewayError, Kind
from isthmus.dialects.codec import Peek
from isthmus.wire.json import Fields, Malformed


def peek(body: bytes) -> Peek:
    """Model and stream flag, which is on unless the caller says otherwise. Raises INVALID, naming the field."""
    try:
        fields = Fields(body)
        model = fields.need("model", fields.text("model") or None)
        stream = fields.flag("stream")
        return Peek(model, stream is not False, stream_said=stream is not None)
    except Malformed as error:
        raise invalid(error) from error


def invalid(error: Malformed) -> GatewayError:
    """What a caller is told of a body that cannot be read."""
    return GatewayError(Kind.INVALID, error.message, param=error.path or None)
