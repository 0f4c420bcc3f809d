"""Nothing that a client or an administrator says makes the gateway start a program, open a file or ask a host that they
name, or evaluate a text: seen from outside, by the hosts that it might ask and by the events of its own process."""

import http.client
import json
import threading
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from fakes.gateway import RUNNING, RunningGateway, open_gateway_on
from fakes.witness import Witness
from isthmus.server.admin.call import Media, Row
from isthmus.server.admin.routes import ADMIN
from isthmus.server.facades import FACADES

SECRET = "evaluated-9917"
"""What stands in the gateway's environment, and comes out where a text is evaluated."""
OWNER = "owner-planted-0123456789abcdef"
TEMPLATES = (
    "{{7*7}}{{config}}{{ self.__init__.__globals__ }}",
    "${PLANTED} $PLANTED %(PLANTED)s {PLANTED} {0.__class__.__mro__}",
    "<%= 7*7 %> #{7*7} ${7*7} {%import os%}{{os.environ}}",
    "__import__('os').system('touch /tmp/evaluated')",
)
TRAVERSALS = (
    "../../../../../../etc/passwd",
    "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "..%5c..%5cetc%5cpasswd",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "isthmus.yaml%00.json",
    ";touch%20evaluated;",
    "$(touch%20evaluated)",
    "`touch%20evaluated`",
    "|touch%20evaluated",
    "%7B%7B7*7%7D%7D",
)
SPOKEN = {
    "/v1/chat/completions": "/v1/chat/completions",
    "/v1/messages": "/v1/messages",
    "/v1/responses": "/v1/chat/completions",
}
"""What clients ask, and the only path that the provider sees of it."""


class Asked(NamedTuple):
    path: str
    host: str
    body: bytes


class Host:
    """Listens, answers as a model would, and keeps what it was asked. A canary is one that nobody should ask."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        host = self

        class Answers(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"] or 0))
                host.asked.append(Asked(self.path, self.headers["host"], body))
                out = json.dumps(_answer(self.path)).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(out)))
                self.end_headers()
                self.wfile.write(out)

            do_GET = do_CONNECT = do_PUT = do_POST  # noqa: N815  as the server looks for them

            def log_message(self, *args: object) -> None:
                """It keeps what it is told to itself."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.name = f"127.0.0.1:{self.server.server_address[1]}"
        self.root = f"http://{self.name}"


