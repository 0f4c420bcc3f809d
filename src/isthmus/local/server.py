"""The bundled model's own process: `python -m isthmus.local.server --model PATH`.

Serves OpenAI's chat API over HTTP on a loopback port that the system chooses, from C++
threads of llama.cpp. Says so in one JSON line on standard output, and ends when standard
input does (the gateway is gone) or on SIGTERM. Native code lives here and nowhere else:
when it crashes, the gateway does not.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from isthmus.wire import json

SLOTS = 2
"""Requests answered at a time; further ones wait inside."""
CONTEXT = 8192
"""Tokens of each slot: all that the model was trained for. Their memory is taken at the start: 190 MB a slot."""
CONNECTIONS = 32
"""Threads that hold a connection each; they sleep."""
PROMPT_CACHE = 64
"""MiB kept of earlier prompts. llama.cpp's own default is 8192."""
GRACE = 3.0
"""Seconds after which a process that was told to end ends hard."""
MISSING_ENGINE = 3
"""Exit status: xllamacpp is not installed."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="isthmus.local.server")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--name", required=True)
    asked = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_watch_parent, args=(stop,), daemon=True).start()
    try:
        engine = serve(asked.model, asked.name)
    except ImportError:
        print("xllamacpp is not installed: pip install 'isthmus[local]'", file=sys.stderr, flush=True)
        return MISSING_ENGINE
    port = int(engine.listening_address.rpartition(":")[2])
    sys.stdout.buffer.write(json.encode({"ready": True, "port": port}) + b"\n")
    sys.stdout.buffer.flush()
    stop.wait()
    hard = threading.Timer(GRACE, os._exit, (0,))
    hard.daemon = True
    hard.start()
    return 0


class Engine(Protocol):
    """A running server. It serves for as long as somebody holds it."""

    listening_address: str


def serve(model: Path, name: str) -> Engine:
    """Load the model and serve it, from threads of its own."""
    import xllamacpp  # type: ignore[import-untyped] # noqa: PLC0415  it has no types; an extra, and slow to load

    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {name}
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_parallel, params.n_ctx = SLOTS, SLOTS * CONTEXT
    # llama.cpp's threads spin while they wait for each other: a second one is 10 times slower than
    # none as soon as another process wants a core.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_threads_http = CONNECTIONS
    params.cache_ram_mib = PROMPT_CACHE
    params.ui, params.endpoint_metrics, params.offline = False, False, True
    engine: Engine = xllamacpp.Server(params)
    return engine


def _watch_parent(stop: threading.Event) -> None:
    """Standard input is a pipe that nobody writes to; it ends when the gateway does, however that ended."""
    while sys.stdin.buffer.read(1024):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
