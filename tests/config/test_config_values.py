"""What a file says is what the configuration holds."""

from pathlib import Path

import pytest

from isthmus.config.about import Switch
from isthmus.config.listening import Listen
from isthmus.config.load import find, load
from isthmus.config.problems import ConfigProblems
from isthmus.config.schema import Config, StateEntry
from isthmus.config.schema_log import LogFormat, LogLevel
from isthmus.config.schema_providers import Dialect
from isthmus.config.schema_routing import NamesEntry, RouteEntry, TargetEntry
from isthmus.config.secrets import Environment, fill
from isthmus.core.secret import Secret
from support.configured import config_of, load_text, problems_of

WHOLE = """
listeners:
  - {host: "::1", port: 9000}
  - host: 10.0.0.7
client-keys:
  - {name: laptop, key: client-key-one}
  - client-key-two
insecure: no
management-key: manage-me-0123456789
providers:
  openai: {api-key: sk-0123456789}
  ours:
    type: compatible
    dialect: anthropic
    base-url: https://llm.example.com/v1
    proxy-url: socks5://u:p@127.0.0.1:1080
    http2: on
    headers: {x-team: search}
    models: [ours-large, ours-*]
    deadlines: {connect: 2.5, total: 60}
    enabled: off
routes:
  fast: [openai/gpt-5, {provider: ours, model: ours-large}]
aliases: {quick: fast}
limits: {request-body: 2MiB, reply-body: 4096, attempts: 2, ping-every: 5, drain: 0, exchanges: 10}
log: {format: json, level: DEBUG, file: out.log}
local: {enabled: true, idle-seconds: 30}
state: {url: "rediss://:store-secret@redis.example.com:6380/2", prefix: team}
"""


def test_every_key_is_read() -> None:
    config = config_of(WHOLE)
    assert [(entry.host, entry.port) for entry in config.listeners] == [("::1", 9000), ("10.0.0.7", 8317)]
    assert [(entry.name, entry.key) for entry in config.client_keys] == [
        ("laptop", Secret("client-key-one")),
        ("", Secret("client-key-two")),
    ]
    assert config.insecure is False
    assert config.management_key == Secret("manage-me-0123456789")
    ours = config.providers["ours"]
    assert (ours.type, ours.dialect, ours.base_url) == ("compatible", Dialect.ANTHROPIC, "https://llm.example.com/v1")
    assert (ours.proxy_url, ours.http2, ours.enabled) == (Secret("socks5://u:p@127.0.0.1:1080"), True, False)
    assert (dict(ours.headers), ours.models) == ({"x-team": Secret("search")}, ("ours-large", "ours-*"))
    assert (ours.deadlines.connect, ours.deadlines.first_byte, ours.deadlines.total) == (2.5, 300.0, 60.0)
    assert config.routes == {"fast": RouteEntry((TargetEntry("openai", "gpt-5"), TargetEntry("ours", "ours-large")))}
    assert config.aliases == {"quick": NamesEntry(("fast",))}
    assert (config.limits.request_body, config.limits.reply_body, config.limits.attempts) == (2 * 1024**2, 4096, 2)
    assert (config.limits.ping_every, config.limits.drain, config.limits.exchanges) == (5.0, 0.0, 10)
    assert (config.log.format, config.log.level, config.log.file) == (LogFormat.JSON, LogLevel.DEBUG, "nowhere/out.log")
    assert (config.local.enabled, config.local.idle_seconds) == (Switch.ON, 30.0)
    assert config.state == StateEntry(Secret("rediss://:store-secret@redis.example.com:6380/2"), "team")


@pytest.mark.parametrize(
    "text", ["", "# only a remark\n", "---\n", "{}", "\ufeff{}", "limits:\nlog:\nproviders:\nroutes:\n"]
)
def test_a_file_that_says_nothing_is_the_defaults(text: str) -> None:
    assert config_of(text) == Config()


def test_text_is_taken_as_it_is_written() -> None:
    config = config_of("providers: {ollama: {models: [1.10, no, 0x10, null-model, 2026-11-21]}}")
    assert config.providers["ollama"].models == ("1.10", "no", "0x10", "null-model", "2026-11-21")


def test_a_target_keeps_the_slashes_of_its_model() -> None:
    config = config_of("routes: {r: [openrouter/anthropic/claude]}\nproviders: {openrouter: {api-key: k-12345678}}")
    assert config.routes["r"].targets == (TargetEntry("openrouter", "anthropic/claude"),)


