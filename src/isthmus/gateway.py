"""Everything that runs, set together from what was opened. It contains no logic of the parts."""

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from isthmus.cloud.authority import CloudAuthority
from isthmus.cloud.probe import AwsProbe
from isthmus.config.configurer import Configurer
from isthmus.config.load import Loaded
from isthmus.config.reload import Reloader
from isthmus.engine.admit import Gate
from isthmus.engine.counting import Counting
from isthmus.engine.keyring import Keyring
from isthmus.engine.live import Live
from isthmus.engine.ports import Limiter, Ports, Recorder
from isthmus.engine.queue import Queue
from isthmus.engine.shadow import Shadows
from isthmus.local.transport import Model, OnDemand
from isthmus.opened_accounting import accounting_of
from isthmus.opened_accounts import OpenedAccounts
from isthmus.opened_log import OpenedLog
from isthmus.opened_otel import OpenedOtel
from isthmus.server.admin.desk import Desk
from isthmus.server.app import Application
from isthmus.server.pages import Recent
from isthmus.state.limits import LocalLimiter
from isthmus.store.store import Store
from isthmus.system_clock import SystemClock
from isthmus.telemetry.bodies import Scribe
from isthmus.telemetry.current import Parts
from isthmus.telemetry.dumps import DumpFolder
from isthmus.telemetry.key_counts import KeyCounts
from isthmus.telemetry.log import ExchangeLog
from isthmus.telemetry.metrics import Metrics
from isthmus.telemetry.recent import RecentExchanges, RecentLosses
from isthmus.telemetry.tally import Tally
from isthmus.tools.claude_code import claude_code
from isthmus.transport.client import Client
from isthmus.transport.fetch import Fetcher
from isthmus.workers.metrics import HubSums

if TYPE_CHECKING:
    from isthmus.opened_state import Kept

POLL = 0.05
"""Seconds between two looks for places that other instances or workers may have released."""


class Outside(NamedTuple):
    """What was opened, and is closed by whoever opened it."""

    client: Client
    fetcher: Fetcher
    authority: CloudAuthority
    model: Model
    memory: "Kept"
    answers: "Kept"
    limiter: Limiter
    store: Store | None
    keyring: Keyring | None
    accounts: OpenedAccounts | None
    dumps: DumpFolder | None
    scribe: Scribe | None
    otel: OpenedOtel | None


