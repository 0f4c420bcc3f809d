"""Bounds on what one input may cost: CPU seconds, and memory beyond what it has itself."""

import time
import tracemalloc
from collections.abc import Callable

SECONDS = 1.0
SECONDS_PER_BYTE = 4e-5
"""A second for a hundred kilobytes, four times over because the fuzzer counts every branch. What grows with the square
of an input exceeds it at once."""
BYTES = 4_000_000
BYTES_PER_BYTE = 200
"""Of Python objects: a thing of three bytes may well be an object of a few hundred, once on each side of a codec."""


class Costly(Exception):
    """An input cost more than it may."""


def timed(run: Callable[[bytes], None], data: bytes) -> None:
    """Run it, and raise Costly if it took too long."""
    start = time.process_time()
    run(data)
    spent, allowed = time.process_time() - start, SECONDS + SECONDS_PER_BYTE * len(data)
    if spent > allowed:
        raise Costly(f"{spent:.2f} s for {len(data)} bytes, of {allowed:.2f} s")


def weighed(run: Callable[[bytes], None], data: bytes) -> None:
    """Run it, and raise Costly if it held too much at once. Several times slower than running it."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        run(data)
        held, allowed = tracemalloc.get_traced_memory()[1] - before, BYTES + BYTES_PER_BYTE * len(data)
    finally:
        tracemalloc.stop()
    if held > allowed:
        raise Costly(f"{held} bytes for {len(data)} bytes, of {allowed}")
