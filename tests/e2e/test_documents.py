"""Every example that is printed in the documents people come from runs here, in their own text.

What they print of accounts is not served yet: each such path is asked for too, and must not be found.
"""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from e2e.documents import Block, block_after, blocks, differences
from fakes.gateway import RunningGateway, between, open_gateway
from fakes.scripts import HELLO, Act, Answer, Call, Conversation, Words
from fakes.upstream import Upstream

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]
NOT_YET = ("/accounts", "/auth/")
"""Beginnings of paths that are not served yet: what belongs to accounts that are signed in to."""
OTHERWISE = {
    "llama_index.llms.openai": "llama-index itself refuses models that it does not know; `OpenAILike` is its way",
}
"""What an example prints that its own library no longer does, and why."""
MODELS = (
    "gpt-4",
    "gpt-5.2",
    "gpt-3.5-turbo-instruct",
    "gemini-2.5-pro",
    "claude-sonnet-4-20250514",
    "claude-sonnet-4-5",
    "claude-sonnet-4.5",
    "kimi-k2",
)
SHAPES = (
    ("bedrock-proxy", "GET /v1/models", None, ('{\n  "object": "list"', 0)),
    ("bedrock-proxy", "POST /v1/chat/completions", ('{\n  "model"', 0), ('{\n  "id": "chatcmpl', 0)),
    ("llms-py", "POST /v1/chat/completions", ('{\n  "model"', 0), ('{\n  "id": "chatcmpl', 0)),
    ("truckllm", "POST /v1/chat/completions", ('{\n  "model"', 0), ('{\n  "id": "chatcmpl', 0)),
    ("truckllm", "POST /v1/completions", ('{\n  "model"', 1), ('{\n  "id": "cmpl', 0)),
    ("truckllm", "GET /v1/models", None, ('{\n  "object": "list"', 1)),
    ("codex-claude-proxy", "POST /v1/messages", ('{\n  "model"', 0), ('{\n  "id": "msg', 0)),
    ("truckllm", "GET /admin/v1/config", None, ('{\n  "version"', 0)),
    ("truckllm", "POST /admin/v1/config/validate", ('{\n  "version"', 0), ('{\n  "valid"', 0)),
    ("truckllm", "GET /admin/v1/providers", None, ('{\n  "providers"', 0)),
    ("truckllm", "GET /admin/v1/logs", None, ('{\n  "logs"', 0)),
)
"""A document, what it says is asked, and the openings of the blocks that hold the body and the answer."""


