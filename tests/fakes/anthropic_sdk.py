"""The official Anthropic SDK for Python: clients for a door, and the four ways to ask, which bring the same answer."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import anthropic
from anthropic.types import Message

from fakes.clients import Door

TLS = ssl.create_default_context()
"""Made once: it is most of what it costs to make a client, and no client here uses it."""


def synchronous(door: Door) -> anthropic.Anthropic:
    http = anthropic.DefaultHttpxClient(verify=TLS)
    return anthropic.Anthropic(base_url=door.root, api_key=door.key, max_retries=0, timeout=15, http_client=http)


def asynchronous(door: Door) -> anthropic.AsyncAnthropic:
    http = anthropic.DefaultAsyncHttpxClient(verify=TLS)
    return anthropic.AsyncAnthropic(base_url=door.root, api_key=door.key, max_retries=0, timeout=15, http_client=http)


def whole(door: Door, **asked: Any) -> Message:
    with synchronous(door) as client:
        return client.messages.create(max_tokens=4096, **asked)


def streamed(door: Door, **asked: Any) -> Message:
    with synchronous(door) as client, client.messages.stream(max_tokens=4096, **asked) as stream:
        return stream.get_final_message()


def whole_async(door: Door, **asked: Any) -> Message:
    async def talk() -> Message:
        async with asynchronous(door) as client:
            return await client.messages.create(max_tokens=4096, **asked)

    return asyncio.run(talk())


def streamed_async(door: Door, **asked: Any) -> Message:
    async def talk() -> Message:
        async with asynchronous(door) as client, client.messages.stream(max_tokens=4096, **asked) as stream:
            return await stream.get_final_message()

    return asyncio.run(talk())


Ask = Callable[..., Message]
WAYS = (whole, streamed, whole_async, streamed_async)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def replayed(reply: Message) -> dict[str, Any]:
    """The assistant's turn as a client puts it into its history: the blocks as it was given them."""
    kept = {"type", "text", "thinking", "signature", "data", "id", "name", "input"}
    return {"role": "assistant", "content": [block.model_dump(include=kept) for block in reply.content]}


def result(call: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call, "content": content, **more}


def calls_of(reply: Message) -> list[Any]:
    return [block for block in reply.content if block.type == "tool_use"]


def text_of(reply: Message) -> str:
    return "".join(block.text for block in reply.content if block.type == "text")