def _answer(path: str) -> Mapping[str, object]:
    if path.endswith("messages"):
        return {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
            "content": [{"type": "text", "text": "hi"}], "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }  # fmt: skip
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


@contextmanager
def open_host() -> Iterator[Host]:
    host = Host()
    thread = threading.Thread(target=host.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        host.server.shutdown()
        host.server.server_close()
        thread.join()


class Machine(NamedTuple):
    """A gateway, its provider, a host that nobody configured, and all that the gateway may write."""

    gateway: RunningGateway
    provider: Host
    canary: Host
    witness: Witness
    folder: Path

    def ask(
        self, method: str, target: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        name, _, port = self.gateway.root.removeprefix("http://").partition(":")
        connection = http.client.HTTPConnection(name, int(port), timeout=20)
        said = {"content-type": "application/json", **(headers or {})}
        try:
            connection.putrequest(method, target, skip_host="host" in said)
            data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
            for field, value in {**said, "content-length": str(len(data))}.items():
                connection.putheader(field, value)
            connection.endheaders(data)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def manage(self, method: str, target: str, body: object = None) -> tuple[int, bytes]:
        return self.ask(method, target, body, {"x-management-key": OWNER})

    def strayed(self) -> Sequence[str]:
        """What it started, and what it wrote where it should not."""
        mine = f"wrote {self.folder}/"
        return [line for line in self.witness.seen() if not line.startswith(mine)]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    with ExitStack() as stack:
        provider, canary = stack.enter_context(open_host()), stack.enter_context(open_host())
        file = folder / "isthmus.yaml"
        file.write_text(f"""
management-key: {OWNER}
local: {{enabled: false}}
log: {{level: debug, dumps: true, bodies: {{requests: true, answers: true}}}}
providers:
  chat: {{type: compatible, base-url: "{provider.root}/v1", api-key: sk-0123456789, models: [m]}}
  claude: {{type: compatible, dialect: anthropic, base-url: "{provider.root}/v1", api-key: sk-0123456789, models: [m]}}
""")
        witness = Witness(folder)
        gateway = stack.enter_context(open_gateway_on(file, variables={**witness.variables, "PLANTED": SECRET}))
        RUNNING.remove(gateway)  # its rests are ended with a key alone
        witness.begin()
        yield Machine(gateway, provider, canary, witness, folder)


def talk(model: str, text: str = "hi", **more: object) -> dict[str, object]:
    return {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": text}], "input": text, **more}


FIELDS = (
    "api_base",
    "base_url",
    "api_key",
    "host",
    "proxy",
    "url",
    "endpoint",
    "webhook_url",
    "callback",
    "extra_body",
)
HEADERS = (
    "x-forwarded-host", "x-original-url", "x-rewrite-url", "x-base-url", "x-api-base", "x-portkey-custom-host",
    "x-litellm-api-base", "helicone-target-url", "x-target-url", "x-upstream", "proxy", "forwarded", "referer",
)  # fmt: skip


@pytest.mark.parametrize("model", ["chat/m", "claude/m"])
@pytest.mark.parametrize("path", SPOKEN)
def test_no_field_and_no_header_of_a_request_says_where_it_goes(machine: Machine, path: str, model: str) -> None:
    machine.provider.asked.clear()
    for field in FIELDS:
        machine.ask("POST", path, talk(model, **{field: machine.canary.root}))
    for header in HEADERS:
        assert machine.ask("POST", path, talk(model), {header: machine.canary.root})[0] == 200
    assert machine.canary.asked == []
    assert {one.host for one in machine.provider.asked} == {machine.provider.name}
    assert {one.path for one in machine.provider.asked} <= {"/v1/chat/completions", "/v1/messages"}


def test_neither_the_host_nor_a_whole_url_in_the_request_line_says_where_it_goes(machine: Machine) -> None:
    canary = machine.canary
    machine.ask("POST", "/v1/chat/completions", talk("chat/m"), {"host": canary.name})
    machine.ask("POST", f"{canary.root}/v1/chat/completions", talk("chat/m"))
    machine.ask("GET", f"{canary.root}/")
    machine.ask("CONNECT", canary.name)
    machine.ask("POST", f"//{canary.name}/v1/chat/completions", talk("chat/m"))
    assert canary.asked == []


@pytest.mark.parametrize("host", ["{canary}", "localhost:{port}", "2130706433:{port}", "[::ffff:127.0.0.1]:{port}"])
def test_no_file_is_fetched_from_this_machine_for_a_client(machine: Machine, host: str) -> None:
    """Between dialects that do not both take URLs, files are fetched by the gateway."""
    port = machine.canary.name.partition(":")[2]
    for scheme in ("http", "https", "file", "ftp", "gopher"):
        url = f"{scheme}://{host.format(canary=machine.canary.name, port=port)}/picture.png"
        parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "hi"}]
        for model in ("chat/m", "claude/m"):
            machine.ask("POST", "/v1/chat/completions", talk(model, messages=[{"role": "user", "content": parts}]))
    assert machine.canary.asked == []


@pytest.mark.parametrize("model", ["chat/m", "claude/m"])
@pytest.mark.parametrize("path", SPOKEN)
@pytest.mark.parametrize("text", TEMPLATES)
def test_what_people_write_is_sent_as_they_wrote_it(machine: Machine, text: str, path: str, model: str) -> None:
    machine.provider.asked.clear()
    status, answer = machine.ask("POST", path, talk(model, text, metadata={"user_id": text}))
    assert status == 200
    (sent,) = machine.provider.asked
    assert text in [one["content"] if isinstance(one["content"], str) else one["content"][0]["text"]
                    for one in json.loads(sent.body)["messages"]]  # fmt: skip
    assert SECRET.encode() not in sent.body + answer


@pytest.mark.parametrize("text", [*TEMPLATES, *TRAVERSALS])
def test_a_models_name_is_neither_evaluated_nor_a_path(machine: Machine, text: str) -> None:
    machine.provider.asked.clear()
    assert machine.ask("POST", "/v1/chat/completions", talk(text))[0] == 404
    assert machine.ask("POST", "/v1/chat/completions", talk(f"chat/{text}"))[0] == 200
    (sent,) = machine.provider.asked
    assert (sent.path, json.loads(sent.body)["model"]) == ("/v1/chat/completions", text)
    quoted = urllib.parse.quote(text, safe="%")
    for target in (f"/v1/models/{quoted}", f"/v1beta/models/{quoted}:generateContent", f"/v1/responses/{quoted}"):
        for method in ("GET", "POST", "DELETE"):
            status, answer = machine.ask(method, target, talk(text) if method == "POST" else None)
            assert status >= 400
            assert b"root:" not in answer
    assert len(machine.provider.asked) == 1


ROWS = [row for facade in FACADES for row in facade.rows if row.gives != Media("text/event-stream")]


@pytest.mark.parametrize("hostile", TRAVERSALS)
def test_no_path_of_management_is_a_path_of_a_file(machine: Machine, hostile: str) -> None:
    for row in ROWS:
        if "{" in row.path and row.method == "GET":
            target = row.path.partition("{")[0] + hostile
            status, answer = machine.manage("GET", target)
            assert status >= 400, target
            assert b"root:" not in answer
    assert machine.strayed() == []


ASKED_FOR = [(row, name) for row in ROWS if row.method == "GET" and "{" not in row.path for name in row.query]
STATEMENTS = ("' OR '1'='1", "'; DROP TABLE used; --", "%", "*" * 50, "\\", "\x00", "1e999", "-1", "9" * 400, "{{7*7}}")


@pytest.mark.parametrize(("row", "name"), ASKED_FOR, ids=lambda one: one if isinstance(one, str) else one.path)
def test_no_field_of_a_query_is_a_part_of_a_statement_or_breaks_the_gateway(
    machine: Machine, row: Row, name: str
) -> None:
    for text in STATEMENTS:
        query = urllib.parse.urlencode([(name, text), (name, text)])
        status, answer = machine.manage("GET", f"{row.path}?{query}")
        assert status < 500, (text, answer)
        assert not [word for word in (b"sqlite", b"SELECT", b"Traceback", b"syntax error") if word in answer]


BODIES: Sequence[object] = (
    {"command": "touch evaluated", "args": ["-c", "touch evaluated"], "path": "/tmp/evaluated", "file": "/etc/passwd"},
    {"name": "{{7*7}}", "metadata": {"note": "${PLANTED} $(touch evaluated)"}, "owner": "{0.__class__}"},
    {"value": "$(touch evaluated)"},
    {"model": "$(touch evaluated)", "level": "__import__('os').system('touch evaluated')"},
    b"!!python/object/apply:os.system ['touch evaluated']\n",
    b"a: !!python/object/new:subprocess.Popen [['touch', 'evaluated']]\n",
    b"a: &a [*a, *a]\nb: !include /etc/passwd\n<<: !ENV ${PLANTED}\n",
    "".join(
        f"{name}: &{name} [{','.join([of] * 9)}]\n"
        for of, name in (("x", "a"), *((f"*{of}", name) for of, name in pairwise("abcdefgh")))
    ).encode(),
)


@pytest.mark.parametrize("body", BODIES)
def test_no_body_of_management_starts_or_writes_anything_or_is_evaluated(machine: Machine, body: object) -> None:
    kinds = ("application/json", "application/yaml")
    for row in ROWS:
        if row.method == "GET":
            continue
        target = "/".join("x" if part.startswith("{") else part for part in row.path.split("/"))
        for kind in kinds:
            data = json.dumps(body).encode() if not isinstance(body, bytes) else body
            _, answer = machine.ask(row.method, target, data, {"x-management-key": OWNER, "content-type": kind})
            assert SECRET.encode() not in answer, row.path
            assert b"root:" not in answer, row.path
    assert machine.strayed() == []
    assert machine.canary.asked == []


WRITABLE = [row for row in ADMIN.rows if row.audited and row.takes is not None]


@pytest.mark.parametrize("row", WRITABLE, ids=lambda row: f"{row.method} {row.path}")
def test_a_field_that_nobody_may_write_changes_nothing(machine: Machine, row: Row) -> None:
    target = "/".join("x" if part.startswith("{") else part for part in row.path.split("/"))
    for field in ("role", "actor", "is_admin", "digest", "id", "created_at", "who"):
        assert machine.manage(row.method, target, {field: "owner"})[0] >= 400, field


def test_in_the_end_the_gateway_is_well_and_has_started_nothing(machine: Machine) -> None:
    assert machine.ask("GET", "/ready")[0] == 200
    assert machine.strayed() == []
    assert len(machine.witness.seen()) > 10, "a witness of nothing sees nothing"
    assert not list(machine.folder.rglob("evaluated"))
    assert not Path("evaluated").exists()
