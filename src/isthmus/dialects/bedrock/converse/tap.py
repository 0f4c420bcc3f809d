"""Watches a stream that is passed through: every byte goes on unchanged.

Of every message only its name is looked at, but for the few that tell usage, the end or a failure. Reading is the
same as that of a decoded stream, so both give the same usage.
"""

import re

from isthmus.core.errors import GatewayError
from isthmus.core.usage import Usage
from isthmus.dialects.bedrock.converse.usage import read_usage
from isthmus.dialects.bedrock.errors import read_failure
from isthmus.wire.event_stream import EventStreamSplitter
from isthmus.wire.frames import Frame, FrameTooLarge
from isthmus.wire.json import Fields, Malformed

_NO_WORDS = re.compile(rb'"text"\s*:\s*""')


class ConverseTap:
    """Holds the unfinished message. `_stopping`: the reason to stop was told, and only the bill may follow."""

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.complete = False
        self.error: GatewayError | None = None
        self.started = False
        self._stopping = False
        self._splitter = EventStreamSplitter()

    def feed(self, data: bytes) -> bytes:
        """A message longer than any provider sends is not watched, and nothing behind it."""
        try:
            for frame in self._splitter.feed(data):
                self._look(frame)
        except FrameTooLarge:
            self._splitter = EventStreamSplitter()
        return data

    def end(self) -> bytes:
        self.complete = self.complete or (self._stopping and self.error is None)
        return b""

    def _look(self, frame: Frame) -> None:
        if self.complete or self.error is not None:
            return
        if (failure := read_failure(frame)) is not None:
            self.error = failure
        elif frame.event in (b"contentBlockStart", b"contentBlockDelta"):
            self.started = self.started or _NO_WORDS.search(frame.data) is None
        elif frame.event == b"messageStop":
            self.started = self.started or b'"end_turn"' not in frame.data
            self._stopping = True
        elif frame.event == b"metadata":
            self._bill(frame.data)

    def _bill(self, data: bytes) -> None:
        try:
            self.usage = read_usage(Fields(data).raw("usage")) or self.usage
        except Malformed:
            return
        self.complete = self._stopping


def tap(_: bool) -> ConverseTap:
    """This dialect always tells its usage, so none is ever hidden."""
    return ConverseTap()
