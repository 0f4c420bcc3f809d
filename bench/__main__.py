"""`python -m bench`: the gateway, nginx as a plain proxy and a direct connection, in turn, in one run."""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.bodies import Size
from bench.contenders import (
    CLIENT_CORE,
    CORES,
    Direct,
    Failed,
    Gateway,
    Manner,
    Nginx,
    Scope,
    has_nginx,
    mock_providers,
)
from bench.load import Tally
from bench.measure import memory
from bench.report import WITH_STORE, Footing, Results, document, table, verdicts
from bench.scenarios import COLUMNS, SCENARIOS, Column, Contender, Scenario, Way, aim, applicable, hold_streams, run

FULL_ROUNDS, FULL_SPAN = 3, 1.8
QUICK_ROUNDS, QUICK_SPAN = 1, 0.7
STARTS = 5
STREAMS = 500
FOOTING = "footing"
"""The scenario of start-up time and memory, which takes a fresh process."""


def main() -> int:
    options = _options()
    os.sched_setaffinity(0, {CLIENT_CORE})
    if len(CORES) == 1:
        print("only one core: servers, providers and the generator share it; read multiples only")
    if not has_nginx():
        print("nginx is missing (Debian: apt install nginx-light): going on without it, so without multiples")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="isthmus-bench-") as name:
        try:
            results = _measure(Path(name), options)
        except Failed as failure:
            print(failure, file=sys.stderr)
            return 1
    results.seconds = time.monotonic() - began
    found = verdicts(results)
    print("\n" + table(results) + "\n")
    print("\n".join(map(str, found)))
    if options.json is not None:
        options.json.write_text(document(results))
    return 1 if options.strict and not all(verdict.met for verdict in found if verdict.found is not None) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--quick", action="store_true", help="one short round, about a minute: for a first look only")
    parser.add_argument("--rounds", type=int, help=f"rounds, whose median counts (default {FULL_ROUNDS})")
    parser.add_argument("--only", action="append", choices=[*names, FOOTING], help="this scenario; may be repeated")
    parser.add_argument("--json", type=Path, help="write everything to this file too")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when something measured is over its budget")
    return parser.parse_args()


def _measure(folder: Path, options: argparse.Namespace) -> Results:
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else FULL_ROUNDS)
    span = QUICK_SPAN if options.quick else FULL_SPAN
    wanted = [scenario for scenario in SCENARIOS if not options.only or scenario.name in options.only]
    with mock_providers(folder) as providers:
        footing: dict[str, Footing] = {}
        if not options.only or FOOTING in options.only:
            footing = _footings(providers, folder, starts=1 if options.quick else STARTS)
        with _contenders(providers, folder) as contenders:
            columns = applicable(COLUMNS, contenders)
            seen = _rounds(wanted, columns, contenders, rounds=rounds, span=span)
    return Results(seen, columns, footing, rounds)


def _rounds(
    scenarios: Sequence[Scenario],
    columns: Sequence[Column],
    contenders: Mapping[Way, Contender],
    *,
    rounds: int,
    span: float,
) -> Mapping[tuple[str, str], list[Tally]]:
    """Each round goes through all columns of a scenario, every second one in reverse."""
    seen: dict[tuple[str, str], list[Tally]] = defaultdict(list)
    for number in range(rounds):
        for scenario in scenarios:
            print(f"round {number + 1} of {rounds}: {scenario.name} ({scenario.about})", flush=True)
            for column in columns[::-1] if number % 2 else columns:
                tally = run(scenario, column, contenders[column.way], span)
                seen[scenario.name, column.name].append(tally)
    return seen


@contextmanager
def _contenders(providers: Mapping[Manner, int], folder: Path) -> Iterator[Mapping[Way, Contender]]:
    """All of them, running; those without load cost nothing."""
    with ExitStack() as opened:
        found: dict[Way, Contender] = {Way.DIRECT: Direct(providers)}
        if has_nginx():
            found[Way.NGINX] = nginx = Nginx(providers, folder)
            opened.callback(nginx.stop)
        for way, scope in ((Way.GATEWAY, Scope.DATA_PATH), (Way.TEAM, Scope.TEAM)):
            found[way] = gateway = Gateway(providers, folder, scope)
            opened.callback(gateway.stop)
            column = next(column for column in COLUMNS if column.way is way)
            gateway.first_answer(aim(column, gateway, Manner.BURST, size=Size.SMALL, streamed=False).request)
        yield found


def _footings(providers: Mapping[Manner, int], folder: Path, *, starts: int) -> dict[str, Footing]:
    print("start-up time and memory", flush=True)
    found = {}
    if has_nginx():
        found[str(Way.NGINX)] = _footing(Way.NGINX, providers, folder, starts=starts)
    found[str(Way.GATEWAY)] = _footing(Way.GATEWAY, providers, folder, starts=starts)
    found[WITH_STORE] = _footing(Way.GATEWAY, providers, folder, starts=starts, scope=Scope.USUAL)
    return found


def _footing(
    way: Way, providers: Mapping[Manner, int], folder: Path, *, starts: int, scope: Scope = Scope.DATA_PATH
) -> Footing:
    """The median of several starts, after one that only warms the caches; the last one is then filled with streams."""
    column = next(column for column in COLUMNS if column.way is way)
    seconds = []
    for number in range(starts + 1):
        began = time.monotonic()
        server = Nginx(providers, folder) if way is Way.NGINX else Gateway(providers, folder, scope)
        try:
            if isinstance(server, Gateway):
                server.first_answer(aim(column, server, Manner.BURST, size=Size.SMALL, streamed=False).request)
            seconds.append(time.monotonic() - began)
            if number == starts:
                if isinstance(server, Gateway):
                    server.settle()
                idle = memory(server.pid)
                streams = hold_streams(column, server, STREAMS, partial(memory, server.pid))
                return Footing(statistics.median(seconds[1:]), idle, streams)
        finally:
            server.stop()
    raise AssertionError("unreachable: the last start returns")


if __name__ == "__main__":
    sys.exit(main())
