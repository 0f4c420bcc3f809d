"""The guide on client keys is true: its commands run one after the other, and its example is valid."""

import os
import re
import subprocess
import sys
from pathlib import Path

from fakes.gateway import RUNNING, open_gateway
from fakes.scripts import KEY
from fakes.upstream import Upstream
from support.configured import config_of

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "keys.md").read_text()
COMMANDS = "".join(re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL))
EXAMPLES = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
OWNER = "guide-owner-0123"


def test_its_commands_run_one_after_the_other(upstream: Upstream, tmp_path: Path) -> None:
    there = (
        f'{{type: compatible, dialect: openai, base-url: "{upstream.root}/v1", api-key: {KEY}, models: [says-hello]}}'
    )
    with open_gateway(f"management-key: {OWNER}\nproviders:\n  anthropic: {there}\n", tmp_path) as gateway:
        RUNNING.remove(gateway)  # its rests are ended with a key alone
        port = gateway.root.rpartition(":")[2]
        (tmp_path / "isthmus.yaml").write_text(f"listeners: [{{port: {port}}}]\nmanagement-key: {OWNER}\n")
        done = subprocess.run(
            ["bash", "-e", "-c", COMMANDS.replace("http://127.0.0.1:8317", gateway.root)],
            check=False,
            cwd=tmp_path,
            env={
                "HOME": str(tmp_path),
                "MANAGEMENT_KEY": OWNER,
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
        said = gateway.said()
    (key,) = (tmp_path / "key.txt").read_text().split()
    assert key.startswith("isk_")
    assert key not in said + done.stdout + done.stderr
    assert '"budgets":{"month":"50"}' in done.stdout


def test_its_example_is_valid() -> None:
    (example,) = EXAMPLES
    (laptop,) = config_of(example, {"LAPTOP_KEY": "key-0123456789"}).client_keys
    assert (laptop.name, laptop.models, laptop.budgets.month) == ("laptop", ("claude-*", "smart"), 200)
