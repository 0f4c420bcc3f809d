"""Changing the configuration while the gateway runs: planned, applied, remembered, rolled back. Secrets go out masked.

Only the file is changed; it is put in force as any change of it is. One change is made at a time.
"""

import asyncio
import difflib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import TypeAlias

import yaml

from isthmus.config.editing import CannotEdit, edit
from isthmus.config.foreign import translated
from isthmus.config.load import Found, Loaded, parse, read_text
from isthmus.config.masking import Stale, mask, mask_beside, recall, shown, unmask
from isthmus.config.nodes import MAX_BYTES, Broken, compose
from isthmus.config.problems import ConfigProblems, Path
from isthmus.config.reload import Reloader, takes_restart
from isthmus.config.schema import Config
from isthmus.config.write import put_in_place
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.change import Change
from isthmus.engine.records import Configuration, Records

log = logging.getLogger(__name__)

RecordsNow: TypeAlias = Callable[[], Records | None]
_NO_FILE = "there is no configuration file to change; write one with 'isthmus init' and start again with --config FILE"
_THEIRS = (
    "the configuration is a file of {system}, which is only read; write one of ours with 'isthmus config import' and"
    " start again with that"
)
AT_FIRST = "the file"
"""Who is said to have put in force what stood in the file before the first change."""


