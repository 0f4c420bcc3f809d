"""Variables that systems before this one read: what each says here, when it counts, and that it is told of."""

from pathlib import Path

import pytest

from isthmus.config.listening import Listen
from isthmus.config.load import find
from isthmus.config.other_variables import FILES, HOMES, VARIABLES
from isthmus.config.problems import ConfigProblems
from isthmus.config.schema import Config, ListenerEntry
from isthmus.config.schema_log import LogLevel
from isthmus.config.secrets import Environment
from isthmus.engine.clients import Auth
from isthmus.engine.compat import Compat
from support.configured import config_of, load_text

FILE = """
providers:
  openai: {api-key: sk-0123456789}
  ours: {type: compatible, base-url: "https://llm.example.com/v1", proxy-url: "http://127.0.0.1:1", api-key: k}
limits: {attempts: 2, wait: 1}
log: {format: json}
management-key: a-management-key
"""


def told(name: str, value: str, *, compat: Compat | None = None) -> Config:
    return load_text(FILE, {name: value}, listen=Listen(compat=compat)).config


def test_llm_muxs_come_before_the_file() -> None:
    assert told("LLM_MUX_PORT", "9000").listeners == (ListenerEntry(port=9000),)
    assert told("LLM_MUX_REQUEST_RETRY", "4").limits.attempts == 5
    assert told("LLM_MUX_MAX_RETRY_INTERVAL", "20").limits.wait == 20
    assert told("LLM_MUX_DEBUG", "true").log.level is LogLevel.DEBUG
    assert told("LLM_MUX_LOGGING_TO_FILE", "1").log.file == "nowhere/main.log"
    assert told("LLM_MUX_DISABLE_AUTH", "true").auth is Auth.OFF
    assert told("LLM_MUX_ALLOW_REMOTE", "yes").admin.remote


def test_the_rest_of_a_section_stays_as_the_file_says_it() -> None:
    assert told("LLM_MUX_DEBUG", "true").log.format == "json"
    assert told("LLM_MUX_MAX_RETRY_INTERVAL", "20").limits.attempts == 2


def test_keys_may_be_said_by_a_variable() -> None:
    keys = told("LLM_MUX_API_KEYS", "one, two,${HOME}").client_keys
    assert [entry.key.reveal() for entry in keys] == ["one", "two", "${HOME}"]
    management = told("LLM_MUX_MANAGEMENT_KEY", "manager").management_key
    assert management is not None
    assert management.reveal() == "manager"


def test_our_own_variable_comes_before_that_of_another() -> None:
    variables = {"LLM_MUX_MANAGEMENT_KEY": "theirs", "ISTHMUS_MANAGEMENT_KEY": "ours"}
    key = config_of(FILE, variables).management_key
    assert key is not None
    assert key.reveal() == "ours"


def test_what_is_said_of_every_provider_is_for_those_that_say_nothing() -> None:
    proxies = {
        name: entry.proxy_url for name, entry in told("LLM_MUX_PROXY_URL", "http://127.0.0.1:2").providers.items()
    }
    assert [one and one.reveal() for one in proxies.values()] == ["http://127.0.0.1:2", "http://127.0.0.1:1"]
    found = load_text("", {"OPENAI_API_KEY": "sk-0123456789", "LLM_MUX_STREAM_TIMEOUT": "77"}).config
    assert found.providers["openai"].deadlines.between_bytes == 77


def test_a_switch_that_is_off_says_nothing() -> None:
    assert told("LLM_MUX_DEBUG", "false") == config_of(FILE)


@pytest.mark.parametrize("name", [name for name, row in VARIABLES.items() if row.compat is not None])
def test_a_name_that_could_mean_anything_counts_only_where_it_is_at_home(name: str) -> None:
    value = "127.0.0.2" if name.endswith("HOST") else "true" if "PORT" not in name else "9000"
    home = VARIABLES[name].compat
    other = Compat.MUX
    assert told(name, value, compat=home) != load_text(FILE, listen=Listen(compat=home)).config
    assert told(name, value, compat=other) == load_text(FILE, listen=Listen(compat=other)).config
    assert told(name, value) == config_of(FILE)


def test_the_command_line_comes_before_variables() -> None:
    loaded = load_text(FILE, {"LLM_MUX_PORT": "9000"}, listen=Listen(port=9001))
    assert loaded.config.listeners[0].port == 9001


def test_a_port_from_a_variable_keeps_the_manners() -> None:
    assert told("PORT", "9000", compat=Compat.CODEX).listeners == (ListenerEntry(port=9000, compat=Compat.CODEX),)


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_that_counts_is_told_of(name: str) -> None:
    value = {"HOST": "127.0.0.2", "PORT": "9000", "RETRY": "3", "INTERVAL": "3", "TIMEOUT": "3", "DAYS": "3"}
    said = next((one for end, one in value.items() if name.endswith(end)), "true")
    said = "http://127.0.0.1:2" if name.endswith("URL") else said
    listen = Listen(compat=VARIABLES[name].compat)
    notes = load_text(FILE, {name: said}, listen=listen).notes
    assert [note for note in notes if note.startswith(f"the variable {name} ")]


def test_what_is_wrong_with_a_variable_is_told_by_its_name() -> None:
    with pytest.raises(ConfigProblems, match="the variable LLM_MUX_PORT: must be a whole number from 0 to 65535"):
        told("LLM_MUX_PORT", "many")
    with pytest.raises(ConfigProblems, match="the variable LLM_MUX_REQUEST_RETRY: must be a whole number"):
        told("LLM_MUX_REQUEST_RETRY", "-1")


def test_a_file_that_a_variable_names_is_used_when_there_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "llms.json").write_text("{}")
    for name, value in ((FILES[0], str(tmp_path / "llms.json")), (next(iter(HOMES)), str(tmp_path))):
        found = find(None, Environment({name: value}), tmp_path / "elsewhere")
        assert (found.path, found.how) == (tmp_path / "llms.json", name)
    (tmp_path / "isthmus.yaml").write_text("")
    assert find(None, Environment({"LLMS_HOME": str(tmp_path)}), tmp_path).path == tmp_path / "isthmus.yaml"
