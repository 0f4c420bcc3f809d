"""Putting a changed file in force while the gateway runs. A bad file changes nothing, and the log says why."""

import logging

from msgspec.structs import replace

from isthmus.config.compile import compile_loaded
from isthmus.config.load import Loaded, reload
from isthmus.config.problems import ConfigProblems
from isthmus.config.schema import Config
from isthmus.engine.live import Live

log = logging.getLogger(__name__)

AT_START = ("accounts", "listeners", "log", "otel", "state", "store")
"""Sections that are read only when the gateway starts, but for what of them says otherwise."""


def takes_restart(section: str, before: Config, after: Config) -> bool:
    """Is the section another one, in what is read only when the gateway starts?"""
    if section not in AT_START:
        return False
    if section == "accounts":
        return replace(after.accounts, issuers=before.accounts.issuers) != before.accounts
    if section == "log":
        at_once = replace(before.log.bodies, keep_days=after.log.bodies.keep_days)
        return replace(after.log, bodies=at_once) != before.log
    return bool(getattr(before, section) != getattr(after, section))


class Reloader:
    """Knows the configuration in force. `ollama`: one was found on this machine when the gateway started."""

    def __init__(self, loaded: Loaded, live: Live, *, ollama: bool = False) -> None:
        self.loaded = loaded
        self._live = live
        self._ollama = ollama

    @property
    def version(self) -> int:
        """Of the configuration in force."""
        return self._live.take().version

    def reload(self) -> bool:
        """Read the file again and put it in force. False when it is bad, and what was in force stays."""
        try:
            loaded = reload(self.loaded)
            if loaded.config != self.loaded.config:
                self._swap(loaded)
        except ConfigProblems as bad:
            for line in bad.lines():
                log.error("configuration: %s", line)
            log.error("configuration: nothing was changed; problems found: %d", len(bad.problems))
            return False
        return True

    def _swap(self, loaded: Loaded) -> None:
        self._live.swap(compile_loaded(loaded, ollama=self._ollama))
        log.info("configuration: %s is in force as version %d", loaded.source, self._live.take().version)
        for section in AT_START:
            if takes_restart(section, self.loaded.config, loaded.config):
                log.warning("configuration: a change of %s takes a restart", section.replace("_", "-"))
        if loaded.config.admin.listener != self.loaded.config.admin.listener:
            log.warning("configuration: a change of admin.listener takes a restart")
        self.loaded = loaded