class Configurer:
    """Knows the file, and who puts it in force. `records` gives the store that remembers, where there is one."""

    def __init__(self, reloader: Reloader, records: RecordsNow) -> None:
        self._reloader = reloader
        self._records = records
        self._one_at_a_time = asyncio.Lock()

    @property
    def version(self) -> int:
        return self._reloader.version

    @property
    def automatic(self) -> bool:
        """Does the file name no provider, so that those are asked that were found?"""
        return self._loaded.automatic

    @property
    def editable(self) -> bool:
        """Is there a file that can be changed?"""
        return self._loaded.path is not None and not self._loaded.system

    def shown(self) -> Mapping[str, object]:
        """What is in force, as plain values; secrets hidden."""
        told = shown(self._loaded.config)
        assert isinstance(told, dict)  # noqa: S101  a configuration is a mapping
        return told

    def text(self) -> str:
        """The file with its secrets hidden. Raises INVALID where it cannot be read or is no YAML."""
        return _masked(self._text())

    def plan(self, text: str) -> Change:
        """What `text` would change. What it hides stands for what the file has there."""
        try:
            return self._planned(self._whole(text))
        except GatewayError as error:
            return Change(problems=(error.message,))

    async def apply(self, text: str, who: str, note: str = "") -> Change:
        """Put `text` into the file and in force, and remember it. Raises INVALID; nothing is changed then."""
        async with self._one_at_a_time:
            return await self._apply(self._whole(text), who, note)

    def plan_edit(self, changes: Mapping[Path, object]) -> Change:
        """What setting these values would change, or what is wrong with it."""
        try:
            return self._planned(self._edited(changes))
        except GatewayError as error:
            return Change(problems=(error.message,))

    async def edit(self, changes: Mapping[Path, object], who: str, note: str = "") -> Change:
        """Set single values of the file, None to take one away. Raises INVALID."""
        async with self._one_at_a_time:
            return await self._apply(self._edited(changes), who, note)

    async def history(self, limit: int = 100) -> Sequence[Configuration]:
        """What was in force, the latest first, without texts. Raises UNSUPPORTED without a store."""
        return await self._store().configurations(limit)

    async def past(self, number: int) -> Configuration:
        """One of them, its secrets hidden. Raises UNKNOWN_PATH."""
        found = await self._remembered(number)
        hidden = mask_beside(found.text, self._text())
        return Configuration(number=found.number, at=found.at, who=found.who, text=hidden, note=found.note)

    async def roll_back(self, number: int, who: str) -> Change:
        """Put what was in force once in force again. Raises UNKNOWN_PATH, or INVALID where it no longer is good."""
        found = await self._remembered(number)
        async with self._one_at_a_time:
            return await self._apply(found.text, who, f"back to {number}")

    def kind_of(self, text: str) -> str:
        """Which other system's configuration this is; "" for one of ours, or none at all."""
        try:
            other = translated(text, self._loaded.environment, lambda _: "")
        except Broken:
            return ""
        return "" if other is None else other.kind

    def translate(self, text: str, kind: str) -> Mapping[str, object]:
        """A configuration of another system as sections of ours. Raises INVALID with what is wrong with it."""
        try:
            other = translated(text, self._loaded.environment, lambda _: "", kind=kind)
        except Broken as error:
            raise GatewayError(Kind.INVALID, str(error)) from error
        assert other is not None  # noqa: S101  the kind was named
        if problems := other.problems():
            raise GatewayError(Kind.INVALID, "; ".join(f"{one.key}: {one.message}" for one in problems[:10]))
        sections = yaml.safe_load(other.text)
        return sections if isinstance(sections, dict) else {}

    def reload(self) -> bool:
        """Read the file again. False when it is bad, and nothing was changed."""
        return self._reloader.reload()

    @property
    def _loaded(self) -> Loaded:
        return self._reloader.loaded

    @property
    def _path(self) -> FilePath:
        if self._loaded.path is None:
            raise GatewayError(Kind.INVALID, _NO_FILE)
        if self._loaded.system:
            raise GatewayError(Kind.INVALID, _THEIRS.format(system=self._loaded.system))
        return self._loaded.path

    def _text(self) -> str:
        try:
            return read_text(self._path)
        except ConfigProblems as bad:
            raise GatewayError(Kind.INVALID, "; ".join(bad.lines())) from bad

    def _edited(self, changes: Mapping[Path, object]) -> str:
        """The file with these values. One of eight stars stands for the secret that is there."""
        try:
            present = self._text()
            return recall(edit(present, changes), present)
        except CannotEdit as error:
            raise GatewayError(Kind.INVALID, str(error), code="no_such_place") from error
        except Stale as error:
            raise GatewayError(Kind.INVALID, str(error)) from error

    def _whole(self, text: str) -> str:
        if len(text.encode()) > MAX_BYTES:
            raise GatewayError(Kind.TOO_LARGE, f"a configuration is at most {MAX_BYTES // 1024**2} MiB")
        try:
            present = self._text()
            return recall(unmask(text, present), present)
        except Stale as error:
            raise GatewayError(Kind.INVALID, str(error)) from error
        except Broken as broken:
            words = f"{broken.problem.line}:{broken.problem.column}: {broken}"
            raise GatewayError(Kind.INVALID, words, code="invalid_yaml") from broken

    def _planned(self, text: str) -> Change:
        before = self._loaded
        try:
            after = parse(text, Found(before.path, before.found), before.environment, before.listen)
        except ConfigProblems as bad:
            return Change(problems=tuple(bad.lines()))
        if after.system:
            return Change(problems=(f"this is a file of {after.system}; isthmus config import writes one of ours",))
        changed = _sections(before.config, after.config)
        restart = tuple(name for name in changed if takes_restart(name.replace("-", "_"), before.config, after.config))
        return Change(diff=_difference(self._text(), text), changed=changed, restart=restart)

    async def _apply(self, text: str, who: str, note: str) -> Change:
        change = self._planned(text)
        if change.problems:
            code = "invalid_config" if _is_yaml(text) else "invalid_yaml"
            words = "the configuration is not good: " + "; ".join(change.problems[:10])
            raise GatewayError(Kind.INVALID, words, code=code)
        before = self._text()
        await self._remember(AT_FIRST, before)
        try:
            await asyncio.to_thread(put_in_place, self._path, text)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise GatewayError(
                Kind.INVALID, f"the file cannot be written: {reason}", status=500, code="write_failed"
            ) from error
        if not self._reloader.reload():
            await asyncio.to_thread(put_in_place, self._path, before)
            self._reloader.reload()
            words = "the configuration could not be put in force; the log says why"
            raise GatewayError(Kind.INVALID, words, status=500, code="reload_failed")
        await self._remember(who, text, note)
        return change

    async def _remember(self, who: str, text: str, note: str = "") -> None:
        """Keep it in the history. A store that cannot be reached keeps nobody from changing the configuration."""
        records = self._records()
        try:
            if records is not None:
                await records.keep_configuration(who, text, note)
        except GatewayError as error:
            log.warning("configuration: the history does not have this change: %s", error.message)

    def _store(self) -> Records:
        records = self._records()
        if records is None:
            raise GatewayError(Kind.UNSUPPORTED, "what was in force before is remembered only with a store (store:)")
        return records

    async def _remembered(self, number: int) -> Configuration:
        found = await self._store().configuration(number)
        if found is None:
            raise GatewayError(Kind.UNKNOWN_PATH, f"no configuration has the number {number}")
        return found


def _is_yaml(text: str) -> bool:
    try:
        compose(text)
    except Broken:
        return False
    return True


def _masked(text: str) -> str:
    try:
        return mask(text)
    except Broken as error:
        raise GatewayError(Kind.INVALID, f"the file is not shown while it is {error}") from error


def _sections(before: Config, after: Config) -> tuple[str, ...]:
    """The top-level keys under which anything differs, as the file writes them."""
    names = type(before).__struct_fields__
    return tuple(name.replace("_", "-") for name in names if getattr(before, name) != getattr(after, name))


def _difference(before: str, after: str) -> str:
    """A unified diff without secrets; a new one is told from one that was there."""
    try:
        old = mask_beside(before, before).splitlines(keepends=True)
    except Broken:
        return ""
    return "".join(difflib.unified_diff(old, mask_beside(after, before).splitlines(keepends=True), "before", "after"))
