"""Watches a stream that is passed through: every byte goes on unchanged.

Every chunk of this dialect tells usage, so a chunk is opened only when it is the last that was seen and somebody
asks. Reading is the same as that of a decoded stream, so both give the same usage.
"""

import re
from collections.abc import Callable
from contextlib import suppress

from isthmus.core.errors import GatewayError
from isthmus.core.usage import Usage
from isthmus.dialects.gemini.errors import read_told
from isthmus.dialects.gemini.generate.finish import is_blocked
from isthmus.dialects.gemini.generate.reply import FEEDBACK
from isthmus.dialects.gemini.generate.usage import read_usage
from isthmus.dialects.gemini.spelling import Camel
from isthmus.wire.frames import FrameTooLarge, Splitter
from isthmus.wire.json import Malformed
from isthmus.wire.json_array import JsonArraySplitter
from isthmus.wire.sse import SseSplitter

_SAID = re.compile(
    rb'"(?:text|thought_?[sS]ignature)"\s*:\s*"[^"]'
    rb'|"(?:function_?[cC]all|(?:inline|file)_?[dD]ata|executable_?[cC]ode|code_?[eE]xecution_?[rR]esult)"'
    rb'|"finish_?[rR]eason"\s*:\s*"(?!STOP")|"prompt_?[fF]eedback"'
)
"""A part that holds something, or why there is none."""
_ENDS = (b"\n\n", b"\r\n\r\n")


class GenerateTap:
    """Holds the unfinished tail, and the last chunk that counted anything.

    `_whole`: what comes next begins a chunk. A read that is one chunk, as most are, is not cut.
    """

    def __init__(self, framing: Callable[[], Splitter]) -> None:
        self.complete = False
        self.error: GatewayError | None = None
        self.started = False
        self._framing = framing
        self._splitter = framing()
        self._whole = framing is SseSplitter
        self._counted = b""
        self._usage: Usage | None = None

    @property
    def usage(self) -> Usage | None:
        if self._counted:
            counted, self._counted = self._counted, b""
            with suppress(Malformed):
                self._usage = read_usage(Camel(counted).raw("usageMetadata")) or self._usage
        return self._usage

    def feed(self, data: bytes) -> bytes:
        if self._whole and data.startswith(b"data: ") and data.endswith(_ENDS) and data.find(b"\n") >= len(data) - 3:
            self._look(data[6:])
            return data
        try:
            for frame in self._splitter.feed(data):
                self._look(frame.data)
        except FrameTooLarge:
            self._splitter = self._framing()
        self._whole = self._framing is SseSplitter and data.endswith(_ENDS)
        return data

    def end(self) -> bytes:
        """The last chunk counts, even when the blank line behind it never came."""
        for frame in self._splitter.end():
            self._look(frame.data)
        return b""

    def _look(self, data: bytes) -> None:
        """The quotes around these words are escaped in a text."""
        if self.error is not None:
            return
        if (b'"usageMetadata"' in data or b'"usage_metadata"' in data) and b"oken" in data:
            self._counted = data
        if not self.started:
            self.started = _SAID.search(data) is not None
        if b'"error"' in data or b'"finish' in data or b'"block' in data:
            self._open(data)

    def _open(self, data: bytes) -> None:
        try:
            fields = Camel(data)
            if fields.look("error") is not None:
                self.error, self.complete = read_told(fields), False
                return
            ends = [Camel(one).raw("finishReason") for one in fields.each("candidates") or ()]
            ended = any(end is not None for end in ends) or is_blocked(fields.raw(FEEDBACK))
            self.complete = self.complete or ended
        except Malformed:
            return


def tap(_: bool) -> GenerateTap:
    """This dialect always tells its usage, so none is ever hidden."""
    return GenerateTap(SseSplitter)


def tap_array(_: bool) -> GenerateTap:
    """The same for chunks that are the items of an array."""
    return GenerateTap(JsonArraySplitter)
