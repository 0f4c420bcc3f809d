"""The official OpenAI SDK for Python: clients for a door, and the four ways to ask, which bring the same answer."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import openai
from openai.types.chat import ChatCompletion

from fakes.clients import Door

TLS = ssl.create_default_context()
"""Made once: it is most of what it costs to make a client, and no client here uses it."""


def synchronous(door: Door) -> openai.OpenAI:
    http = openai.DefaultHttpxClient(verify=TLS)
    return openai.OpenAI(base_url=f"{door.root}/v1", api_key=door.key, max_retries=0, timeout=15, http_client=http)


def asynchronous(door: Door) -> openai.AsyncOpenAI:
    http = openai.DefaultAsyncHttpxClient(verify=TLS)
    return openai.AsyncOpenAI(base_url=f"{door.root}/v1", api_key=door.key, max_retries=0, timeout=15, http_client=http)


def whole(door: Door, **asked: Any) -> ChatCompletion:
    with synchronous(door) as client:
        return client.chat.completions.create(**asked)


def streamed(door: Door, **asked: Any) -> ChatCompletion:
    with (
        synchronous(door) as client,
        client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream,
    ):
        return stream.get_final_completion()


def whole_async(door: Door, **asked: Any) -> ChatCompletion:
    async def talk() -> ChatCompletion:
        async with asynchronous(door) as client:
            return await client.chat.completions.create(**asked)

    return asyncio.run(talk())


def streamed_async(door: Door, **asked: Any) -> ChatCompletion:
    async def talk() -> ChatCompletion:
        async with (
            asynchronous(door) as client,
            client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream,
        ):
            return await stream.get_final_completion()

    return asyncio.run(talk())


Ask = Callable[..., ChatCompletion]
WAYS = (whole, streamed, whole_async, streamed_async)


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def results(*answers: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"role": "tool", "tool_call_id": call, "content": text} for call, text in answers]


def replayed(reply: ChatCompletion) -> dict[str, Any]:
    """The assistant's turn as a client puts it into its history: without what its stream helper added."""
    helped = {"parsed": True, "annotations": True}
    turn = reply.choices[0].message.model_dump(exclude_none=True, exclude=helped)
    for call in turn.get("tool_calls", ()):
        call.pop("index", None)
        call["function"].pop("parsed_arguments", None)
    return turn
