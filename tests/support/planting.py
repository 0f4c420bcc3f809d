"""Secrets wherever one can stand, a gateway that is asked everything with them, and the search for what is left."""

import base64
import json
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fakes.gateway import RunningGateway
from isthmus.server.facades import FACADES
from support import asking

CONFIGURED: Mapping[str, str] = {
    "PLANTED_CLIENT": "client/Qw3rTy+7711==planted",
    "PLANTED_CLIENT_KEPT_OUT": "sk-client-planted-0123456789",
    "PLANTED_OPENAI": "sk-proj-planted-4f9c2a71d05e8b36",
    "PLANTED_PLAIN": "Zx81QpWv77LmNo25RtYu",
    "PLANTED_ANTHROPIC": "anthropic/key+with=signs&more",
    "PLANTED_MANAGEMENT": "manage-planted-88aa77bb66",
    "PLANTED_HEADER": "team-token-planted-5510",
    "PLANTED_COLLECTOR": "collector-planted-0028",
    "PLANTED_WAY": "proxy-pass-planted-9917",
    "PLANTED_STORE": "store-pass-planted-2281",
    "PLANTED_STATE": "state-pass-planted-3392",
}
"""In variables that the configuration names."""
SENT: Mapping[str, str] = {
    "wrong key": "wrong-key-planted-3391",
    "cookie": "cookie-planted-7193",
    "header": "header-planted-5513",
    "basic": "user:basic-planted-8284",
    "query": "query-planted-7735",
    "body field": "hunter2-planted-8846",
    "argument": "argument-planted-9957",
    "bearer": "b1e2a3r4-planted-1068",
    "aws": "AKIAPLANTED000000179",
    "jwt": "eyJhbGciOiJub25lIn0.eyJwbGFudGVkIjoyMjgwfQ.planted3391sig",
    "slack": "xoxb-planted-4402-5513",
    "database": "postgres-planted-6624",
    "new management key": "changed-planted-7735",
}
"""By clients, in what they ask."""
PLANTED = {**CONFIGURED, **SENT}

CONFIG = """
client-keys:
  - {{name: right, key: "${{PLANTED_CLIENT}}"}}
  - {{name: other, key: "${{PLANTED_CLIENT_KEPT_OUT}}", requests-per-minute: 2}}
management-key: "${{PLANTED_MANAGEMENT}}"
providers:
  openai:
    {{type: compatible, dialect: openai, base-url: "{host}/v1", models: [{models}],
     headers: {{x-team-token: "${{PLANTED_HEADER}}"}},
     api-keys: [{{name: one, key: "${{PLANTED_OPENAI}}"}}, {{name: two, key: "${{PLANTED_PLAIN}}"}}]}}
  anthropic:
    {{type: compatible, dialect: anthropic, base-url: "{host}/v1", models: [{models}],
     api-key: "${{PLANTED_ANTHROPIC}}"}}
  proxied:
    {{type: compatible, dialect: openai, base-url: "https://example.com/v1", models: [good],
     api-key: "${{PLANTED_PLAIN}}", proxy-url: "http://user:${{PLANTED_WAY}}@127.0.0.1:{closed}"}}
routes:
  both: [openai/refuse-500, anthropic/good]
log:
  level: debug
  file: planted.log
  format: json
  dumps: true
  bodies: {{requests: true, answers: true}}
limits: {{wait: 0.1}}
otel: {{enabled: true, endpoint: "{host}", headers: {{authorization: "${{PLANTED_COLLECTOR}}"}}}}
{more}
"""
STREAMED = ("good", "cut", "broken")
"""These say the key as a model says words, in pieces; their answers are streamed."""
MODELS = ("good", "garbled", "cut", "broken", "refuse-400", "refuse-401", "refuse-403", "refuse-429", "refuse-500")

BY = ("client", "team", "provider", "key", "model", "operation", "hour")
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Told:
    """What the gateway answered."""

    status: int
    headers: str
    body: bytes

    @property
    def id(self) -> str:
        return self.headers.partition("x-isthmus-id: ")[2].partition("\n")[0]


def ask(url: str, body: object | None = None, headers: Mapping[str, str] = NOTHING, method: str | None = None) -> Told:
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    method = method or ("GET" if data is None else "POST")
    status, told, sent = asking.ask(url, method, data, {"content-type": "application/json", **headers})
    return Told(status, str(sent).lower(), told)


