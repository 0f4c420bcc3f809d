"""The guide on management is true: its commands run, and answer what it says. So is the reference."""

import json
import re
import subprocess
from pathlib import Path

from fakes.gateway import RUNNING, open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream
from isthmus.server.admin.reference import write_reference
from support.configured import config_of

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "guide" / "admin.md").read_text()
COMMANDS = re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)
FILES = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
KEYS = {
    "MANAGEMENT_KEY": "guide-owner-0123",
    "DASHBOARD_KEY": "guide-viewer-0123",
    "ON_CALL_KEY": "guide-operator-0123",
}


def filled(text: str) -> str:
    for name, value in KEYS.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def run(command: str, root: str) -> dict[str, object]:
    told = subprocess.run(
        ["bash", "-c", command.replace("http://127.0.0.1:8317", root)],
        capture_output=True,
        check=True,
        timeout=20,
        env={**KEYS, "PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    return dict(json.loads(told.stdout))


def test_its_commands_answer_what_it_says(upstream: Upstream, tmp_path: Path) -> None:
    there = (
        f'{{type: compatible, dialect: openai, base-url: "{upstream.root}/v1", api-key: {KEY}, models: [says-hello]}}'
    )
    with open_gateway(f"providers:\n  there: {there}\n{filled(FILES[0])}", tmp_path) as gateway:
        RUNNING.remove(gateway)  # its rests are ended with a key alone
        status, providers, debug, audit = COMMANDS
        assert {"version", "since", "configuration", "parts"} <= run(status, gateway.root).keys()
        [provider] = run(providers, gateway.root)["providers"]  # type: ignore[misc]  # JSON
        assert [one["name"] for one in provider["keys"]] == ["key"]
        assert run(debug, gateway.root) == {"level": "debug"}
        assert "PUT /admin/debug - by management-key (owner) from 127.0.0.1: done" in gateway.said_soon(
            "PUT /admin/debug"
        )
        assert {"deeds", "error"} & run(audit, gateway.root).keys()


def test_its_configuration_is_valid() -> None:
    roles = config_of(filled(FILES[0])).admin.keys
    assert [(one.name, one.role) for one in roles] == [("dashboard", "viewer"), ("on-call", "operator")]
    listener = config_of(f"management-key: {KEYS['MANAGEMENT_KEY']}\n{FILES[1]}").admin.listener
    assert listener is not None
    assert (listener.host, listener.port) == ("192.0.2.10", 8318)


def test_the_reference_is_what_the_table_says() -> None:
    assert (DOCS / "reference" / "admin.md").read_text() == write_reference(), "run: make docs"
