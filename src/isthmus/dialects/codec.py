"""What a codec is: the functions of one dialect for one operation, listed in a frozen value.

`read_*` is wire to core, `write_*` is core to wire. All are pure. Readers of bodies
raise GatewayError; no reader of a stream ever raises for an event it does not know.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from msgspec import UNSET, Raw, UnsetType

from isthmus.core.chat import ChatRequest
from isthmus.core.embedding import EmbedReply, EmbedRequest
from isthmus.core.errors import GatewayError
from isthmus.core.events import Event
from isthmus.core.losses import Losses
from isthmus.core.operations import Operation
from isthmus.core.profile import ModelProfile
from isthmus.core.reply import ChatReply
from isthmus.core.usage import Usage
from isthmus.core.value import Extra, Value
from isthmus.wire.frames import Frame, Framing
from isthmus.wire.headers import Headers


class Peek(Value, frozen=True):
    """What routing needs of a request, without reading the rest.

    `usage_asked`: the caller asked for usage in the stream, or the dialect always sends it.
    `stream_said`: the caller said itself whether to stream; False where the dialect's own default was taken.
    A dialect that has the model in its URL leaves `model` empty and `stream` False here; whoever
    knows the URL fills them in. `refused` are top-level fields that clients send and providers
    of this dialect refuse as they stand, so they are left out. `marked`: the body holds a mark of
    our own making, which no provider knows, so it must be read and written anew even for its own
    dialect. `bound` is the most tokens that the answer may have; UNSET where nobody looked for it.
    """

    model: str
    stream: bool = False
    usage_asked: bool = True
    refused: frozenset[str] = frozenset()
    marked: bool = False
    stream_said: bool = True
    bound: int | UnsetType | None = UNSET


class ReplyHead(Value, frozen=True):
    """What a stream writer is told before the first event.

    `model` is the name to show; `created` Unix seconds; `input_estimate` tokens of input, for a
    dialect that must name them at the start; `show_usage`: the caller asked for usage; `echo`: what
    the codec's `echo` made of the request.
    """

    model: str
    created: int
    input_estimate: int = 0
    show_usage: bool = True
    echo: Extra | None = None


class StreamReader(Protocol):
    """Frames to events, obeying the grammar. One per stream."""

    def read(self, frame: Frame) -> Sequence[Event]:
        """The events of one frame. A frame that is not of this dialect gives a StreamError of kind GARBLED."""
        ...

    def end(self) -> Sequence[Event]:
        """The upstream closed: nothing when the answer was complete, else a StreamError of kind CUT_SHORT."""
        ...


class StreamWriter(Protocol):
    """Events to bytes, whole frames only. One per stream."""

    def write(self, event: Event) -> bytes:
        """The bytes to send for `event`; b"" when this dialect has nothing to say."""
        ...

    def end(self) -> bytes:
        """The bytes that close a stream whose last event was a MessageStop."""
        ...


class Tap(Protocol):
    """Watches the bytes of a stream that is passed through. Holds only an unfinished tail, which is bounded."""

    @property
    def usage(self) -> Usage | None:
        """The last usage seen."""
        ...

    @property
    def complete(self) -> bool:
        """The dialect's end of an answer was seen."""
        ...

    @property
    def error(self) -> GatewayError | None:
        """An error that the provider told inside the stream."""
        ...

    @property
    def started(self) -> bool:
        """Something was said: a word, a thought, a call, or why nothing is. Not pings, comments, an error, the frame
        around an answer, or its plain end: an answer that is complete and never started may be empty.
        """
        ...

    def feed(self, data: bytes) -> bytes:
        """What to send on of `data`: all of it, unless the tap was made to hide usage."""
        ...

    def end(self) -> bytes:
        """The upstream closed: whatever was still held back."""
        ...


