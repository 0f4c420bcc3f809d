"""`isthmus models`: what is served, what is known of it, and who says so."""

from collections.abc import Iterator

import pytest

from fakes.listing_host import Host, open_host
from isthmus.wire import json
from support.shell import Shell

GOOD = "providers: {vllm: {models: [tiny]}}\nroutes: {r: [vllm/big, local/x]}\naliases: {a: r}\n"
KNOWN = """
providers:
  openai: {api-key: k-0123456789, models: [gpt-5.2]}
  vllm: {models: [tiny]}
routes: {best: [openai/gpt-5.2, vllm/tiny]}
models:
  tiny: {input-limit: 9, output-limit: 3, can: [tools], price: {input: 0.1, output: 0.25}}
"""


def lines(shell: Shell, *arguments: str) -> list[list[str]]:
    return [line.split() for line in shell.run("models", *arguments).stdout.splitlines()]


def test_routes_are_listed_first_then_models_then_providers(shell: Shell) -> None:
    shell.write(GOOD)
    assert lines(shell) == [
        ["MODEL", "KIND", "GOES", "TO", "INPUT", "OUTPUT", "PRICE"],
        ["a", "route", "vllm/big,", "local/x"],
        ["r", "route", "vllm/big,", "local/x"],
        ["tiny", "model", "vllm/tiny"],
        ["vllm/*", "any", "vllm/*"],
        ["smollm2-135m", "model", "local/smollm2-135m"],
        ["local/*", "any", "local/*"],
    ]


def test_names_are_listed_as_they_are_configured(shell: Shell) -> None:
    shell.write(
        "providers: {vllm: {models: [tiny, big, odd-*], models-excluded: [BIG], aliases: {small: tiny}}}\n"
        "aliases: {pair: [vllm/tiny, small], any-*: tiny}\n"
    )
    assert lines(shell)[1:] == [
        ["pair", "route", "vllm/tiny"],
        ["tiny", "model", "vllm/tiny"],
        ["small", "model", "vllm/tiny"],
        ["odd-*", "model", "vllm/odd-*"],
        ["vllm/*", "any", "vllm/*"],
    ]


def test_limits_and_prices_stand_beside_each_model(shell: Shell) -> None:
    shell.write(KNOWN)
    said = lines(shell)
    assert ["gpt-5.2", "model", "openai/gpt-5.2", "272000", "128000", "$1.75", "/", "$14"] in said
    assert ["tiny", "model", "vllm/tiny", "9", "3", "$0.1", "/", "$0.25"] in said


def test_one_model_is_told_with_the_source_of_each_fact(shell: Shell) -> None:
    shell.write(KNOWN)
    assert lines(shell, "tiny") == [
        ["vllm/tiny"],
        ["FACT", "VALUE", "SOURCE"],
        ["input-limit", "9", "models.tiny", "in", "the", "configuration"],
        ["output-limit", "3", "models.tiny", "in", "the", "configuration"],
        ["tools", "yes", "models.tiny", "in", "the", "configuration"],
        ["price", "input", "$0.1,", "output", "$0.25", "models.tiny", "in", "the", "configuration"],
    ]


def test_a_route_is_told_target_by_target(shell: Shell) -> None:
    shell.write(KNOWN)
    said = shell.run("models", "best").stdout
    assert said.index("openai/gpt-5.2\n") < said.index("vllm/tiny\n")
    assert "price batch" in said


def test_a_model_of_which_nothing_is_known_is_called_so(shell: Shell) -> None:
    shell.write(GOOD)
    assert shell.run("models", "vllm/else").stdout == "vllm/else: nothing is known of it\n"


def test_a_name_that_nobody_offers_is_refused_with_the_nearest(shell: Shell) -> None:
    shell.write(GOOD)
    result = shell.run("models", "tinny")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "no provider offers tinny; the nearest names are tiny\n"


def test_json_says_the_same(shell: Shell) -> None:
    shell.write(KNOWN)
    said = json.decode(shell.run("models", "--json").stdout.encode())["models"]
    assert [(row["name"], row["kind"]) for row in said] == [
        ("best", "route"),
        ("gpt-5.2", "model"),
        ("openai/*", "any"),
        ("tiny", "model"),
        ("vllm/*", "any"),
    ]
    assert said[0]["targets"] == ["openai/gpt-5.2", "vllm/tiny"]
    assert said[3]["known"] == [
        {
            "target": "vllm/tiny",
            "facts": {
                "input_limit": 9,
                "output_limit": 3,
                "abilities": {"tools": True},
                "price": {"rates": {"input": "0.1", "output": "0.25"}},
            },
            "sources": dict.fromkeys(
                ["input_limit", "output_limit", "abilities.tools", "price"], "models.tiny in the configuration"
            ),
        }
    ]


def test_a_bad_file_is_told_on_standard_error(shell: Shell) -> None:
    shell.write("limits:\n  atempts: 3\n")
    result = shell.run("models")
    assert (result.exit_code, result.stdout, result.stderr.splitlines()[-1]) == (1, "", "1 problem")


@pytest.fixture
def host() -> Iterator[Host]:
    with open_host() as host:
        yield host


def test_a_provider_that_is_asked_tells_its_models_and_their_limits(shell: Shell, host: Host) -> None:
    host.body = b'{"data":[{"id":"large","context_length":77},{"id":"small"}]}'
    shell.write(
        f"providers: {{ours: {{type: compatible, base-url: '{host.url}'}}}}\nmodels: {{small: {{input-limit: 5}}}}"
    )
    assert lines(shell, "--ask")[1:] == [
        ["large", "model", "ours/large", "77"],
        ["small", "model", "ours/small", "5"],
        ["ours/*", "any", "ours/*"],
    ]
    assert ["context-limit", "77", "the", "provider's", "list"] in lines(shell, "large", "--ask")


def test_a_provider_that_does_not_answer_is_named_and_the_rest_is_told(shell: Shell, host: Host) -> None:
    host.status = 500
    shell.write(f"providers: {{ours: {{type: compatible, base-url: '{host.url}', models: [m]}}}}")
    result = shell.run("models", "--ask")
    assert (result.exit_code, result.stderr) == (0, "ours did not tell its models\n")
    assert "ours/m" in result.stdout
