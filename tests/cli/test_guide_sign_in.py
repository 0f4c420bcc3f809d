"""The guide on signing in is true: its issuer needs nothing but its example, and its commands run."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from fakes.gateway import free_port, open_gateway_on
from fakes.strict_issuer import StrictIssuer, open_strict_issuer
from fakes.strict_words import CLIENT, Person
from isthmus.config.issuers import issuers_of
from isthmus.config.schema_accounts import IssuerEntry
from isthmus.providers.issuer import SignInFlow
from isthmus.providers.issuers.table import ISSUERS
from support.configured import config_of

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guide" / "sign-in.md").read_text()
COMMANDS = "".join(re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL))
EXAMPLES = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
WITHIN = 10.0
"""Seconds in which the gateway has noticed an account."""
BROWSER = f"""#!{sys.executable}
import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=5).read()
"""


def test_its_commands_run_one_after_the_other(tmp_path: Path) -> None:
    with open_strict_issuer() as issuer:
        configure(tmp_path, issuer)
        leave(tmp_path, issuer)
        logins, _, asking = COMMANDS.partition("curl")
        with open_gateway_on(tmp_path / "isthmus.yaml") as gateway:
            signed = run(logins, tmp_path)
            wait_for_an_answer(gateway.root)
            asked = run("curl" + asking.replace("http://127.0.0.1:8317", gateway.root), tmp_path)
            said = gateway.said()
        assert "signed in to Our own sign-in as ada@example.com" in signed
        assert "signed in to Google Cloud as robot@example.com" in signed
        assert "took in eve@example.com from ~/.codex/auth.json" in signed
        assert json.loads(asked)["choices"][0]["message"]["content"].startswith("Hello ")
        for secret in secrets_of(issuer):
            assert secret not in signed + said


def configure(folder: Path, issuer: StrictIssuer) -> None:
    """The example, with addresses that lead somewhere, and the issuers that are known at the same place."""
    (example,) = EXAMPLES
    there = example.replace("client-id: isthmus", f"client-id: {CLIENT}").replace("[8765, 8766]", f"[{free_port()}]")
    for host in ("https://login.example.com", "https://llm.example.com"):
        there = there.replace(host, issuer.url)
    others = f"""  issuers:
    codex: {{client-id: {CLIENT}, token-url: '{issuer.token_url}'}}
    google-service-account: {{token-url: '{issuer.token_url}'}}
"""
    (folder / "isthmus.yaml").write_text(there.replace("  issuers:\n", others))


def leave(folder: Path, issuer: StrictIssuer) -> None:
    """What the commands find beside them."""
    bob = issuer.sign_in(Person("bob@example.com", "acc-bob"))
    (folder / "token.txt").write_text(bob["refresh_token"] + "\n")
    (folder / "robot.json").write_text(issuer.new_robot())
    eve = issuer.sign_in(Person("eve@example.com", "acc-eve"))
    tokens = {name: eve[name] for name in ("id_token", "access_token", "refresh_token")}
    (folder / ".codex").mkdir()
    (folder / ".codex" / "auth.json").write_text(json.dumps({"tokens": tokens}))
    browser = folder / "browser"
    browser.write_text(BROWSER)
    browser.chmod(0o755)


def run(commands: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-e", "-c", commands],
        check=False,
        cwd=folder,
        env={
            "HOME": str(folder),
            "BROWSER": f"{folder}/browser %s",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stdout + done.stderr
    return done.stdout


def wait_for_an_answer(root: str) -> None:
    """Until the gateway has noticed that somebody signed in."""
    body = json.dumps({"model": "our-model", "messages": [{"role": "user", "content": "Hello"}]}).encode()
    asking = urllib.request.Request(f"{root}/v1/chat/completions", body, {"content-type": "application/json"})
    deadline = time.monotonic() + WITHIN
    while (status := status_of(asking)) != 200:
        assert time.monotonic() < deadline, f"it still answers {status}"
        time.sleep(0.05)


def status_of(asking: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(asking, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def secrets_of(issuer: StrictIssuer) -> list[str]:
    tokens = [access for family in issuer.families for access in family.accesses]
    named = ("code", "code_verifier", "refresh_token", "assertion")
    sent = [one.fields[name] for one in issuer.asked for name in named if isinstance(one.fields.get(name), str)]
    return [*tokens, *(family.live for family in issuer.families if family.live), *sent]


def test_its_example_is_an_issuer_that_has_every_flow_but_a_service_accounts() -> None:
    (example,) = EXAMPLES
    ours = issuers_of(config_of(example, {}))["ours"]
    assert ours.flows == (SignInFlow.CODE, SignInFlow.DEVICE, SignInFlow.PASTED)


def test_it_tells_of_every_flow_every_issuer_and_every_key() -> None:
    keys = {field.replace("_", "-") for field in IssuerEntry.__struct_fields__} - {"title"}
    names: Mapping[str, object] = {**ISSUERS, **dict.fromkeys(keys), **{flow.value: None for flow in SignInFlow}}
    assert [name for name in names if f"`{name}`" not in GUIDE] == []


def test_it_quotes_what_is_said() -> None:
    said = "".join(file.read_text() for file in (ROOT / "src" / "isthmus" / "accounts").glob("*.py"))
    quoted = re.findall(r"^\| `([^`]+)` \|", GUIDE.partition("## When it does not work")[2], flags=re.MULTILINE)
    assert len(quoted) == 8
    assert [words for words in quoted if words not in said] == []