class Codec(Value, frozen=True, kw_only=True):
    """One dialect, one operation.

    `passed_request_headers` and `passed_reply_headers` are the names (lower case) that travel
    between a client and a provider of this dialect; everything else stays here. `model_in_path`: the
    model, and whether the answer is streamed, stand in the URL and not in the body.
    """

    dialect: str
    operation: Operation
    framing: Framing
    content_type: bytes
    ping: bytes
    passed_request_headers: frozenset[bytes]
    passed_reply_headers: frozenset[bytes]

    peek: Callable[[bytes], Peek]
    """Model and stream flag. Raises INVALID for a body no provider could answer, naming the field."""
    read_request: Callable[[bytes], ChatRequest]
    write_request: Callable[[ChatRequest, ModelProfile, Losses], bytes]
    read_reply: Callable[[bytes], ChatReply]
    """Raises GARBLED for what is no answer, and the told error for an error in a 200."""
    write_reply: Callable[[ChatReply, Losses], bytes]
    stream_reader: Callable[[], StreamReader]
    stream_writer: Callable[[ReplyHead, Losses], StreamWriter]
    read_error: Callable[[int, Headers, bytes], GatewayError]
    """An upstream's refusal, by status, headers and body."""
    write_error: Callable[[GatewayError], bytes]
    """The body of an error answer."""
    write_error_event: Callable[[GatewayError], bytes]
    """The same inside a stream, after which nothing follows."""
    tap_reply: Callable[[bytes], Usage | None]
    """The usage in a unary answer that is passed through. Raises as read_reply does."""
    tap: Callable[[bool], Tap]
    """A tap for one stream; True: take out the usage the caller did not ask for."""
    ask_usage: Callable[[Mapping[str, Raw]], Mapping[str, Raw | None]] | None = None
    """The top-level changes that make a provider send usage in a stream; None where it always does."""
    model_in_path: bool = False
    shown_as: str = "model"
    """The field of an answer, whole or streamed, that shows which model gave it; "" where there is none."""
    shown_within: str = ""
    """The field of a stream's events that holds the answer, or its beginning, where they do not have it themselves."""
    fetches: bool = True
    """Providers of this dialect fetch media that is given by URL."""
    aside: Callable[[bytes, int], bytes | None] | None = None
    """The answer to a request that asks nothing of a model, such as to load one; None for all others.

    It is told the time in Unix seconds.
    """
    done_marker: bytes = b""
    """What some clients of this dialect wait for behind a stream's end, and others pass over."""
    keeps: bool = False
    """Answers of this dialect can be asked for again, and continued, by their ids."""
    echo: Callable[[ChatRequest], Extra] | None = None
    """What an answer repeats of its request, or must know of it; for ReplyHead and ChatReply. None where nothing."""
    split: Callable[[bytes], Sequence[bytes]] | None = None
    """The requests in one body, where a dialect may ask several at once; None where it cannot.

    Raises UNSUPPORTED for what only a provider of this dialect can take.
    """
    join: Callable[[Sequence[ChatReply]], ChatReply] | None = None
    """One answer to what was split, in the same order. There wherever `split` is."""


class EmbedCodec(Value, frozen=True, kw_only=True):
    """One dialect's way to ask for embeddings. Fields mean what they mean in Codec.

    `batch` is how many inputs one request may hold. `write_reply` is told what was asked. `tap_reply` is None
    where the usage can only be had by reading the whole answer.
    """

    dialect: str
    operation: Operation = Operation.EMBED
    passed_request_headers: frozenset[bytes] = frozenset()
    passed_reply_headers: frozenset[bytes] = frozenset()
    model_in_path: bool = False
    shown_as: str = "model"
    batch: int = 2048

    peek: Callable[[bytes], Peek]
    read_request: Callable[[bytes], EmbedRequest]
    write_request: Callable[[EmbedRequest, ModelProfile, Losses], bytes]
    read_reply: Callable[[bytes], EmbedReply]
    write_reply: Callable[[EmbedReply, EmbedRequest, Losses], bytes]
    tap_reply: Callable[[bytes], Usage | None] | None = None
    read_error: Callable[[int, Headers, bytes], GatewayError]
    write_error: Callable[[GatewayError], bytes]


class CountCodec(Value, frozen=True, kw_only=True):
    """One dialect's way to ask how many tokens a request has. Fields mean what they mean in Codec.

    The model may be unnamed. `write_reply` is given the number of input tokens.
    """

    dialect: str
    operation: Operation = Operation.COUNT_TOKENS
    passed_request_headers: frozenset[bytes] = frozenset()
    passed_reply_headers: frozenset[bytes] = frozenset()
    model_in_path: bool = False

    peek: Callable[[bytes], Peek]
    read_request: Callable[[bytes], ChatRequest]
    write_request: Callable[[ChatRequest, ModelProfile, Losses], bytes]
    read_reply: Callable[[bytes], int]
    write_reply: Callable[[int], bytes]
    read_error: Callable[[int, Headers, bytes], GatewayError]
    write_error: Callable[[GatewayError], bytes]


AnyCodec: TypeAlias = Codec | EmbedCodec | CountCodec
"""Whatever a client request can be read by."""
