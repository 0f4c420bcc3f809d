"""A scripted provider at the wire: raw HTTP/1.1, OpenAI's dialects and Anthropic's, one script per model name.

It runs on a thread of its own, so that blocking clients can be tested too. It answers like the real
provider, refuses what the real one would refuse, and remembers everything: each request it got, and
when a client left before its answer was complete. It knows nothing of the gateway.
"""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fakes import (
    anthropic_judge,
    anthropic_talk,
    anthropic_voice,
    desks,
    openai_judge,
    openai_voice,
    responses_judge,
    responses_voice,
)
from fakes.scripts import KEY, SCRIPTS, Act, Conversation, Script, script_of
from fakes.wire import Piece, Refused, Reply, Reset, Silence, Stream, Whole

PATIENCE = 5.0
"""Seconds that a test waits for something to be seen before it fails."""
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass
class Seen:
    """One request as it arrived, and how it ended. Times are of `time.monotonic`."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    model: str = ""
    verdict: str | None = None
    """Why the judge refused it."""
    departed: float | None = None
    """When the client left before the answer was complete."""
    finished: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class _Head:
    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)


class Upstream:
    """Use `open_upstream`; `requests` grows while it runs."""

    def __init__(self) -> None:
        self.requests: list[Seen] = []
        self.port = 0
        self._scripts: dict[str, Script] = {}
        self._changed = threading.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def root(self) -> str:
        """Where an Anthropic client is pointed; an OpenAI client wants `/v1` behind it."""
        return f"http://127.0.0.1:{self.port}"

    def play(self, model: str, script: Script) -> None:
        """Let `model` be played by a script of the test's own."""
        self._scripts[model] = script

    def asked(self, model: str = "") -> list[Seen]:
        """The requests for `model` so far, or all of them."""
        return [seen for seen in self.requests if not model or seen.model == model]

    def last(self, model: str = "") -> Seen:
        return self.asked(model)[-1]

    def wait_until(self, true: Callable[[], bool], why: str, seconds: float = PATIENCE) -> None:
        """Return when `true()`; looked at whenever something happens at this end of the wire."""
        with self._changed:
            if not self._changed.wait_for(true, seconds):
                raise AssertionError(f"within {seconds} s {why}")

    def wait_for_request(self, model: str, number: int = 1) -> Seen:
        """The `number`th request for `model`, as soon as it is there."""
        self.wait_until(lambda: len(self.asked(model)) >= number, f"no request number {number} for {model} arrived")
        return self.asked(model)[number - 1]

    def wait_for_departure(self, seen: Seen, seconds: float = PATIENCE) -> float:
        """When the client of this request left."""
        self.wait_until(lambda: seen.departed is not None, f"the client of {seen.model} did not leave", seconds)
        assert seen.departed is not None
        return seen.departed

    async def serve(self, listening: socket.socket, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connection, sock=listening)
        async with server:
            await stop.wait()
            server.close()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (head := await _read_head(reader)) is not None:
                body = await _read_body(reader, head.headers)
                if not await self._exchange(head, body, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(
        self, head: _Head, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; False when the connection is of no more use."""
        path, _, query = head.target.partition("?")
        seen = Seen(head.method, path, query, head.headers, body, time.monotonic())
        reply = self._reply(seen)
        with self._changed:
            self.requests.append(seen)
            self._changed.notify_all()
        speaking = asyncio.ensure_future(_speak(reply, writer))
        listening = asyncio.ensure_future(_departure(reader))
        try:
            await asyncio.wait((speaking, listening), return_when=asyncio.FIRST_COMPLETED)
            if speaking.done():
                kept = speaking.result()
                seen.finished = True
                return kept
            seen.departed = listening.result()
            return False
        except ConnectionError:
            seen.departed = time.monotonic()
            return False
        finally:
            speaking.cancel()
            listening.cancel()
            await asyncio.gather(speaking, listening, return_exceptions=True)
            with self._changed:
                self._changed.notify_all()

    def _reply(self, seen: Seen) -> Reply:
        if (desk := desks.find(seen.path)) is not None:
            return desk.reply(seen, seen.path, self.script)
        if "/models" in seen.path:
            return _models(seen)
        answer = ANSWERS.get((seen.method, seen.path))
        if answer is None:
            return Whole(
                404, openai_voice.error_body(f"Invalid URL ({seen.method} {seen.path})", "invalid_request_error")
            )
        return answer(self, seen)

    def script(self, model: str) -> Script | None:
        """Of the model's own name, else of what stands behind the name that it carries in front."""
        return self._scripts.get(model) or self._scripts.get(model.rpartition("+")[2]) or script_of(model)


def questions(upstream: Upstream) -> int:
    """How many requests there were but for those that list models: the gateway asks for these when it likes."""
    return sum(1 for seen in upstream.requests if seen.model)


async def _departure(reader: asyncio.StreamReader) -> float:
    """When the other end closes. What it sends before that is nobody's: a client waits for its answer."""
    with suppress(ConnectionError):
        while await reader.read(1):
            pass
    return time.monotonic()


async def _read_head(reader: asyncio.StreamReader) -> _Head | None:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    head = _Head(method, target)
    for line in lines:
        name, _, value = line.partition(":")
        head.headers[name.strip().lower()] = value.strip()
    return head


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def _speak(reply: Reply, writer: asyncio.StreamWriter) -> bool:
    """Put the reply on the wire; True when the connection can be used again."""
    if isinstance(reply, Whole | Stream) and reply.late:
        await asyncio.sleep(reply.late)
    match reply:
        case Whole():
            length = len(reply.body) if reply.promised is None else reply.promised
            headers = {"content-type": reply.content_type, "content-length": str(length), **reply.headers}
            writer.write(_head(reply.status, headers) + reply.body)
            await writer.drain()
            return reply.promised is None
        case Stream():
            headers = {
                "content-type": reply.content_type,
                "transfer-encoding": "chunked",
                **reply.headers,
            }
            writer.write(_head(200, headers))
            return await _steps(reply, writer)
        case Reset():
            writer.transport.abort()
            return False
        case Silence():
            await asyncio.Event().wait()
            return False


async def _steps(stream: Stream, writer: asyncio.StreamWriter) -> bool:
    for step in stream.steps:
        if not isinstance(step, Piece):
            await writer.drain()
            # What was written is on its way before the connection is torn down.
            await asyncio.sleep(0.02)
            writer.transport.abort()
            return False
        if step.wait:
            await asyncio.sleep(step.wait)
        for crumb in _crumbs(step.data, stream.crumb):
            writer.write(b"%x\r\n%s\r\n" % (len(crumb), crumb))
            await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


def _crumbs(data: bytes, size: int | None) -> list[bytes]:
    return [data] if size is None else [data[at : at + size] for at in range(0, len(data), size)]


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _presented(headers: Mapping[str, str]) -> str:
    return headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")


def _openai(upstream: Upstream, seen: Seen, also: frozenset[str] = frozenset()) -> Reply:
    return _openais(upstream, seen, partial(openai_judge.judge, also=also), openai_judge.converse, openai_voice.answer)


def _responses(upstream: Upstream, seen: Seen) -> Reply:
    return _openais(upstream, seen, responses_judge.judge, responses_judge.converse, responses_voice.answer)


def _openais(
    upstream: Upstream,
    seen: Seen,
    judge: Callable[[dict[str, Any]], None],
    converse: Callable[[dict[str, Any]], Conversation],
    answer: Callable[[Act, Conversation], Reply],
) -> Reply:
    """Either of OpenAI's ways to converse: their refusals are the same."""
    voice = openai_voice
    if _presented(seen.headers) != KEY:
        seen.verdict = "a wrong key"
        return Whole(
            401, voice.error_body("Incorrect API key provided.", "invalid_request_error", code="invalid_api_key")
        )
    try:
        body = _object(seen)
        judge(body)
    except Refused as refused:
        seen.verdict = refused.message
        return Whole(400, voice.error_body(refused.message, "invalid_request_error", param=refused.param))
    talk = converse(body)
    script = upstream.script(talk.model)
    if script is None:
        message = f"The model `{talk.model}` does not exist."
        return Whole(404, voice.error_body(message, "invalid_request_error", code="model_not_found"))
    return answer(script(talk), talk)


def _anthropic(upstream: Upstream, seen: Seen) -> Reply:
    voice = anthropic_voice
    if _presented(seen.headers) != KEY:
        seen.verdict = "a wrong key"
        return Whole(401, voice.error_body("invalid x-api-key", "authentication_error"))
    try:
        if "anthropic-version" not in seen.headers:
            raise Refused("anthropic-version: header is required")
        body = _object(seen)
        if (body.get("thread") or {}).get("type") == "continue":
            return _thread_lost(seen)
        anthropic_judge.judge(body, seen.headers.get("anthropic-beta", ""))
    except Refused as refused:
        seen.verdict = refused.message
        return Whole(400, voice.error_body(refused.message, "invalid_request_error"))
    talk = anthropic_talk.converse(body)
    script = upstream.script(talk.model)
    if script is None:
        return Whole(404, voice.error_body(f"model: {talk.model}", "not_found_error"))
    return voice.answer(script(talk), talk)


def _thread_lost(seen: Seen) -> Reply:
    """Conversations held by the server are best effort; this server holds none, and says so as it should."""
    seen.verdict = "thread_not_found"
    body = anthropic_voice.error_body("No usable thread was found.", "not_found_error", error_code="thread_not_found")
    return Whole(404, body)


def _object(seen: Seen) -> dict[str, Any]:
    if not seen.headers.get("content-type", "").startswith("application/json"):
        raise Refused("the content-type must be application/json")
    try:
        body = seen.json
    except ValueError as error:
        raise Refused("We could not parse the JSON body of your request.") from error
    if not isinstance(body, dict):
        raise Refused("The JSON body must be an object.")
    seen.model = str(body.get("model", ""))
    return body


def _models(seen: Seen) -> Reply:
    voice = anthropic_voice if "anthropic-version" in seen.headers else openai_voice
    _, _, name = seen.path.partition("/models")[2].partition("/")
    if not name:
        return Whole(200, voice.models(list(SCRIPTS)))
    if name in SCRIPTS:
        return Whole(200, voice.model(name))
    if voice is anthropic_voice:
        return Whole(404, anthropic_voice.error_body(f"model: {name}", "not_found_error"))
    return Whole(404, openai_voice.error_body(f"The model '{name}' does not exist", "invalid_request_error"))


ANSWERS: Mapping[tuple[str, str], Callable[[Upstream, Seen], Reply]] = {
    ("POST", "/v1/chat/completions"): _openai,
    ("POST", "/v1/responses"): _responses,
    ("POST", "/deepseek/chat/completions"): partial(_openai, also=frozenset({"thinking"})),
    ("POST", "/deepseek/responses"): _responses,
    ("POST", "/v1/messages"): _anthropic,
}


@contextmanager
def open_upstream(made: Upstream | None = None) -> Iterator[Upstream]:
    """A running scripted provider on a free port of the loopback; `made` where it is one of another kind."""
    upstream = Upstream() if made is None else made
    with socket.create_server(("127.0.0.1", 0)) as listening:
        upstream.port = listening.getsockname()[1]
        loop = asyncio.new_event_loop()
        stop = asyncio.Event()
        thread = threading.Thread(
            target=loop.run_until_complete, args=(upstream.serve(listening, stop),), name="upstream"
        )
        thread.start()
        try:
            yield upstream
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()
