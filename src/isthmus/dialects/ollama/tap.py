"""Watches a stream that is passed through for its beginning, its usage, an error and its end.

Every byte goes on unchanged. Once the answer has begun only a line that may be the last, or an error, is read: inside
a text the quotes around those words are escaped.
"""

import re

from isthmus.core.errors import GatewayError
from isthmus.core.usage import Usage
from isthmus.dialects.ollama.answers import Form, read_line
from isthmus.dialects.ollama.errors import told_error
from isthmus.wire import json
from isthmus.wire.frames import MAX_FRAME
from isthmus.wire.json import Malformed

_PLAIN_ENDS = (None, "", "stop")
_MARKED = re.compile(rb'"done"\s*:\s*true|"error"')


class LineTap:
    """Implements Tap. Holds the unfinished line, in pieces; one longer than any server sends is not watched."""

    def __init__(self, form: Form) -> None:
        self.usage: Usage | None = None
        self.complete = False
        self.error: GatewayError | None = None
        self.started = False
        self._form = form
        self._tail: list[bytes] = []
        self._held = 0

    def feed(self, data: bytes) -> bytes:
        head, found, tail = data.rpartition(b"\n")
        if found:
            self._look(b"".join((*self._tail, head)))
            self._tail, self._held = [], 0
        self._hold(tail)
        return data

    def end(self) -> bytes:
        """The last line counts, even when its end never came."""
        self._look(b"".join(self._tail))
        self._tail, self._held = [], 0
        return b""

    def _hold(self, tail: bytes) -> None:
        if tail:
            self._tail.append(tail)
            self._held += len(tail)
            if self._held > MAX_FRAME:
                self._tail, self._held = [], 0

    def _look(self, lines: bytes) -> None:
        if self.started and _MARKED.search(lines) is None:
            return
        for line in lines.split(b"\n"):
            if not self.started or _MARKED.search(line) is not None:
                self._read(line.strip())

    def _read(self, line: bytes) -> None:
        if not line or self.complete or self.error is not None:
            return
        try:
            fields = json.document(line)
            if fields.look("error") is not None:
                self.error = told_error(line)
                return
            told = read_line(fields, self._form)
        except Malformed:
            return
        self.started = self.started or bool(told.parts) or (told.done and told.word not in _PLAIN_ENDS)
        if told.usage is not None:
            self.usage = told.usage
        self.complete = told.done
