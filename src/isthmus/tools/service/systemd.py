"""A user unit of systemd: its text, and `systemctl --user`.

Source: systemd.service(5), systemd.exec(5), systemd.syntax(7), loginctl(1). What needs a namespace of mounts is left
out: a user's manager has none where the system forbids users theirs, and the unit would not start there.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from isthmus.tools.service.manager import (
    FILES,
    MARK,
    Done,
    NoManager,
    Refused,
    Service,
    State,
    is_ours,
    must_be_there,
    put,
    run,
    take_away,
)

UNIT = "isthmus.service"
_ESCAPES: Mapping[str, str] = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "%": "%%"}
_NOBODY_ANSWERS = ("Failed to connect", "not been booted with systemd")
_TEXT = """\
# {mark}
[Unit]
Description=Isthmus, an LLM gateway
# A configuration that cannot be used is not tried for ever.
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=exec
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
EnvironmentFile=-{environment}
{variables}
Restart=on-failure
RestartSec=2
# Workers are told to stop by the process that keeps them: told twice, they end at once.
KillMode=mixed
TimeoutStopSec={stop_within}
LimitNOFILE={files}

UMask=0077
NoNewPrivileges=true
LockPersonality=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""


class Systemd:
    """`settings` is the user's folder for configuration, `user` the name of who logs in."""

    name = "systemd"

    def __init__(self, settings: Path, user: str) -> None:
        self.path = settings / "systemd" / "user" / UNIT
        self._user = user

    def text(self, service: Service) -> str:
        return _TEXT.format(
            mark=MARK,
            command=" ".join(_quoted(word).replace("$", "$$") for word in service.command),
            environment=str(service.environment_file).replace("%", "%%"),
            variables="\n".join(f"Environment={_quoted(f'{key}={said}')}" for key, said in service.variables.items()),
            stop_within=service.stop_within,
            files=FILES,
        )

    def install(self, service: Service) -> bool:
        _answers()
        changed = put(self.path, self.text(service))
        _good("daemon-reload")
        _good("enable", UNIT)
        return changed

    def start(self, *, again: bool = False) -> None:
        must_be_there(self.path)
        run("systemctl", "--user", "reset-failed", UNIT)  # whoever asks for it has mended what failed too often
        _good("restart" if again else "start", UNIT)

    def stop(self) -> None:
        must_be_there(self.path)
        _good("stop", UNIT)

    def uninstall(self) -> bool:
        if not is_ours(self.path):
            return False
        _good("disable", "--now", UNIT)
        take_away(self.path)
        _good("daemon-reload")
        return True

    def state(self) -> State:
        if not is_ours(self.path):
            return State(installed=False, running=False)
        shown = _good("show", "--property", "ActiveState,SubState,MainPID", UNIT).out
        told = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        active, pid = told.get("ActiveState", ""), told.get("MainPID", "0")
        words = f"{active} ({told.get('SubState', '')})"
        return State(True, active == "active", words, int(pid) if pid.isdecimal() and pid != "0" else None)

    def logs(self, lines: int, *, follow: bool) -> Sequence[str]:
        must_be_there(self.path)
        return ("journalctl", "--user-unit", UNIT, "--lines", str(lines), *(("--follow",) if follow else ()))

    def hints(self) -> Sequence[str]:
        try:
            lingers = run("loginctl", "show-user", self._user, "--property", "Linger").out.strip() == "Linger=yes"
        except (NoManager, Refused):
            return ()
        if lingers:
            return ()
        return (f"it starts when you log in and ends when you log out; to have it run always: {self._linger}",)

    @property
    def _linger(self) -> str:
        return f"loginctl enable-linger {self._user}"


def _quoted(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(one, one) for one in text) + '"'


def _answers() -> None:
    """Raises NoManager, before anything is written."""
    _good("show-environment")


def _good(*words: str) -> Done:
    done = run("systemctl", "--user", *words)
    if done.code == 0:
        return done
    if any(one in done.err for one in _NOBODY_ANSWERS):
        raise NoManager(
            "no systemd of this user answers; log in as that user (not by su or sudo), or run isthmus serve "
            f"under what keeps services here. It said: {done.why}"
        )
    raise Refused(f"systemctl --user {' '.join(words)}: {done.why}")
