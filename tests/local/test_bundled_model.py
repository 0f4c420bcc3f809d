"""The real model in its real process: it starts, answers, obeys a schema, dies and comes back."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from isthmus.config.places import data_dir
from isthmus.config.secrets import of_this_process
from isthmus.core.chat import ChatRequest, Message, Role, Tool
from isthmus.core.content import Text
from isthmus.core.losses import Losses
from isthmus.local.fetch import MODEL_SHA256, installed, sha256_of
from isthmus.local.server import CONTEXT
from isthmus.local.supervisor import Supervisor, server_command
from isthmus.providers.emulate import SYSTEM, SmallModel
from isthmus.providers.table import LOCAL_MODEL
from isthmus.wire.json import raw

pytestmark = [pytest.mark.local_model, pytest.mark.timeout(120)]
CAPITAL = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "What is the capital of France?"}]
TOOLS = (
    Tool(
        "get_weather",
        "Tells the weather.",
        raw(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {
                    "city": {"type": "string", "pattern": "^[A-Z]"},
                    "unit": {"enum": ["celsius", "fahrenheit"]},
                    "days": {"type": "integer", "minimum": 1, "maximum": 7},
                },
                "required": ["city", "unit", "days"],
            }
        ),
    ),
    Tool(
        "write_list",
        "Writes a list.",
        raw(
            {
                "type": "object",
                "$defs": {"item": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}},
                "properties": {
                    "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "minItems": 1},
                    "due": {"type": ["string", "null"], "format": "date"},
                    "labels": {"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": {}},
                },
                "required": ["items"],
            }
        ),
    ),
)


@pytest.fixture
def model() -> Path:
    path = installed(data_dir(of_this_process()))
    assert path is not None, "the bundled model is not installed; run: isthmus local install"
    return path


@pytest.fixture
async def keeper(model: Path) -> AsyncIterator[Supervisor]:
    async with Supervisor(lambda: server_command(model, LOCAL_MODEL)) as keeper:
        yield keeper


async def ask(keeper: Supervisor, messages: list[dict[str, str]], **more: object) -> tuple[int, dict[str, object]]:
    """One request over a connection of its own: the status, and the JSON of the answer."""
    body = json.dumps({"model": LOCAL_MODEL, "messages": messages, "temperature": 0, "max_tokens": 40, **more}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", await keeper.port())
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n")
    writer.write(b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
    answer = await reader.read(-1)
    writer.close()
    head, _, rest = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(rest)


def said(answer: dict[str, object]) -> str:
    return str(answer["choices"][0]["message"]["content"])  # type: ignore[index] # a chat completion


def memory(pid: int) -> int:
    """MiB that the process holds."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


def test_what_is_installed_is_what_is_pinned(model: Path) -> None:
    assert sha256_of(model) == MODEL_SHA256


async def test_it_knows_the_capital_of_france(keeper: Supervisor) -> None:
    status, answer = await ask(keeper, CAPITAL)
    assert status == 200
    assert said(answer) == "The capital of France is Paris."
    assert answer["usage"]["prompt_tokens"] > 20  # type: ignore[index] # a chat completion


async def test_two_are_answered_at_a_time_and_more_wait(keeper: Supervisor) -> None:
    answers = await asyncio.gather(*(ask(keeper, CAPITAL, max_tokens=8) for _ in range(5)))
    assert [status for status, _ in answers] == [200] * 5


async def test_its_memory_is_bounded(keeper: Supervisor) -> None:
    await ask(keeper, CAPITAL)
    assert keeper.pid is not None
    assert memory(keeper.pid) < 650


async def test_a_prompt_beyond_its_context_is_refused_and_nothing_breaks(keeper: Supervisor) -> None:
    status, answer = await ask(keeper, [{"role": "user", "content": "word " * (CONTEXT + 500)}])
    assert status == 400
    assert answer["error"]["type"] == "exceed_context_size_error"  # type: ignore[index] # an error
    assert (await ask(keeper, CAPITAL, max_tokens=1))[0] == 200


async def test_a_killed_model_answers_the_next_question(keeper: Supervisor) -> None:
    await ask(keeper, CAPITAL, max_tokens=1)
    port = await keeper.port()
    assert keeper.pid is not None
    asking = asyncio.create_task(ask(keeper, CAPITAL, max_tokens=500))
    await asyncio.sleep(0)
    os.kill(keeper.pid, signal.SIGKILL)
    await asyncio.gather(asking, return_exceptions=True)
    assert await keeper.lost(port)
    assert said((await ask(keeper, CAPITAL))[1]).startswith("The capital")
    assert keeper.starts == 2


@pytest.mark.parametrize("tools", [TOOLS[:1], TOOLS[1:], TOOLS], ids=["one", "nested", "several"])
async def test_a_request_with_tools_comes_back_as_a_valid_call(keeper: Supervisor, tools: tuple[Tool, ...]) -> None:
    question = Message(Role.USER, (Text("What is the weather in Paris?"),))
    request = SmallModel().prepare(ChatRequest(model=LOCAL_MODEL, messages=(question,), tools=tools), Losses())
    assert request.output is not None
    schema = json.loads(bytes(request.output.schema or b""))
    texts = [{"role": message.role, "content": message.parts[0].text} for message in request.messages]  # type: ignore[union-attr] # one text each
    form = {"type": "json_schema", "json_schema": {"name": "tool_call", "schema": schema, "strict": True}}
    status, answer = await ask(keeper, texts, max_tokens=1024, response_format=form)
    assert status == 200
    call = json.loads(said(answer))
    assert call["name"] in [tool.name for tool in tools]
    if call["name"] == "get_weather":
        assert call["arguments"]["unit"] in ("celsius", "fahrenheit")
        assert 1 <= call["arguments"]["days"] <= 7
    else:
        assert all(isinstance(item["text"], str) for item in call["arguments"]["items"])
