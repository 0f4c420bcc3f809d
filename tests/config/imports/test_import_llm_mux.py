"""What the keys of llm-mux become."""

from isthmus.config.imports.report import Fit
from isthmus.config.schema import Config, ListenerEntry
from isthmus.config.schema_log import LogLevel
from isthmus.config.schema_routing import NamesEntry
from isthmus.engine.clients import Auth
from isthmus.engine.compat import Compat
from support.importing import foreign, problems, said, taken_over, text_of

AT_HOME = "disable-auth: true\n"


def config_of(text: str) -> Config:
    return taken_over(text).config


def test_without_a_key_to_ask_for_only_this_machine_can_connect() -> None:
    for text in ("disable-auth: true", "disable-auth: true\napi-keys: [one]", "api-keys: [one]", "disable-auth: false"):
        assert config_of(text).listeners == (ListenerEntry("127.0.0.1", 8317, Compat.MUX),)


def test_with_keys_it_listens_for_others_as_llm_mux_does() -> None:
    found = config_of("port: 9000\ndisable-auth: false\napi-keys: [one]")
    assert found.listeners == (ListenerEntry("0.0.0.0", 9000, Compat.MUX),)
    assert [one.key.reveal() for one in found.client_keys] == ["one"]


def test_keys_that_nobody_is_asked_for_are_kept_and_not_looked_at() -> None:
    found = config_of("disable-auth: true\napi-keys: [one]")
    assert (len(found.client_keys), found.auth) == (1, Auth.OFF)


def test_a_variable_in_a_value_is_text_there() -> None:
    found = config_of("disable-auth: false\napi-keys: ['${HOME}']")
    assert found.client_keys[0].key.reveal() == "${HOME}"


def test_addresses_get_the_version_that_ours_end_with() -> None:
    text = (
        AT_HOME
        + "providers:\n"
        + "".join(
            f"  - {{type: {kind}, name: {name}, api-key: k, base-url: 'https://{name}.example.com{path}'}}\n"
            for kind, name, path in (
                ("gemini", "one", ""),
                ("anthropic", "two", "/"),
                ("anthropic", "three", "/v1"),
                ("vertex-compat", "four", "/api"),
                ("openai", "five", "/v1"),
            )
        )
    )
    found = config_of(text).providers
    assert [(entry.type, entry.base_url) for entry in found.values()] == [
        ("gemini", "https://one.example.com/v1beta"),
        ("anthropic", "https://two.example.com/v1"),
        ("anthropic", "https://three.example.com/v1"),
        ("gemini", "https://four.example.com/api/v1beta"),
        ("compatible", "https://five.example.com/v1"),
    ]


def test_each_key_keeps_its_own_proxy_and_no_key_of_the_environment_joins_them() -> None:
    entry = config_of(text_of("llm_mux.yaml")).providers["claude"]
    assert entry.api_key is None
    assert [one.key.reveal() for one in entry.api_keys] == ["anthropic-key-one", "anthropic-key-two"]
    assert [one.proxy_url and one.proxy_url.reveal() for one in entry.api_keys] == [None, "socks5://127.0.0.1:1080"]


def test_models_have_their_aliases_at_their_provider() -> None:
    entry = config_of(text_of("llm_mux.yaml")).providers["deepseek"]
    assert (entry.models, dict(entry.aliases)) == (("deepseek-chat", "deepseek-reasoner"), {"chat": "deepseek-chat"})


def test_models_that_are_excluded_are() -> None:
    assert config_of(text_of("llm_mux.yaml")).providers["gemini"].models_excluded == ("*-preview",)


def test_providers_of_one_kind_get_names_of_their_own() -> None:
    names = list(config_of(text_of("llm_mux_older.yaml")).providers)
    assert names == [
        "gemini", "gemini-2", "gemini-3", "anthropic", "anthropic-2", "openai", "vertex-compat", "openrouter",
    ]  # fmt: skip


def test_one_proxy_is_for_every_provider_that_names_none() -> None:
    found = config_of(text_of("llm_mux_older.yaml")).providers
    proxies = {name: entry.proxy_url.reveal() for name, entry in found.items() if entry.proxy_url is not None}
    assert proxies == {**dict.fromkeys(found, "http://127.0.0.1:8888"), "anthropic-2": "socks5://127.0.0.1:1080"}


def test_repetitions_are_tries_but_one() -> None:
    assert config_of(AT_HOME + "request-retry: 3").limits.attempts == 4
    assert config_of(AT_HOME + "request-retry: 0").limits.attempts == 1


def test_times_and_sizes_are_taken_over() -> None:
    found = config_of(text_of("llm_mux.yaml"))
    assert (found.limits.wait, found.limits.request_body, found.limits.reply_body) == (30, 52428800, 104857600)
    assert found.store.keep_days == 31
    assert {entry.deadlines.between_bytes for entry in found.providers.values()} == {300}


def test_names_lead_where_they_led() -> None:
    found = config_of(text_of("llm_mux.yaml"))
    assert found.aliases["gpt-4"] == NamesEntry(("claude-sonnet-4-5-20250929",))
    assert found.aliases["best"] == NamesEntry(("gemini/gemini-2.5-pro",))
    assert found.routing.fallbacks["claude-sonnet-latest"] == NamesEntry(("chat", "gemini/gemini-2.5-pro"))
    assert dict(found.routing.priority) == {"claude": 1}


def test_a_name_that_only_an_account_had_is_told_of() -> None:
    found = foreign(text_of("llm_mux.yaml"))
    assert {"routing.aliases.codex", "routing.provider-priority.gemini-cli"} <= said(found, Fit.NO_EQUAL)


def test_what_has_no_equal_is_told_key_by_key() -> None:
    assert said(foreign(text_of("llm_mux.yaml")), Fit.NO_EQUAL) == {
        "ampcode.model-mappings",
        "ampcode.upstream-url",
        "auth-dir",
        "oauth-excluded-models",
        "payload.default",
        "quota-exceeded.switch-preview-model",
        "quota-exceeded.switch-project",
        "quota-window",
        "routing.aliases.codex",
        "routing.provider-priority.gemini-cli",
        "usage.batch-size",
        "usage.dsn",
        "usage.flush-interval",
    }


def test_a_switch_that_means_nothing_here_either_is_not_told_of() -> None:
    text = (
        AT_HOME
        + "ws-auth: false\nrequest-log: false\nuse-canonical-translator: true\ntls: {enable: false}\ndebug: false"
    )
    assert said(foreign(text), Fit.NO_EQUAL) == set()


def test_switches_of_the_log_are() -> None:
    found = config_of(AT_HOME + "debug: true\nlogging-to-file: true").log
    assert (found.level, (found.file or "").endswith("main.log")) == (LogLevel.DEBUG, True)


def test_a_management_key_is_taken_over_unless_it_is_a_digest() -> None:
    key = config_of(text_of("llm_mux_older.yaml")).management_key
    assert key is not None
    assert key.reveal() == "older-management-key"
    hashed = "disable-auth: true\nremote-management: {secret-key: '$2a$10$abcdefghijklmnopqrstuv'}"
    assert config_of(hashed).management_key is None
    assert said(foreign(hashed), Fit.NO_EQUAL) == {"remote-management.secret-key"}


def test_what_is_wrong_is_told_where_it_stands() -> None:
    text = "disable-auth: true\nport: many\nproviders:\n  - type: gemini\n    base-url: https://user@example.com\n"
    assert [(one.line, one.key) for one in problems(text)] == [(2, "port"), (5, "providers[0].base-url")]
    assert problems("disable-auth: true\nrequest-retry: many")[0].line == 2