@pytest.fixture(scope="module")
def open_door(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """A gateway that asks for no key, with each model of the documents."""
    served = "\n".join(f"  {model}: [{'anthropic' if 'claude' in model else 'openai'}/documents]" for model in MODELS)
    config = between(upstream, more=f"routes:\n{served}\n").replace("[says-hello,", "[documents, says-hello,")
    head, _, tail = config.partition("client-keys:")
    config = head + tail[tail.index("routes:") :]
    folder = tmp_path_factory.mktemp("open")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLAUDE_CONFIG_PATH", str(folder))
        with open_gateway(config, folder) as running:
            yield running


@pytest.fixture(autouse=True)
def played(upstream: Upstream) -> None:
    """Tools are called where there are any, as the document on tools shows; else there is a greeting."""

    def script(talk: Conversation) -> Act:
        if talk.body.get("tools") and not talk.results:
            return Answer((Call("toolu_documents", "get_weather", '{"location": "Tokyo"}'),), "calls")
        return Answer((Words(HELLO),))

    upstream.play("documents", script)


def of(*languages: str, holding: str = "") -> list[Block]:
    return [block for block in blocks() if block.language in languages and holding in block.text]


def run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("block", of("bash", holding="curl "), ids=str)
def test_curl_finds_what_is_served(block: Block, open_door: RunningGateway, tmp_path: Path) -> None:
    told = 'curl() { command curl -sS -w "%{stderr}%{http_code} %{url_effective}\\n" "$@"; }\n'
    script = told + block.pointed_at(open_door.root)
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    answers = [line.split(" ", 1) for line in done.stderr.splitlines() if line[:3].isdigit()]
    assert answers, done.stderr
    for status, url in answers:
        path = url.removeprefix(open_door.root)
        assert status == ("404" if path.startswith(NOT_YET) else "200"), f"{path}: {done.stdout}"


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_prints_the_greeting(block: Block, open_door: RunningGateway, clients: Path, tmp_path: Path) -> None:
    if reasons := [reason for name, reason in OTHERWISE.items() if name in block.text]:
        assert reasons == [OTHERWISE["llama_index.llms.openai"]]
        assert "Unknown model" in refusal_of(block, open_door, clients, tmp_path)
        return
    environment = "frameworks" if "lang" in block.text or "llama_index" in block.text else "sdks"
    python = clients / environment / "bin" / "python"
    told = run([str(python), "-W", "ignore", "-c", block.pointed_at(open_door.root)], tmp_path)
    assert HELLO in told or "'choices': [" in told


def refusal_of(block: Block, open_door: RunningGateway, clients: Path, folder: Path) -> str:
    python = clients / "frameworks" / "bin" / "python"
    command = [str(python), "-W", "ignore", "-c", block.pointed_at(open_door.root)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False).stderr


@pytest.mark.parametrize("block", of("javascript", "typescript"), ids=str)
def test_javascript_runs(block: Block, open_door: RunningGateway, clients: Path, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(clients / "node_modules")
    file = tmp_path / "example.mjs"
    file.write_text(block.pointed_at(open_door.root))
    told = run(["node", str(file)], tmp_path)
    assert HELLO in told or "choices: [" in told or "console.log" not in block.text


@pytest.mark.parametrize(("document", "asked", "body", "answer"), SHAPES if blocks() else ())
def test_answers_have_the_shape_that_is_printed(
    document: str,
    asked: str,
    body: tuple[str, int] | None,
    answer: tuple[str, int],
    open_door: RunningGateway,
) -> None:
    sent = None if body is None else block_after(document, *body).json
    if sent is not None and asked.endswith("/messages"):
        sent.setdefault("max_tokens", 1024)
    told = ask(open_door.root, asked, sent)
    assert differences(block_after(document, *answer).json, told) == []


@pytest.mark.parametrize("block", of("bash", holding="# Response"), ids=str)
def test_printed_requests_have_the_answers_that_are_printed_below_them(block: Block, open_door: RunningGateway) -> None:
    asked, body, answer = block.exchange
    if asked.split()[1].startswith(NOT_YET):
        assert status_of(open_door.root, asked) == 404
        return
    if asked == "GET /settings/haiku-model":
        ask(open_door.root, "POST /settings/haiku-model", {"haikuKiloModel": "kimi-k2.5"})
    if asked == "GET /health":
        answer["active"] = None  # there are no accounts
    assert differences(answer, ask(open_door.root, asked, body)) == []


@pytest.mark.parametrize("document", ["llm-mux", "llms-py"] if blocks() else ())
def test_an_unknown_model_is_told_as_printed(document: str, open_door: RunningGateway) -> None:
    printed = next(block for block in of("json", holding="model_not_found") if block.document == document).json
    body = {"model": "unknown-model", "messages": [{"role": "user", "content": "Hello!"}]}
    told = ask(open_door.root, "POST /v1/chat/completions", body)
    assert differences(printed, told) == []
    assert {name: told["error"][name] for name in ("type", "code")} == {
        name: printed["error"][name] for name in ("type", "code")
    }


@pytest.mark.parametrize("block", [block for block in of("bash") if " /" in block.text.split("\n")[0]], ids=str)
def test_bare_requests_are_served_or_known_not_to_be(block: Block, open_door: RunningGateway) -> None:
    """Blocks that print a request's first line, and perhaps its body, as HTTP has them."""
    for line in block.text.splitlines():
        if not line.startswith(("GET /", "POST /")):
            continue
        path = line.split()[1].replace("{model}", "gemini-2.5-pro")
        status = status_of(open_door.root, f"{line.split()[0]} {path}")
        served = status not in (404, 405)
        assert served is not path.startswith(NOT_YET), f"{line}: {status}"


def ask(root: str, asked: str, body: Any = None) -> Any:
    return json.loads(_open(root, asked, body)[1])


def status_of(root: str, asked: str) -> int:
    return _open(root, asked, {} if asked.startswith("POST") else None)[0]


def _open(root: str, asked: str, body: Any) -> tuple[int, bytes]:
    method, path = asked.split()
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(root + path, data, {"content-type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
