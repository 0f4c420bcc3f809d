"""What the tests of client libraries share: the doors they come in by, and how fast their leaving is noticed."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

from fakes.gateway import CLIENT_KEY, RunningGateway
from fakes.scripts import KEY
from fakes.upstream import Upstream

_TAGS = itertools.count()
TRIES = 3


@dataclass(frozen=True)
class Door:
    """Where a client is pointed, with which key, and the dialect of the provider behind it."""

    root: str
    key: str
    prefix: str
    behind: str

    def model(self, name: str) -> str:
        return self.prefix + name


def through(gateway: RunningGateway, provider: str) -> Door:
    return Door(gateway.root, CLIENT_KEY, f"{provider}/", "anthropic" if provider == "anthropic" else "openai")


def straight_to(upstream: Upstream, dialect: str) -> Door:
    """Past the gateway: what a client sees of the provider itself, which is how the fake is judged."""
    return Door(upstream.root, KEY, "", dialect)


def left_within(seconds: float, upstream: Upstream, model: str, leave: Callable[[str], None]) -> None:
    """`leave` asks for the model it is given, and returns when it has left before the end.

    The best of three tries counts: the machine may pause a process, the gateway may not keep a call.
    """
    took = []
    for _ in range(TRIES):
        name = f"{model}@{next(_TAGS)}"
        leave(name)
        left = time.monotonic()
        took.append(upstream.wait_for_departure(upstream.wait_for_request(name)) - left)
        if took[-1] <= seconds:
            return
    raise AssertionError(f"the provider saw its client leave only after {', '.join(f'{t:.3f} s' for t in took)}")