class Gateway:
    """Everything that runs, for whoever serves it."""

    def __init__(
        self,
        loaded: Loaded,
        live: Live,
        outside: Outside,
        log: OpenedLog,
        others: HubSums | None = None,
        *,
        worker: int = 1,
    ) -> None:
        self.live = live
        self.gate = Gate()
        self.models_known = asyncio.Event()
        self.reloader = Reloader(loaded, live, ollama="ollama" in live.take().snapshot.providers)
        self.transport = OnDemand(outside.client, outside.model)
        tally, key_counts = Tally(live), KeyCounts()
        accounting = accounting_of(live, outside.store, outside.limiter, SystemClock())
        self.budgets = accounting.budgets
        counting = Counting()
        losses, exchanges = RecentLosses(self._flush), RecentExchanges(self._flush)
        counts = [tally.count, losses.take, exchanges.take, counting.take, key_counts.count, *accounting.counts]
        if outside.dumps is not None:
            counts.append(outside.dumps.take)
        if outside.otel is not None:
            counts.append(outside.otel.sender.take)
        self.recorder = ExchangeLog(log.lines, log.ring, as_json=log.as_json, counts=counts)
        self.aws = AwsProbe(live, outside.authority)
        self.shadows = Shadows()
        self._outside = outside
        self.keyring = outside.keyring
        self.accounts = outside.accounts
        self.log = log
        self.queue = Queue(SystemClock(), poll=None if isinstance(outside.limiter, LocalLimiter) else POLL)
        ports = self._ports(self.recorder, counting)
        self.metrics = Metrics(tally, self._parts(), self.recorder.flush, others, str(worker))
        recent = Recent(losses.of, exchanges.of)
        self.desk = self._desk(ports, recent, key_counts)
        self.application = Application(
            live, ports, self.gate, self.health, recent, metrics=self.metrics.page, desk=self.desk
        )

    def _flush(self) -> None:
        self.recorder.flush()

    def _ports(self, recorder: Recorder, counting: Counting) -> Ports:
        outside = self._outside
        return Ports(
            self.transport,
            SystemClock(),
            recorder,
            authority=outside.authority,
            memory=outside.memory,
            answers=outside.answers,
            fetcher=outside.fetcher,
            counting=counting,
            limiter=outside.limiter,
            queue=self.queue,
            budgets=self.budgets,
            shadows=self.shadows,
            bodies=outside.scribe,
            tracer=None if outside.otel is None else outside.otel.tracer,
        )

    def _desk(self, ports: Ports, recent: Recent, key_counts: KeyCounts) -> Desk:
        outside = self._outside
        return Desk(
            self.live,
            ports,
            health=self.health,
            recent=recent,
            records=outside.store,
            keys=outside.keyring,
            accounts=None if outside.accounts is None else outside.accounts.book,
            configurer=Configurer(self.reloader, lambda: outside.store),
            claude=claude_code(self.reloader.loaded.environment.get),
            logs=self.log.ring,
            dumps=outside.dumps,
            bodies=outside.store,
            metrics=self.metrics.page,
            key_counts=key_counts.told,
        )

    def _parts(self) -> Parts:
        return Parts(
            now=self.live.take,
            clock=SystemClock(),
            running=lambda: self.gate.running,
            queue=self.queue,
            shadows=self.shadows,
            connections=self._outside.client.stats,
            states=self._states,
            dropped_lines=lambda: self.log.lines.dropped,
            alone=lambda: self._outside.limiter.alone,
            rows_waiting=lambda: 0 if self._outside.store is None else self._outside.store.waiting,
            rows_lost=lambda: 0 if self._outside.store is None else self._outside.store.lost,
            client_keys=lambda: 0 if self.keyring is None else self.keyring.count,
            accounts=lambda: {} if self.accounts is None else self.accounts.keeper.counts(),
            bodies_lost=lambda: 0 if self._outside.scribe is None else self._outside.scribe.dropped,
            dumps_skipped=lambda: 0 if self._outside.dumps is None else self._outside.dumps.skipped,
            traces_lost=lambda: 0 if self._outside.otel is None else self._outside.otel.sender.dropped,
            refused=lambda: self.application.office.refused,
        )

    def _states(self) -> Mapping[str, str]:
        """Where the parts keep what, in their own words."""
        outside = self._outside
        store = {} if outside.store is None else {"store": outside.store.state}
        keys = {} if outside.keyring is None else {"client_keys": outside.keyring.state}
        otel = {} if outside.otel is None else {"otel": outside.otel.sender.state}
        return {"limits": outside.limiter.state, "memory": outside.memory.state, **store, **keys, **otel}

    def health(self) -> Mapping[str, object]:
        """What the parts say of themselves. `running` counts exchanges."""
        now = self.live.take()
        return {
            "ready": not self.gate.closing,
            "running": self.gate.running,
            "pid": os.getpid(),
            "providers": list(now.snapshot.providers),
            "configuration": {"source": now.snapshot.source, "version": now.version},
            "connections": self._outside.client.stats(),
            "tasks": len(asyncio.all_tasks()),
            **self._states(),
            **({} if self.accounts is None else {"signed_in": self.accounts.keeper.state}),
            "waiting": self.queue.length,
            "shadows": {"running": self.shadows.running, "dropped": self.shadows.dropped},
            "log_lines_dropped": self.log.lines.dropped,
            **({} if self._outside.scribe is None else {"bodies_dropped": self._outside.scribe.dropped}),
            **({} if self._outside.dumps is None else {"dumps_skipped": self._outside.dumps.skipped}),
            **({} if self.aws.state is None else {"aws": self.aws.state}),
        }
