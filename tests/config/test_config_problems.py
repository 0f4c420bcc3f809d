"""Every kind of problem is found, at its line and column, and all of them at once."""

from pathlib import Path

import pytest

from isthmus.config.load import load
from isthmus.config.nodes import MAX_BYTES
from isthmus.config.problems import ConfigProblems, nearest
from isthmus.config.secrets import Environment
from support.configured import problems_of

OPENAI = "providers:\n  openai:\n    api-key: sk-0123456789abcdef\n"
PROBLEMS = {
    "an unknown section": ("listener: []\n", 1, 1, "listener", "did you mean 'listeners'?"),
    "an unknown key": ("limits:\n  atempts: 3\n", 2, 3, "limits.atempts", "did you mean 'attempts'?"),
    "a key like no other": ("log:\n  zzz: 3\n", 2, 3, "log.zzz", "it is one of format, level, file"),
    "an unknown key in a list": ("listeners:\n  - prot: 80\n", 2, 5, "listeners[0].prot", "did you mean 'port'?"),
    "a merge key": ("log: &l {level: info}\nlocal:\n  <<: *l\n", 3, 3, "local.<<", "write the keys out"),
    "a key set twice": ("insecure: true\ninsecure: false\n", 2, 1, "insecure", "the first is on line 1"),
    "a provider set twice": (
        "providers:\n  ollama:\n  ollama:\n",
        3,
        3,
        "providers.ollama",
        "is set twice; the first is on line 2",
    ),
    "a store of another kind": ("state:\n  url: http://redis.example.com\n", 2, 8, "state.url", "must be redis://"),
    "options in a store's URL": ("state:\n  url: redis://h/0?db=1\n", 2, 8, "state.url", "must be redis://"),
    "a store's prefix with a blank": ("state:\n  prefix: a b\n", 2, 11, "state.prefix", "must be letters"),
    "a list for a mapping": ("limits: [1]\n", 1, 9, "limits", "must be a mapping, not a list"),
    "a text for a mapping": ("providers:\n  openai: yes please\n", 2, 11, "providers.openai", "must be a mapping"),
    "a mapping for a list": ("listeners: {port: 1}\n", 1, 12, "listeners", "must be a list, not a mapping"),
    "a text for a list": ("client-keys: abc\n", 1, 14, "client-keys", "must be a list, not a single value"),
    "a mapping for a text": ("management-key: {a: b}\n", 1, 17, "management-key", "must be text, not a mapping"),
    "a mapping as a key": ("limits:\n  {a: b}: 3\n", 2, 3, "limits", "a mapping cannot be a key"),
    "a list as the whole": ("- a\n", 1, 1, "", "must be a mapping, not a list"),
    "a text as the whole": ("hello\n", 1, 1, "", "must be a mapping, not a single value"),
    "no number": ("limits:\n  attempts: many\n", 2, 13, "limits.attempts", "a whole number from 1 to 50"),
    "a number too low": ("limits:\n  attempts: 0\n", 2, 13, "limits.attempts", "a whole number from 1 to 50"),
    "a number too high": ("listeners:\n  - port: 65536\n", 2, 11, "listeners[0].port", "from 0 to 65535"),
    "a fraction of a whole": ("limits:\n  attempts: 1.5\n", 2, 13, "limits.attempts", "a whole number"),
    "no seconds": ("limits:\n  drain: 5m\n", 2, 10, "limits.drain", "a number of seconds from 0 to 3600"),
    "no time that ends": ("limits:\n  drain: .inf\n", 2, 10, "limits.drain", "a number of seconds"),
    "a decimal size": ("limits:\n  request-body: 64MB\n", 2, 17, "limits.request-body", "512KiB or 64MiB"),
    "a size too large": ("limits:\n  request-body: 2GiB\n", 2, 17, "limits.request-body", "from 1KiB to 1GiB"),
    "a size for a count": ("limits:\n  attempts: 1KiB\n", 2, 13, "limits.attempts", "a whole number"),
    "neither true nor false": ("insecure: perhaps\n", 1, 11, "insecure", "must be true or false"),
    "no choice": ("log:\n  level: loud\n", 2, 10, "log.level", "must be one of debug, info, warning, error"),
    "no switch": ("local:\n  enabled: sometimes\n", 2, 12, "local.enabled", "must be one of auto, true, false"),
    "a text of two lines": ('log:\n  file: "a\\nb"\n', 2, 9, "log.file", "a line break"),
    "something missing": ("client-keys:\n  - name: me\n", 2, 5, "client-keys[0]", "needs 'key'"),
    "an empty key": ("client-keys:\n  -\n", 2, 4, "client-keys[0]", "needs 'key'"),
    "an empty model": (OPENAI + "    models: ['']\n", 4, 14, "providers.openai.models[0]", "is empty"),
    "a variable that is not set": ("management-key: ${NOPE}\n", 1, 17, "management-key", "${NOPE:-default}"),
    "a mark that opens nothing": ("management-key: a${ b\n", 1, 17, "management-key", "'${' begins no variable"),
    "no listeners": ("listeners: []\n", 1, 12, "listeners", "is empty"),
    "an open door": ("listeners:\n  - host: 0.0.0.0\n", 2, 11, "listeners[0].host", "set insecure: true"),
    "an open door by name": ("listeners:\n  - host: gw.example.com\n", 2, 11, "listeners[0].host", "client-keys"),
    "two listeners at one place": (
        "listeners:\n  - port: 9000\n  - port: 9000\n",
        3,
        5,
        "listeners[1]",
        "the same address and port",
    ),
    "a path for metrics that is none": (
        "metrics:\n  path: numbers\n",
        2,
        9,
        "metrics.path",
        "begins with /",
    ),
    "a path for metrics that something else has": (
        "metrics:\n  path: /v1/numbers\n",
        2,
        9,
        "metrics.path",
        "begins with /v1, where the gateway serves something else",
    ),
    "a path for metrics that no client can ask for": (
        "metrics:\n  path: /numbers?all\n",
        2,
        9,
        "metrics.path",
        "each behind a /",
    ),
    "one key twice": ("client-keys:\n  - abcd1234\n  - abcd1234\n", 3, 5, "client-keys[1]", "as client-keys[0]"),
    "one name twice": (
        "client-keys:\n  - {name: a, key: abcd1234}\n  - {name: a, key: efgh5678}\n",
        3,
        12,
        "client-keys[1].name",
        "the same name as that of client-keys[0]",
    ),
    "an unknown host": (
        "providers:\n  opnai: {}\n",
        2,
        3,
        "providers.opnai",
        "there is no type; did you mean 'openai'?",
    ),
    "a host of one's own": ("providers:\n  zzzzz: {}\n", 2, 3, "providers.zzzzz", "say type: compatible"),
    "an unknown type": (
        "providers:\n  mine:\n    type: antropic\n",
        3,
        11,
        "providers.mine.type",
        "'antropic' is not a known type; did you mean 'anthropic'?",
    ),
    "a bad provider name": ("providers:\n  a/b: {type: ollama}\n", 2, 3, "providers.a/b", "letters, digits"),
    "a host without its key": (
        "providers:\n  openai:\n",
        2,
        3,
        "providers.openai",
        "has no api-key, and OPENAI_API_KEY is not set",
    ),
    "a host with two variables": ("providers:\n  gemini:\n", 2, 3, "providers.gemini", "or GOOGLE_API_KEY is not set"),
    "a key that no header carries": (
        "providers:\n  openai:\n    api-key: two words\n",
        3,
        14,
        "providers.openai.api-key",
        "holds a space",
    ),
    "no usual address": ("providers:\n  c: {type: compatible}\n", 2, 3, "providers.c", "needs a base-url"),
    "an address of another scheme": (
        "providers:\n  ollama:\n    base-url: ftp://example.com\n",
        3,
        15,
        "providers.ollama.base-url",
        "http or https",
    ),
    "an address with a password": (
        "providers:\n  ollama:\n    base-url: https://u:p@example.com\n",
        3,
        15,
        "providers.ollama.base-url",
        "no user name",
    ),
    "an address with a wild port": (
        "providers:\n  ollama:\n    base-url: http://x:99999\n",
        3,
        15,
        "providers.ollama.base-url",
        "not a usable address",
    ),
    "a dialect where it is known": (
        OPENAI + "    dialect: anthropic\n",
        4,
        5,
        "providers.openai.dialect",
        "openai speaks its own",
    ),
    "no proxy": (OPENAI + "    proxy-url: example.com\n", 4, 16, "providers.openai.proxy-url", "socks5"),
    "no such file": (OPENAI + "    ca-file: none.pem\n", 4, 14, "providers.openai.ca-file", "no such file"),
    "no header": (
        OPENAI + "    headers:\n      'a b': c\n",
        5,
        14,
        "providers.openai.headers.a b",
        "not a header's name",
    ),
    "a header of ours": (
        OPENAI + "    headers:\n      Host: c\n",
        5,
        13,
        "providers.openai.headers.Host",
        "set by the gateway itself",
    ),
    "a route to nobody": (
        OPENAI + "routes:\n  r:\n    - openai/a\n    - opneai/a\n",
        7,
        7,
        "routes.r[1]",
        "'opneai' is not a configured provider; did you mean 'openai'?",
    ),
    "a route to nobody in full": (
        OPENAI + "routes:\n  r:\n    - {model: m, provider: x}\n",
        6,
        28,
        "routes.r[0].provider",
        "'x' is not a configured",
    ),
    "a route to the bundled model, which is off": (
        "local: {enabled: false}\nroutes: {r: [local/m]}\n",
        2,
        14,
        "routes.r[0]",
        "'local' is not a configured provider",
    ),
    "a target without a model": ("routes: {r: [openai]}\n", 1, 14, "routes.r[0]", "written provider/model"),
    "a route without targets": ("routes: {r: []}\n", 1, 13, "routes.r", "has no targets"),
    "a route that says nothing": ("routes:\n  r:\n", 2, 5, "routes.r", "has no targets"),
    "a route and alias of one name": (
        OPENAI + "routes: {r: [openai/a]}\naliases: {r: openai/b}\n",
        5,
        11,
        "aliases.r",
        "is also a route",
    ),
    "an alias of itself": ("aliases: {a: a}\n", 1, 14, "aliases.a", "leads back to itself: a -> a"),
    "an alias to nothing": (OPENAI + "aliases: {a: b}\n", 4, 14, "aliases.a", "write provider/model"),
    "bad syntax": ("limits:\n  a: [1\nlog: {}\n", 3, 4, "", "not valid YAML"),
    "a tab": ("limits:\n\tattempts: 1\n", 2, 1, "", "not valid YAML"),
    "a control character": ("limits:\n  drain: \x01\n", 2, 10, "", "not valid YAML: a control character"),
    "an undefined anchor": ("log: *nobody\n", 1, 6, "", "not valid YAML"),
    "two documents": ("log: {}\n---\nlog: {}\n", 2, 1, "", "a second document begins here"),
    "a tag": ("log: !!python/name:os.system\n", 1, 6, "", "tags (!name) mean nothing here"),
    "nesting without end": ("log: " + "[" * 100_000, 1, 37, "", "nested more than 32 deep"),
    "an alias inside of itself": ("routes: &r\n  a: *r\n", 1, 9, "", "inside of what it stands for"),
}


