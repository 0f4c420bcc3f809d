"""Clients that know every word they should be told, and say what became of each request."""

import asyncio
import json
from collections.abc import Iterator
from enum import StrEnum

from bench.chaos.provider import TEXT

PATIENCE = 60.0


class Verdict(StrEnum):
    """`TOLD`: an error in the middle, in good order. `CUT`: the connection broke. `WRONG`: words missing or twice."""

    FINE = "fine"
    REFUSED = "refused"
    TOLD = "told"
    CUT = "cut"
    WRONG = "wrong"
    SILENT = "silent"


async def ask(port: int, dialect: str, *, stream: bool) -> tuple[Verdict, str]:
    """One request on a connection of its own; what became of it, and what there is to say of that."""
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(_request(dialect, stream=stream))
                answer = await reader.read(-1)
            finally:
                writer.close()
    except TimeoutError:
        return Verdict.SILENT, ""
    except ConnectionError as error:
        return Verdict.CUT, str(error)
    return _judged(answer, dialect, stream=stream)


def _request(dialect: str, *, stream: bool) -> bytes:
    body = json.dumps(
        {"model": "best", "max_tokens": 500, "stream": stream, "messages": [{"role": "user", "content": "count"}]}
    ).encode()
    path = "/v1/messages" if dialect == "anthropic" else "/v1/chat/completions"
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\n"
    return f"{head}anthropic-version: 2023-06-01\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def _judged(answer: bytes, dialect: str, *, stream: bool) -> tuple[Verdict, str]:
    head, seen, rest = answer.partition(b"\r\n\r\n")
    if not seen:
        return Verdict.CUT, "no answer"
    status = int(head.split(b" ", 2)[1])
    body, whole = _body(head.lower(), rest)
    name = _name(head)
    if status != 200:
        return Verdict.REFUSED, f"{name} {status} {body[:300].decode(errors='replace')}"
    if not stream:
        return _whole(body, dialect) if whole else (Verdict.CUT, f"{name} in the middle of a body")
    verdict, words = _streamed(body, dialect)
    return verdict, f"{name} {words}"


def _name(head: bytes) -> str:
    """What the instance called the request, by which its log and `/v0/explain` know it."""
    names = (line[14:] for line in head.split(b"\r\n") if line.lower().startswith(b"x-isthmus-id: "))
    return next(names, b"without a name").decode()


def _body(head: bytes, rest: bytes) -> tuple[bytes, bool]:
    """The body, and whether all of it came."""
    if b"transfer-encoding: chunked" not in head:
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), -1)
        return rest, length in (-1, len(rest))
    parts, position = [], 0
    while True:
        line, seen, _ = rest[position : position + 20].partition(b"\r\n")
        if not seen:
            return b"".join(parts), False
        size, start = int(line, 16), position + len(line) + 2
        if size == 0:
            return b"".join(parts), True
        parts.append(rest[start : start + size])
        position = start + size + 2


def _whole(body: bytes, dialect: str) -> tuple[Verdict, str]:
    answer = json.loads(body)
    message = answer["content"] if dialect == "anthropic" else [{"text": answer["choices"][0]["message"]["content"]}]
    text = "".join(block["text"] for block in message)
    return (Verdict.FINE, "") if text == TEXT else (Verdict.WRONG, text)


def _streamed(body: bytes, dialect: str) -> tuple[Verdict, str]:
    text, ended, error = "", False, ""
    for event in _events(body):
        if "error" in event:
            error = json.dumps(event)[:300]
        elif dialect == "anthropic":
            text += event.get("delta", {}).get("text", "")
            ended = ended or event["type"] == "message_stop"
        else:
            for choice in event["choices"]:
                text += choice["delta"].get("content") or ""
                ended = ended or choice["finish_reason"] is not None
    if error:
        return (Verdict.WRONG if ended or not TEXT.startswith(text) else Verdict.TOLD), error
    if not ended:
        return (Verdict.CUT if TEXT.startswith(text) else Verdict.WRONG), text
    return (Verdict.FINE, "") if text == TEXT else (Verdict.WRONG, text)


def _events(body: bytes) -> Iterator[dict[str, object]]:
    for line in body.split(b"\n"):
        if line.startswith(b"data: {"):
            try:
                yield json.loads(line[6:])
            except ValueError:
                return  # the last one was cut
