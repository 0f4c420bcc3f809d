"""The guide on the store is true: its section is taken, and its commands run."""

import json
import re
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from fakes.gateway import open_gateway
from isthmus.config.load import load
from isthmus.config.secrets import Environment
from isthmus.core.secret import Secret
from isthmus.store.address import POSTGRESQL, Address, address_of

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "store.md").read_text()
[SECTION] = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
LOOK, COPY = re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL)
NOTHING_ELSE = "local: {enabled: false}\nproviders: {there: {type: openai, api-key: sk-0123456789abcdef}}\n"


def run(command: str, root: str, folder: Path) -> str:
    command = command.replace("http://127.0.0.1:8317", root)
    home = {"HOME": str(folder), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    told = subprocess.run(["bash", "-c", command], capture_output=True, cwd=folder, env=home, timeout=20, check=True)
    return told.stdout.decode()


def test_its_section_leads_to_a_database(tmp_path: Path) -> None:
    file = tmp_path / "isthmus.yaml"
    file.write_text(SECTION)
    entry = load(file, Environment({"STORE_PASSWORD": "0123"})).config.store
    assert entry.url is not None
    expected = Secret("postgresql://isthmus:0123@postgres.example.com/isthmus?sslmode=require")
    assert address_of(entry.url, tmp_path) == Address(POSTGRESQL, expected)


def test_its_commands_tell_how_it_is_and_copy_it(tmp_path: Path) -> None:
    with open_gateway(NOTHING_ELSE, tmp_path) as gateway:
        deadline = time.monotonic() + 20
        while (state := json.loads(run(LOOK, gateway.root, tmp_path))["store"]) != "sqlite":
            assert time.monotonic() < deadline, state
            time.sleep(0.05)
        run(COPY, gateway.root, tmp_path)
    with closing(sqlite3.connect(tmp_path / "isthmus-copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM used").fetchone() == (0,)
