"""No secret of the configuration, nor the client's own key, is in any explanation: of any host, for any API."""

import pytest

from isthmus.config.compile import compile_config
from isthmus.engine.live import Live
from isthmus.server.explain_page import SHAPES
from support.asgi import Visit, application
from support.configured import config_of
from support.line import Line

PLANTED = {
    what: f"planted-{what}-0123456789abcdef"
    for what in (
        "openai",
        "anthropic",
        "second",
        "gemini",
        "azure",
        "bedrock",
        "odd",
        "header",
        "bearer",
        "proxy",
        "own",
    )
}
CONFIG = """
providers:
  openai: {{api-key: {openai}, models: [m], headers: {{x-team: "{header}", x-auth: "Bearer {bearer}"}}}}
  anthropic:
    api-keys: [{{key: {anthropic}, name: first}}, {{key: {second}, name: other}}]
    models: [m]
    proxy-url: "http://user:{proxy}@proxy.example.com:3128"
  gemini: {{api-key: {gemini}, models: [m]}}
  azure: {{api-key: {azure}, base-url: "https://somewhere.openai.azure.com", models: [m]}}
  bedrock: {{api-key: {bedrock}, region: us-east-1, models: [m]}}
  odd: {{type: compatible, base-url: "https://odd.example.com/{odd}/v1", api-key: {odd}, models: [m]}}
routes: {{best: [openai/m, anthropic/m, gemini/m, azure/m, bedrock/m, odd/m]}}
client-keys: [{{name: tester, key: {own}}}]
""".format(**PLANTED)
BODIES = {
    "messages": b'{"model":"best","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}',
    "prompt": b'{"model":"best","prompt":"hi"}',
    "input": b'{"model":"best","input":"hi"}',
    "contents": b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}',
}
CALLS = [(shape.path, shape.has) for shape in SHAPES] + [
    ("/v1beta/models/best:generateContent", "contents"),
    ("/v1beta/models/best:streamGenerateContent", "contents"),
    ("/v1/messages/count_tokens", "messages"),
]


@pytest.fixture(scope="module")
def line() -> Line:
    made = Line([], {})
    made.live = Live(compile_config(config_of(CONFIG)))
    return made


@pytest.mark.parametrize("host", [b"127.0.0.1", b"gateway.example.com"], ids=["an administrator", "a client"])
@pytest.mark.parametrize(("path", "body"), CALLS)
async def test_no_secret_is_told(line: Line, path: str, body: str, host: bytes) -> None:
    headers = ((b"host", host), (b"x-api-key", PLANTED["own"].encode()), (b"authorization", PLANTED["own"].encode()))
    visit = Visit(application(line), f"/v0/explain{path}", BODIES[body], headers=headers, query=b"all=true")
    await visit.done()
    assert visit.status == 200
    assert b'"method":"POST"' in visit.body
    assert [what for what, secret in PLANTED.items() if secret.encode() in visit.body] == []
    assert b"planted-" not in visit.body