def prompt() -> str:
    return (
        f"Use Bearer {SENT['bearer']} and {SENT['aws']}, {SENT['jwt']}, {SENT['slack']}; the database is"
        f" postgresql://user:{SENT['database']}@example.com/db and export DB_PASSWORD={SENT['body field']}"
    )


def talk(model: str, *, stream: bool) -> Mapping[str, object]:
    arguments = json.dumps({"api_key": SENT["argument"], "deep": json.dumps({"password": SENT["body field"]})})
    call = {"id": "call_1", "type": "function", "function": {"name": "login", "arguments": arguments}}
    messages = [
        {"role": "user", "content": prompt()},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": f'{{"token": "{SENT["argument"]}"}}'},
    ]
    return {"model": model, "stream": stream, "messages": messages, "metadata": {"secret": SENT["body field"]}}


def requests(model: str, *, stream: bool) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The same question in every dialect."""
    user = {"role": "user", "content": prompt()}
    yield "/v1/chat/completions", talk(model, stream=stream)
    yield "/v1/messages", {"model": model, "max_tokens": 9, "stream": stream, "messages": [user]}
    yield "/v1/responses", {"model": model, "stream": stream, "input": prompt()}
    yield "/v1/completions", {"model": model, "stream": stream, "prompt": prompt()}
    yield "/api/chat", {"model": model, "stream": stream, "messages": [user]}
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    yield f"/v1beta/models/{model}:{verb}", {"contents": [{"parts": [{"text": prompt()}]}]}


def planted_headers() -> Mapping[str, str]:
    return {"cookie": f"session={SENT['cookie']}", "x-planted": SENT["header"], "x-api-secret": SENT["header"]}


def drive(root: str) -> tuple[bytes, bytes]:
    """Everything that a client may ask, rightly and wrongly. The heads of answers, and the bodies of failures."""
    heads, failures = [], []
    right = {"authorization": f"Bearer {CONFIGURED['PLANTED_CLIENT']}", **planted_headers()}
    for model in MODELS:
        for provider in ("openai", "anthropic"):
            for path, body in requests(f"{provider}/{model}", stream=model in STREAMED):
                answer = ask(root + path, body, right)
                heads.append(answer.headers)
                failures += [] if model in STREAMED else [answer.body]
            wake(root)
    for path, body in requests("openai/good", stream=False):
        ask(root + path, body, {"x-api-key": SENT["wrong key"], **planted_headers()})
        ask(root + path, body, {"authorization": "Basic " + base64.b64encode(SENT["basic"].encode()).decode()})
        ask(root + path, body, {"authorization": f"Bearer {CONFIGURED['PLANTED_CLIENT_KEPT_OUT']}"})
        mark = "&" if "?" in path else "?"
        for key in (CONFIGURED["PLANTED_CLIENT"], SENT["wrong key"]):
            query = urllib.parse.urlencode({"key": key, "access_token": SENT["query"]})
            ask(f"{root}{path}{mark}{query}", body, planted_headers())
    for path in ("/v1/chat/completions", "/v1/messages", "/v1/embeddings", "/v1/messages/count_tokens"):
        ask(root + path, f'{{"api_key": "{SENT["body field"]}", '.encode(), right)
        ask(root + path, {"model": "proxied/good", "input": prompt(), **talk("proxied/good", stream=False)}, right)
        ask(root + path, {"model": "both", "input": prompt(), **talk("both", stream=True)}, right)
    ask(f"{root}/nowhere?access_token={SENT['query']}", None, right)
    ask(f"{root}/v1/models?key={SENT['wrong key']}", None, planted_headers())
    ask(f"{root}/v0/explain/v1/chat/completions", talk("openai/good", stream=False), right)
    return "".join(heads).encode(), b"".join(failures)


def wake(root: str) -> None:
    ask(f"{root}/admin/rests", headers={"x-management-key": CONFIGURED["PLANTED_MANAGEMENT"]}, method="DELETE")


def administer(root: str) -> tuple[Mapping[str, bytes], Sequence[bytes], str]:
    """Everything that an administrator may look at, and what those are told who may not."""
    right = {"x-management-key": CONFIGURED["PLANTED_MANAGEMENT"]}
    told = {path: ask(root + path, None, right).body for path in paths(root, right)}
    told["health"] = ask(f"{root}/health").body
    told["metrics"] = ask(f"{root}/metrics").body
    file = ask(f"{root}/admin/config/file", None, right).body
    yaml = {**right, "content-type": "application/yaml"}
    changed = file.replace(b"limits:", b"insecure: false\nlimits:")
    told["plan"] = ask(f"{root}/admin/config/plan", changed, yaml, "POST").body
    told["apply"] = ask(f"{root}/admin/config/file", changed, yaml, "PUT").body
    bad = b"management-key: {a: " + SENT["new management key"].encode()
    told["bad"] = ask(f"{root}/admin/config/plan", bad, yaml, "POST").body
    made = ask(f"{root}/admin/keys", {"name": "made", "metadata": {"note": "n"}}, right).body
    key = json.loads(made).get("key", "")
    ask(f"{root}/v1/chat/completions", talk("openai/good", stream=False), {"authorization": f"Bearer {key}"})
    told["keys"] = ask(f"{root}/admin/keys", None, right).body
    wrong = {"x-management-key": SENT["wrong key"], "x-forwarded-for": "127.0.0.1", **planted_headers()}
    refusals = [ask(root + path, None, wrong).body for path in ("/admin/status", "/admin/logs")]
    return told, refusals, key


def paths(root: str, right: Mapping[str, str]) -> Iterator[str]:
    rows = [row.path for facade in FACADES for row in facade.rows if row.method == "GET"]
    yield from (path for path in rows if "{" not in path and not path.endswith("stream"))
    yield from ("/admin/logs?limit=1000", "/admin/logs?limit=1000&format=text", "/admin/exchanges?limit=1000")
    yield from ("/admin/providers/openai", "/admin/models/openai/good", "/admin/exchanges?failed=true")
    yield from (f"/admin/usage?by={by}&format={kind}" for by in BY for kind in ("json", "csv"))
    yield from ("/admin/config/history/1", "/admin/audit?limit=1000", "/v0/management/config?format=yaml")
    dumps = json.loads(ask(f"{root}/admin/dumps", None, right).body)["dumps"]
    yield from (f"/admin/dumps/{dump['name']}" for dump in dumps)
    for one in json.loads(ask(f"{root}/admin/exchanges?limit=1000", None, right).body)["exchanges"]:
        yield from (f"/admin/explain/{one['id']}", f"/admin/losses/{one['id']}", f"/admin/exchanges/{one['id']}/bodies")


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
    return port


def settle(gateway: RunningGateway) -> None:
    """Wait for what is written behind answers: the bodies of an exchange that was asked last."""
    key = {"authorization": f"Bearer {CONFIGURED['PLANTED_CLIENT']}", "cache-control": "no-cache"}
    last = ask(f"{gateway.root}/v1/chat/completions", talk("openai/good", stream=False), key).id
    deadline = time.monotonic() + 20
    url, right = f"{gateway.root}/admin/exchanges/{last}/bodies", {"x-management-key": CONFIGURED["PLANTED_MANAGEMENT"]}
    while ask(url, None, right).status != 200:
        assert time.monotonic() < deadline, "the bodies of the last exchange were never kept"
        time.sleep(0.05)


def forms(secret: str) -> Iterator[bytes]:
    """How it could stand somewhere: as it is, more than half of it, escaped, and in base64 with whatever before it."""
    half = len(secret) * 3 // 5
    for text in (secret, secret[:half], secret[-half:], json.dumps(secret)[1:-1], secret.replace("/", "\\/")):
        yield text.encode()
        yield json.dumps(text)[1:-1].encode()
    yield urllib.parse.quote(secret, safe="").encode()
    yield urllib.parse.quote_plus(secret).encode()
    yield urllib.parse.quote(secret, safe="").lower().encode()
    for before in range(3):
        encoded = base64.b64encode(b" " * before + secret.encode())
        yield encoded[4 if before else 0 : len(encoded) // 4 * 4 - 4]


def found(secret: str, places: Mapping[str, bytes]) -> list[str]:
    """Where any form of it stands, with what is around it."""
    return [
        f"{name}: ...{body[max(0, at - 80) : at + 80]!r}"
        for name, body in places.items()
        for form in set(forms(secret))
        if (at := body.find(form)) >= 0
    ]
