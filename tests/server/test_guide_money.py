"""The guide on money is true: its examples are valid, its commands run, and a spent budget answers as it says."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from fakes.gateway import RUNNING, open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream
from isthmus.core.periods import Period
from isthmus.engine.spending import RULES
from support.configured import config_of

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "money.md").read_text()
BUDGETS, PRICES = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
COMMANDS = "".join(re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL))
OWNER = "guide-owner-0123"
SPENT = '"scope":"client:alice","period":"day","limit":"5.000000","spent":"3.000000"'
PATIENCE = 20.0
"""Seconds for what a busy machine does in one."""


def test_its_examples_are_valid() -> None:
    config = config_of(f"{BUDGETS}{PRICES}providers: {{ours: {{type: compatible, base-url: 'http://127.0.0.1:1'}}}}")
    assert [len(config.client_keys), len(config.teams), config.budgets.month] == [1, 1, 1000]
    assert [entry.since is not None for entry in config.models["ours/our-large"].price] == [False, True]


def test_its_table_has_a_line_for_every_ending() -> None:
    [table] = re.findall(r"\| the try \| came to \|\n\| --- \| --- \|\n((?:\|.*\n)+)", GUIDE)
    assert len(table.splitlines()) == len(RULES)


def test_it_names_every_period() -> None:
    assert all(f"`{period}`" in GUIDE or f" {period} " in GUIDE for period in Period)


def config(upstream: Upstream) -> str:
    """Each request costs three dollars."""
    return f"""
management-key: {OWNER}
providers:
  there: {{type: compatible, base-url: "{upstream.root}/v1", api-key: {KEY}, models: [says-hello]}}
models: {{says-hello: {{price: {{input: 0, output: 0, request: 3}}}}}}
{BUDGETS}"""


def ask(root: str) -> tuple[int, str, str]:
    """Status, words and `retry-after`, once the store has told what was spent before."""
    body = b'{"model":"there/says-hello","messages":[{"role":"user","content":"hi"}]}'
    headers = {"authorization": "Bearer an-example-client-key", "content-type": "application/json"}
    asking = urllib.request.Request(f"{root}/v1/chat/completions", body, headers)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(asking, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode(), ""
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > deadline:
                return error.code, error.read().decode(), error.headers["retry-after"]
            time.sleep(0.05)


def told_soon(root: str, words: str) -> str:
    """What is told of budgets, once it holds these words: rows are stored behind the answers."""
    asking = urllib.request.Request(f"{root}/admin/budgets", headers={"authorization": f"Bearer {OWNER}"})
    deadline = time.monotonic() + PATIENCE
    while True:
        with urllib.request.urlopen(asking, timeout=PATIENCE) as answer:
            told: str = answer.read().decode()
        if words in told or time.monotonic() > deadline:
            return told
        time.sleep(0.05)


def test_a_spent_budget_answers_as_it_says_and_its_commands_tell_so(upstream: Upstream, tmp_path: Path) -> None:
    with open_gateway(config(upstream), tmp_path) as gateway:
        RUNNING.remove(gateway)  # its rests are ended with a key alone
        assert ask(gateway.root)[0] == 200
        status, words, wait = ask(gateway.root)
        assert SPENT in told_soon(gateway.root, SPENT)
        done = run(gateway.root, tmp_path)
    assert status == 403
    assert "the budget is spent: 5.00 dollars a day for client alice; it renews at 20" in words
    assert 0 < int(wait) <= 86_400
    assert done.returncode == 0, done.stderr
    assert SPENT in done.stdout
    assert done.stdout.endswith("13 sums came to the same, 0 sums differ\n")


def test_a_gateway_that_was_killed_knows_what_was_spent(upstream: Upstream, tmp_path: Path) -> None:
    with open_gateway(config(upstream), tmp_path) as gateway:
        RUNNING.remove(gateway)
        assert ask(gateway.root)[0] == 200
        assert SPENT in told_soon(gateway.root, SPENT)
        gateway.process.kill()
    with open_gateway(config(upstream), tmp_path) as gateway:
        RUNNING.remove(gateway)
        assert ask(gateway.root)[0] == 403


def run(root: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-e", "-c", COMMANDS.replace("http://127.0.0.1:8317", root)],
        check=False,
        cwd=folder,
        env={
            "HOME": str(folder),
            "ISTHMUS_MANAGEMENT_KEY": OWNER,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
