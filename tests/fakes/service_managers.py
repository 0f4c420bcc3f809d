"""systemctl and launchctl, as far as a service of one user needs them: programs that write down what they are told.

What they know stands in files beside them, so that a test can look at it, and say what they are to answer.
"""

import sys
from pathlib import Path

_PROGRAM = """\
#!{python} -IS
import sys
from pathlib import Path
folder, name, words = Path({folder!r}), {name!r}, sys.argv[1:]
with (folder / "calls").open("a") as calls:
    print(name, *words, file=calls)
def has(state):
    return (folder / state).exists()
def put(state, there=True):
    (folder / state).touch() if there else (folder / state).unlink(missing_ok=True)
def end(code, out="", err=""):
    print(out, end="")
    print(err, end="", file=sys.stderr)
    sys.exit(code)
{body}
"""
_SYSTEMCTL = """\
if has("no bus"):
    end(1, err="Failed to connect to bus: No medium found\\n")
word = words[1]
if has("refuses " + word):
    end(1, err="Job for isthmus.service failed.\\n")
if word in ("start", "restart"):
    put("runs")
elif word == "stop":
    put("runs", False)
elif word == "enable":
    put("enabled")
elif word == "disable":
    put("enabled", False)
    put("runs", False)
elif word == "show":
    end(0, "MainPID=4711\\nActiveState=active\\nSubState=running\\n" if has("runs")
        else "MainPID=0\\nActiveState=failed\\nSubState=failed\\n")
"""
_LOGINCTL = 'end(0, "Linger=yes\\n" if has("lingers") else "Linger=no\\n")'
_LAUNCHCTL = """\
word = words[0]
if has("no screen") and word != "version":
    end(125, err="Domain does not support specified action\\n")
if word == "bootstrap":
    if has("is ending"):
        put("is ending", False)
        end(5, err="Bootstrap failed: 5: Input/output error\\n")
    put("known")
    put("runs")
elif word == "bootout":
    if has("ends slowly"):
        put("ends soon")
        end(36, err="Boot-out failed: 36: Operation now in progress\\n")
    put("known", False)
    put("runs", False)
    put("is ending")
elif word == "kickstart":
    put("runs")
elif word == "print":
    if has("ends soon"):
        for state in ("ends soon", "ends slowly", "known", "runs"):
            put(state, False)
        end(0, words[1] + " = {\\n\\tstate = running\\n}\\n")
    if not has("known"):
        end(113, err="Could not find service in domain\\n")
    end(0, words[1] + " = {\\n\\tactive count = 1\\n\\tstate = " + ("running" if has("runs") else "not running")
        + ("\\n\\tpid = 4711" if has("runs") else "") + "\\n\\n\\tsockets = {\\n\\t\\tstate = other\\n\\t}\\n}\\n")
"""
_BODIES = {
    "systemctl": _SYSTEMCTL,
    "loginctl": _LOGINCTL,
    "journalctl": "",
    "launchctl": _LAUNCHCTL,
    "tail": "",
}


class ServiceManagers:
    """Programs in `folder`, which is to be the PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name, body in _BODIES.items():
            program = folder / name
            program.write_text(_PROGRAM.format(python=sys.executable, folder=str(folder), name=name, body=body))
            program.chmod(0o755)

    def say(self, state: str) -> None:
        """From now on it is so: "no bus", "lingers", "no screen", "ends slowly", "refuses WORD"."""
        (self.folder / state).touch()

    def are(self, state: str) -> bool:
        return (self.folder / state).exists()

    def calls(self) -> list[str]:
        """What was told since this was asked last."""
        file = self.folder / "calls"
        told = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return told