def test_an_anchor_may_say_things_twice() -> None:
    config = config_of("providers:\n  ollama: &same {deadlines: {connect: 1}}\n  vllm: *same\n")
    assert config.providers["vllm"].deadlines.connect == 1.0


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("${A}", "one"),
        ("<${A}-${B:-two}>", "<one-two>"),
        ("${A:-other}", "one"),
        ("${EMPTY:-other}", "other"),
        ("${NOT_SET:-}", ""),
        ("$${A}", "${A}"),
        ("$A ${A}$", "$A one$"),
        ("${NEST}", "${A}"),
    ],
)
def test_variables_are_filled_in_once(text: str, filled: str) -> None:
    environment = Environment({"A": "one", "EMPTY": "", "NEST": "${A}"})
    assert fill(text, environment).text == filled


def test_variables_work_in_every_kind_of_value() -> None:
    text = "listeners: [{port: '${P}'}]\ninsecure: ${OPEN}\nlimits: {request-body: '${MIB}MiB'}\nroutes: {r: ['${T}']}"
    config = config_of(text, {"P": "9001", "OPEN": "true", "MIB": "3", "T": "local/m"})
    assert (config.listeners[0].port, config.insecure, config.limits.request_body) == (9001, True, 3 * 1024**2)
    assert config.routes["r"].targets == (TargetEntry("local", "m"),)


def test_a_variable_that_is_empty_leaves_the_key_unsaid() -> None:
    text = "providers: {ollama: {proxy-url: '${PROXY:-}', base-url: '${BASE:-}'}}"
    assert config_of(text).providers["ollama"].proxy_url is None


def test_keys_are_not_filled_in() -> None:
    assert config_of("aliases: {'${A}': local/m}", {"A": "x"}).aliases == {"${A}": NamesEntry(("local/m",))}


def test_a_management_key_in_the_environment_comes_first() -> None:
    config = config_of("management-key: in-the-file", {"ISTHMUS_MANAGEMENT_KEY": "in-the-environment"})
    assert config.management_key == Secret("in-the-environment")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"])
def test_a_listener_on_this_machine_alone_needs_no_client_keys(host: str) -> None:
    assert problems_of(f"listeners: [{{host: '{host}'}}]") == ()


@pytest.mark.parametrize("more", ["client-keys: [abcdefgh]", "insecure: true"])
def test_an_open_listener_is_allowed_with_keys_or_on_request(more: str) -> None:
    assert problems_of(f"listeners: [{{host: 0.0.0.0}}]\n{more}") == ()


def test_the_command_line_replaces_the_listeners() -> None:
    text = "listeners: [{host: 127.0.0.2, port: 9000}, {port: 9001}]"
    assert [(e.host, e.port) for e in load_text(text, listen=Listen(port=1)).config.listeners] == [("127.0.0.2", 1)]
    assert [(e.host, e.port) for e in load_text(text, listen=Listen(host="::1")).config.listeners] == [("::1", 9000)]


def test_the_command_line_cannot_open_the_door_without_keys() -> None:
    with pytest.raises(ConfigProblems, match=r"listeners\[0\].host: other machines can reach"):
        load_text("", listen=Listen(host="0.0.0.0"))


def test_files_are_found_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("")
    config = load_text("providers: {ollama: {ca-file: ca.pem}}\nlog: {file: a.log}", folder=tmp_path).config
    assert config.providers["ollama"].ca_file == str(tmp_path / "ca.pem")
    assert config.log.file == str(tmp_path / "a.log")


class TestWhereTheFileIsLookedFor:
    def test_the_named_file_comes_first(self, tmp_path: Path) -> None:
        environment = Environment({"ISTHMUS_CONFIG": "/elsewhere.yaml"})
        assert find(Path("mine.yaml"), environment, tmp_path).path == Path("mine.yaml")

    def test_then_the_variable_even_when_nothing_is_there(self, tmp_path: Path) -> None:
        (tmp_path / "isthmus.yaml").write_text("")
        assert find(None, Environment({"ISTHMUS_CONFIG": "/else.yaml"}), tmp_path).path == Path("/else.yaml")

    def test_then_this_folder(self, tmp_path: Path) -> None:
        (tmp_path / "isthmus.yaml").write_text("")
        assert find(None, Environment({"HOME": str(tmp_path)}), tmp_path).path == tmp_path / "isthmus.yaml"

    @pytest.mark.parametrize(("variable", "below"), [("XDG_CONFIG_HOME", "."), ("HOME", ".config")])
    def test_then_the_users_settings(self, tmp_path: Path, variable: str, below: str) -> None:
        file = tmp_path / below / "isthmus" / "isthmus.yaml"
        file.parent.mkdir(parents=True)
        file.write_text("")
        assert find(None, Environment({variable: str(tmp_path)}), tmp_path / "empty").path == file

    def test_else_there_is_none(self, tmp_path: Path) -> None:
        loaded = load(None, Environment({"HOME": str(tmp_path)}), here=tmp_path)
        assert (loaded.path, loaded.automatic) == (None, True)
