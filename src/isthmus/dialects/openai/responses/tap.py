"""Watches a stream that is passed through: every byte goes on unchanged.

Only the few events that tell usage, the end or an error are opened. Reading is the same as that of a decoded
stream, so both give the same usage.
"""

from msgspec import Raw

from isthmus.core.errors import GatewayError
from isthmus.core.usage import Usage
from isthmus.dialects.openai.errors import told_error
from isthmus.dialects.openai.responses.reply import is_failed
from isthmus.dialects.openai.responses.shapes import ItemEvent, read_event
from isthmus.dialects.openai.responses.stream import BEGINNING, DONE, FINAL
from isthmus.dialects.openai.responses.usage import read_usage
from isthmus.wire import json
from isthmus.wire.frames import Frame, FrameTooLarge
from isthmus.wire.json import DECODE_ERRORS, Fields, Malformed
from isthmus.wire.sse import SseSplitter

_FAILED = "response.failed"
_NAMES = tuple(name.encode() for name in (*FINAL, _FAILED, "error"))
_END = b"\n\n"
_HOLLOW = (b"null", b"[]")
_PLAIN_ENDS = (None, "completed")


class ResponsesTap:
    """Implements Tap. The splitter holds the unfinished event; one that grows without end passes unread.

    `_within`: the last read ended inside an event, or in a way that leaves it open whether it did.

    `answer` is the whole response object, once the stream has told its end.
    """

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.complete = False
        self.error: GatewayError | None = None
        self.started = False
        self.answer: Raw | None = None
        self._splitter = SseSplitter()
        self._within = False

    def feed(self, data: bytes) -> bytes:
        if not self._within and data.endswith(_END) and self.started and not _is_marked(data):
            return data
        self._within = not data.endswith(_END)
        try:
            frames = self._splitter.feed(data)
        except FrameTooLarge:
            self._splitter = SseSplitter()
            return data
        for frame in frames:
            if not self.started or frame.event in _NAMES or _is_marked(frame.data):
                self._note(frame)
        return data

    def end(self) -> bytes:
        """The last event counts, even when the blank line behind it never came."""
        for frame in self._splitter.end():
            self._note(frame)
        return b""

    def _note(self, frame: Frame) -> None:
        data = frame.data.strip()
        if not data or data == DONE or self.complete or self.error is not None:
            return
        try:
            event = read_event(data)
            kind = event.type or frame.event.decode("utf-8", "replace")
            if kind == "error" or (event.type is None and event.error != json.NULL):
                self.error = told_error(data)
            elif kind in (_FAILED, *FINAL) and event.response != json.NULL:
                self._finish(event.response)
            elif kind not in BEGINNING and not _frames(kind, event):
                self.started = True
        except (Malformed, *DECODE_ERRORS):
            self.started = True

    def _finish(self, whole: Raw) -> None:
        response = Fields(whole)
        if response.look("error") is not None or is_failed(response.look("status")):
            self.error = told_error(whole)
            return
        usage = response.raw("usage")
        self.usage = None if usage is None else read_usage(usage)
        self.started = self.started or response.text("status") not in _PLAIN_ENDS
        self.complete = True
        self.answer = whole


def _frames(kind: str, event: ItemEvent) -> bool:
    """Does the event only open or close what will hold words, without any?"""
    if kind in ("response.output_item.added", "response.output_item.done"):
        item = json.read_fields(event.item)
        return bytes(item.get("type", json.NULL)) == b'"message"' and bytes(item.get("content", json.NULL)) in _HOLLOW
    return kind == "response.content_part.added" and bytes(json.read_fields(event.part).get("text", json.NULL)) == b'""'


def _is_marked(events: bytes) -> bool:
    """May there be an end, which holds a whole response, or an error? In a text the quotes around these are escaped."""
    return b'"response"' in events or b'"error"' in events or b"event: error" in events


def tap(_: bool) -> ResponsesTap:
    """This dialect always tells its usage, so none is ever hidden."""
    return ResponsesTap()
