"""Claude Code as a person runs it in a script: one prompt, one JSON result, a home of its own, no other address."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 50.0
QUIET = (
    "DISABLE_TELEMETRY",
    "DISABLE_ERROR_REPORTING",
    "DISABLE_AUTOUPDATER",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "IS_SANDBOX",
)
NO_AGENT = ("--bare", "--tools", "", "--system-prompt", "You are a helpful assistant.")
"""Arguments that leave a request of a few hundred tokens, which a very small model can hold."""


@dataclass(frozen=True)
class ClaudeCode:
    """`binary` is what npm installed, `root` where the gateway listens, `home` an empty folder."""

    binary: Path
    root: str
    key: str
    home: Path

    def ask(self, prompt: str, *arguments: str, model: str, folder: Path, header: str = "ANTHROPIC_AUTH_TOKEN") -> Any:
        """The result object that it prints. Fails with all it said when it prints none."""
        command = [str(self.binary), "-p", prompt, "--output-format", "json", "--model", model, *arguments]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "ANTHROPIC_BASE_URL": self.root,
            header: self.key,
            **dict.fromkeys(QUIET, "1"),
        }
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.stdout.startswith("{"), f"it printed no result:\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)
