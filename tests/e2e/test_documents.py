"""Every example that is printed in the documents people come from runs here, in their own text."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from e2e.documents import Block, block_after, blocks, differences, listed_routes
from fakes.codex_backend import open_codex_backend
from fakes.gateway import RunningGateway, between, open_gateway
from fakes.scripts import HELLO, Act, Answer, Call, Conversation, Words
from fakes.strict_issuer import open_strict_issuer
from fakes.strict_words import Person
from fakes.upstream import Upstream
from support.codex import CodexPlace, configured, open_codex_place

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]
PEOPLE = (Person("active@example.com", "acc-active", "plus"), Person("user@gmail.com", "acc-user", "pro"))
"""Those who have signed in; the documents name them."""
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
    """A gateway that asks for no key, with each model of the documents, and accounts that were signed in to."""
    served = "\n".join(f"  {model}: [{'anthropic' if 'claude' in model else 'openai'}/documents]" for model in MODELS)
    folder = tmp_path_factory.mktemp("open")
    with (
        open_strict_issuer() as issuer,
        open_codex_backend(issuer) as backend,
        pytest.MonkeyPatch.context() as patch,
    ):
        accounts, _, codex = configured(issuer, backend).partition("providers:\n")
        config = between(upstream, providers=codex.partition("client-keys:")[0], more=f"routes:\n{served}\n")
        head, _, tail = config.replace("[says-hello,", "[documents, says-hello,").partition("client-keys:")
        patch.setenv("CLAUDE_CONFIG_PATH", str(folder))
        with open_gateway(accounts + head + tail[tail.index("routes:") :], folder) as running:
            place = CodexPlace(running, backend, issuer)
            for person in PEOPLE:
                place.sign_in(person)
            yield running


@pytest.fixture(autouse=True)
def nobody_signs_in(open_door: RunningGateway) -> Iterator[None]:
    """What one example began does not wait for a browser in the next, where its port is wanted."""
    yield
    ask(open_door.root, "POST /accounts/oauth/cleanup", {})


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
        assert status == "200", f"{url.removeprefix(open_door.root)}: {done.stdout}"


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
    if asked == "GET /settings/haiku-model":
        ask(open_door.root, "POST /settings/haiku-model", {"haikuKiloModel": "kimi-k2.5"})
    told = ask(open_door.root, asked, body)
    assert differences(answer, told) == []
    if asked == "POST /accounts/switch":
        assert told == answer


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
def test_bare_requests_are_served(block: Block, open_door: RunningGateway) -> None:
    """Blocks that print a request's first line, and perhaps its body, as HTTP has them."""
    for line in block.text.splitlines():
        if line.startswith(("GET /", "POST /")):
            path = line.split()[1].replace("{model}", "gemini-2.5-pro")
            status = status_of(open_door.root, f"{line.split()[0]} {path}")
            assert status not in (404, 405), f"{line}: {status}"


@pytest.mark.parametrize("asked", listed_routes("codex-claude-proxy"))
def test_routes_of_a_table_are_served(asked: str, open_door: RunningGateway) -> None:
    assert status_of(open_door.root, asked) in ((200,) if asked.startswith("GET") else (200, 400))


@pytest.mark.parametrize("sent", [True, False], ids=["with its state", "with another state"])
def test_a_browser_that_comes_back_signs_somebody_in_by_its_state_alone(sent: bool, open_door: RunningGateway) -> None:
    begun = ask(open_door.root, "POST /accounts/add", {})
    back = urlsplit(come_back(begun["oauth_url"]))
    query = back.query if sent else back.query.replace(begun["state"], "0" * len(begun["state"]))
    status, page = _open(open_door.root, f"GET {back.path}?{query}", None)
    assert (status, b"Signed in" in page) == ((200, True) if sent else (400, False))


def come_back(url: str) -> str:
    """Where the issuer sends a browser that was sent to it."""
    status, _, headers = _send(url, "GET", None)
    assert status == 302
    return str(headers["location"])


@pytest.mark.skipif(not blocks(), reason="there are no documents")
def test_without_an_account_that_is_told_as_printed(tmp_path: Path) -> None:
    """The names of Claude lead to models of accounts, and there is none."""
    printed = block_after("codex-claude-proxy", '{\n  "type": "error"')
    with open_gateway("providers:\n  codex: {}\n", tmp_path) as running:
        body = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
        status, told = _open(running.root, "POST /v1/messages", body)
    assert (status, json.loads(told) | {"request_id": ""}) == (401, printed.json | {"request_id": ""})


@pytest.mark.skipif(not blocks(), reason="there are no documents")
def test_an_account_without_a_limit_left_is_told_as_printed(tmp_path: Path) -> None:
    printed = block_after("codex-claude-proxy", '{\n  "type": "error"', 1).json
    with open_codex_place(tmp_path, PEOPLE[:1]) as place:
        place.backend.plan(PEOPLE[0].account).left = 0
        place.backend.plan(PEOPLE[0].account).spent_until = time.time() + 9000
        body = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello"}]}
        status, told = place.ask("/v1/messages", body)
    assert (status, differences(printed, told)) == (429, [])
    assert told["error"]["type"] == printed["error"]["type"]


def ask(root: str, asked: str, body: Any = None) -> Any:
    return json.loads(_open(root, asked, body)[1])


def status_of(root: str, asked: str) -> int:
    return _open(root, asked, {} if asked.startswith("POST") else None)[0]


def _open(root: str, asked: str, body: Any) -> tuple[int, bytes]:
    method, path = asked.split()
    data = None if body is None else json.dumps(body).encode()
    return _send(root + path, method, data)[:2]


class Staying(urllib.request.HTTPRedirectHandler):
    """Goes nowhere by itself."""

    def redirect_request(self, *_: object) -> None:
        return None


def _send(url: str, method: str, data: bytes | None) -> tuple[int, bytes, Message]:
    headers = {} if data is None else {"content-type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.build_opener(Staying).open(request, timeout=30) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers
