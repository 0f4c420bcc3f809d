"""Scripted providers that count out numbers, go on where a conversation stops, and fail as they are told.

They speak Anthropic's dialect. The text of every answer is known: the words w0 to w39, from the first that the
conversation does not hold yet. So a client sees whether a word is missing or stands twice.
"""

import asyncio
import json
from collections import defaultdict
from enum import StrEnum
from random import Random

WORDS = [f"w{number}" for number in range(40)]
TEXT = " ".join(WORDS)
PAUSE = 0.02
MODEL = "claude-sonnet-4-5"
"""A model that takes up an answer where it stops."""


class Mood(StrEnum):
    """How a provider treats what is asked of it."""

    WELL = "well"
    OVERLOADED = "overloaded"
    LIMITED = "limited"
    GONE = "gone"
    HANGING = "hanging"


class Provider:
    """One provider. `cuts` is the share of its streams that break off; `asked` are the times of requests, by key."""

    def __init__(self, name: str, seed: int, cuts: float) -> None:
        self.name = name
        self.mood = Mood.WELL
        self.cuts = cuts
        self.asked: defaultdict[str, list[float]] = defaultdict(list)
        self.requests = self.failed = self.cut = 0
        self.port = 0
        self._dice = Random(seed)
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            used = False
            while await self._turn(reader, writer, used=used):
                used = True
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or all is over
        finally:
            writer.close()

    async def _turn(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, used: bool) -> bool:
        """One request, on a connection that was `used` before or not. Whether another may follow on it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        asked = json.loads(await reader.readexactly(int(fields.get("content-length", "0"))) or b"{}")
        if not head.startswith("post"):
            return await _say(writer, 200, b'{"data":[]}')
        mood = self.mood
        if mood is not Mood.GONE or not used:
            self._count(fields.get("x-api-key", ""))
        if mood is Mood.WELL:
            return await self._answer(asked, writer)
        self.failed += 1
        if mood is Mood.GONE:
            writer.transport.abort()
            return False
        if mood is Mood.HANGING:
            await asyncio.sleep(5.0)
            return False
        if mood is Mood.LIMITED:
            return await _say(writer, 429, _error("rate_limit_error"), "retry-after: 2\r\n")
        return await _say(writer, 529, _error("overloaded_error"))

    async def _answer(self, asked: dict[str, object], writer: asyncio.StreamWriter) -> bool:
        left = WORDS[_said(asked) :]
        begun = len(left) < len(WORDS)
        if not asked.get("stream"):
            await asyncio.sleep(PAUSE)
            words = {"type": "text", "text": _joined(left, begun=begun)}
            return await _say(writer, 200, json.dumps({**_message(len(left)), "content": [words]}).encode())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        await _event(writer, "message_start", message={**_message(0), "content": []})
        await _event(writer, "content_block_start", index=0, content_block={"type": "text", "text": ""})
        breaks = self._dice.randrange(len(left)) if left and self._dice.random() < self.cuts else None
        for index, word in enumerate(left):
            if index == breaks:
                self.cut += 1
                writer.transport.abort()
                return False
            text = word if index == 0 and not begun else f" {word}"
            await _event(writer, "content_block_delta", index=0, delta={"type": "text_delta", "text": text})
            await asyncio.sleep(PAUSE)
        await _event(writer, "content_block_stop", index=0)
        usage = {"output_tokens": len(left)}
        await _event(writer, "message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage=usage)
        await _event(writer, "message_stop")
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    def _count(self, key: str) -> None:
        """Who is gone heard nothing on a connection that was used before: the request comes again on another."""
        self.requests += 1
        self.asked[key].append(asyncio.get_running_loop().time())


def _said(asked: dict[str, object]) -> int:
    """How many of the words stand at the end of the conversation already."""
    messages = asked.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else {}
    if last.get("role") != "assistant":
        return 0
    content = last["content"]
    text = content if isinstance(content, str) else "".join(block.get("text", "") for block in content)
    return len(text.split())


def _joined(words: list[str], *, begun: bool) -> str:
    return (" " if begun and words else "") + " ".join(words)


def _message(tokens: int) -> dict[str, object]:
    usage = {"input_tokens": 5, "output_tokens": tokens}
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": MODEL, "content": [], "usage": usage} | {
        "stop_reason": "end_turn" if tokens else None,
        "stop_sequence": None,
    }


def _error(kind: str) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": "as it was told to"}}).encode()


async def _say(writer: asyncio.StreamWriter, status: int, body: bytes, more: str = "") -> bool:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{more}content-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    return True


async def _event(writer: asyncio.StreamWriter, kind: str, **fields: object) -> None:
    data = f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))
    await writer.drain()