@pytest.mark.parametrize(("text", "line", "column", "key", "words"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_a_problem_is_told_with_its_place(text: str, line: int, column: int, key: str, words: str) -> None:
    (problem,) = problems_of(text)
    assert (problem.line, problem.column, problem.key) == (line, column, key)
    assert words in problem.message


def test_all_problems_come_at_once_in_the_order_of_their_lines() -> None:
    text = """\
listeners:
  - host: 0.0.0.0
    prot: 80
client-key: x
providers:
  openai:
    base-ur: http://example.com
  groq:
    api-key: ${NOPE}
    deadlines: {connect: soon}
  other: {type: compatible, base-url: "ftp://x", http2: maybe}
routes:
  fast: [nomodel, openai/gpt, opeai/gpt]
  fast: []
aliases:
  a: b
  b: a
limits:
  request-body: 64MB
"""
    assert [(problem.line, problem.key) for problem in problems_of(text)] == [
        (2, "listeners[0].host"),
        (3, "listeners[0].prot"),
        (4, "client-key"),
        (6, "providers.openai"),
        (7, "providers.openai.base-ur"),
        (9, "providers.groq.api-key"),
        (10, "providers.groq.deadlines.connect"),
        (11, "providers.other.base-url"),
        (11, "providers.other.http2"),
        (13, "routes.fast[0]"),
        (13, "routes.fast[2]"),
        (14, "routes.fast"),
        (16, "aliases.a"),
        (17, "aliases.b"),
        (19, "limits.request-body"),
    ]


def test_one_mistake_is_one_problem() -> None:
    text = "providers:\n  mine:\n    type: ${NOPE}\nroutes:\n  r: [mine/m]\naliases:\n  a: mine/m\n"
    assert [problem.key for problem in problems_of(text)] == ["providers.mine.type"]


def test_a_bomb_of_aliases_is_refused_before_it_goes_off() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (problem,) = problems_of("\n".join(lines))
    assert "more than 100000 values" in problem.message


def test_a_long_line_of_values_is_refused() -> None:
    (problem,) = problems_of("client-keys: [" + "a," * 250_000 + "]")
    assert "more than 100000 values" in problem.message


def test_problems_are_written_in_the_form_that_editors_jump_to() -> None:
    with pytest.raises(ConfigProblems) as caught:
        load(Path("/nowhere/isthmus.yaml"), Environment({}))
    assert caught.value.lines() == ["/nowhere/isthmus.yaml:1:1: cannot be read: No such file or directory"]


def test_a_file_that_is_not_utf8_is_refused_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"log:\n  file: caf\xe9\n")
    with pytest.raises(ConfigProblems) as caught:
        load(tmp_path / "latin.yaml", Environment({}))
    assert [(problem.line, problem.message) for problem in caught.value.problems] == [(2, "is not UTF-8 text")]


def test_a_file_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigProblems, match="longer than 4 MiB"):
        load(tmp_path / "long.yaml", Environment({}))


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match="Is a directory"):
        load(tmp_path, Environment({}))


@pytest.mark.parametrize(
    ("name", "known", "words"),
    [
        ("base-ur", ["base-url", "type"], "; did you mean 'base-url'?"),
        ("zzz", ["base-url", "type"], "; it is one of base-url, type"),
        ("zzz", [str(number) for number in range(100)], ""),
    ],
)
def test_the_nearest_name_is_offered_else_the_few_that_there_are(name: str, known: list[str], words: str) -> None:
    assert nearest(name, known) == words
