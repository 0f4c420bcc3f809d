"""No key that stands in a file or a variable comes out of a problem, a printed value or a snapshot."""

import re

import msgspec
import pytest
import yaml

from isthmus.config.compile import compile_config
from isthmus.config.load import Found, parse
from isthmus.config.problems import ConfigProblems
from isthmus.config.secrets import Environment
from isthmus.core.secret import Secret
from support.configured import load_text

SECRET = "hunter2-x9Qz-never-print-me-77"
PARTS = (SECRET, SECRET[:8], SECRET[-8:])
EVERYWHERE = """
listeners: [{host: SECRET, port: SECRET}, SECRET]
client-keys: [{name: SECRET, key: SECRET}, SECRET, [SECRET]]
insecure: SECRET
management-key: [SECRET]
providers:
  openai: SECRET
  ours: {type: compatible, dialect: SECRET, base-url: SECRET, proxy-url: SECRET, ca-file: SECRET, http2: SECRET}
  more: {type: compatible, base-url: "https://SECRET@example.com:SECRET/?SECRET#SECRET", headers: {x: "SECRET\\n"}}
  last: {type: compatible, base-url: "http://exa mple.com/SECRET", api-key: "SECRET SECRET", models: {a: SECRET}}
  wait: {type: compatible, base-url: "http://[SECRET]", enabled: SECRET, deadlines: {connect: SECRET, total: [SECRET]}}
  keys:
    type: compatible
    base-url: http://127.0.0.1:1
    concurrency: SECRET
    dollars-per-day: SECRET
    api-keys:
      - {key: "SECRET SECRET", proxy-url: SECRET, enabled: SECRET, models: SECRET, price: SECRET, concurrency: SECRET}
      - {key: SECRET, price: {input: SECRET, output: SECRET}, requests-per-minute: SECRET, tokens-per-day: [SECRET]}
routes:
  a: SECRET
  b: {targets: [SECRET], strategy: SECRET, tiers: [SECRET, {targets: SECRET, strategy: SECRET}], deadlines: SECRET}
  c: {shadow: {target: SECRET, share: SECRET}, hedge: SECRET, continue: SECRET, affinity: SECRET, concurrency: SECRET}
  d: {branches: [{when: {dialects: [SECRET], images: SECRET, header: SECRET, tokens-over: SECRET}, share: SECRET}]}
routing: {strategy: SECRET, hybrid-weights: {cost: SECRET}, affinity: SECRET, queue: {size: SECRET}}
aliases: {a: SECRET, b: [SECRET]}
limits: {request-body: SECRET, attempts: SECRET, drain: SECRET}
log: {format: SECRET, level: SECRET, file: [SECRET]}
local: {enabled: SECRET, idle-seconds: SECRET}
"""
NAMES = """
providers:
  mine: {type: SECRET}
routes:
  r: ["SECRET/m", {provider: SECRET, model: m}]
  s: {tiers: ["SECRET/m"], branches: [{when: {clients: [SECRET]}, targets: [{provider: SECRET, model: m}]}]}
aliases: {a: SECRET}
store: {enabled: false}
"""


def said_of(text: str) -> str:
    with pytest.raises(ConfigProblems) as caught:
        parse(text, Found(None, ""), Environment({"KEY": SECRET}))
    return f"{caught.value}{caught.value!r}{caught.value.problems!r}"


def test_no_problem_repeats_a_value() -> None:
    said = said_of(EVERYWHERE.replace("SECRET", SECRET))
    assert said.count("\n") > 50
    assert not [part for part in PARTS if part in said]


def by_variable(text: str) -> str:
    """The same text with every secret behind a variable."""
    pieces = re.split(r'("[^"]*")', text)
    return "".join(piece.replace("SECRET", "${KEY}" if piece[:1] == '"' else "'${KEY}'") for piece in pieces)


def test_no_problem_repeats_what_a_variable_held() -> None:
    said = said_of(by_variable(EVERYWHERE))
    assert said.count("\n") > 50
    assert not [part for part in PARTS if part in said]


def test_a_name_that_came_from_a_variable_is_not_quoted() -> None:
    said = said_of(by_variable(NAMES))
    assert "what the variable holds is not a known type" in said
    assert said.count("what the variable holds is not a configured provider") >= 4
    assert "what the variable holds is not the name of a client key" in said
    assert not [part for part in PARTS if part in said]


@pytest.mark.parametrize("text", [f"management-key: *{SECRET}", f"a: '{SECRET}", f"a: {SECRET}: b", f"a: @{SECRET}"])
def test_no_syntax_error_repeats_the_text(text: str) -> None:
    assert SECRET not in said_of(text)


def test_no_printed_configuration_holds_a_whole_key() -> None:
    loaded = load_text(
        f"management-key: {SECRET}\nclient-keys: [{SECRET}1]\nproviders:\n  openai:\n    api-key: {SECRET}2\n"
        f"    headers: {{x-key: {SECRET}3}}\n    proxy-url: http://u:{SECRET}@127.0.0.1\n",
        {"ANTHROPIC_API_KEY": SECRET},
    )
    snapshot = compile_config(loaded.config)
    printed = f"{loaded} {loaded!r} {loaded.environment!r} {snapshot.clients} {snapshot.providers['openai'].secret!r}"
    printed += yaml.safe_dump(msgspec.to_builtins(loaded.config, enc_hook=str))
    assert SECRET not in printed
    assert SECRET[:8] not in printed


def test_a_dump_without_care_is_refused() -> None:
    with pytest.raises(TypeError):
        msgspec.json.encode(load_text(f"management-key: {SECRET}").config)


def test_a_short_secret_shows_nothing_of_itself() -> None:
    assert repr(Secret("hunter2")) == "Secret(…)"
