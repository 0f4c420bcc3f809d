"""The pages about configuration are true: the reference is the schema's, and what the guide shows works."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from isthmus.config.reference import write_reference
from isthmus.config.schema import Config
from support.configured import config_of

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = "".join((DOCS / "guide" / f"{name}.md").read_text() for name in ("configure", "routing"))
EXAMPLES = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
COMMANDS = "".join(re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.DOTALL))
VARIABLES = {name: f"{name.lower()}-0123456789" for name in re.findall(r"\$\{([A-Z_]+)\}", GUIDE)}


def test_the_reference_is_what_the_schema_says() -> None:
    assert (DOCS / "reference" / "configuration.md").read_text() == write_reference(), "run: make docs"


def test_the_reference_has_every_key() -> None:
    assert all(f"| `{key}` |" in write_reference() for key in Config.__struct_encode_fields__)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_guide_is_valid(example: str) -> None:
    usual = {"OPENAI_API_KEY": "sk-0123456789", "ANTHROPIC_API_KEY": "sk-0123456789"}
    assert config_of(example, {**VARIABLES, **usual}) != Config()


def test_the_commands_of_the_guide_run_one_after_the_other(tmp_path: Path) -> None:
    assert COMMANDS.count("isthmus ") >= 8
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["sh", "-e", "-c", COMMANDS],
        check=False,
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": path},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert done.stdout.count("Management key: ") == 3
    assert (tmp_path / "elsewhere" / "isthmus.yaml").is_file()
