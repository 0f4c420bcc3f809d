"""What the tests of clouds share: an issuer at the wire, and a clock that stands still."""

import time
from collections.abc import Iterator

import pytest

from fakes.clock import FakeClock
from fakes.issuer import Issuer, open_issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with open_issuer() as opened:
        yield opened


@pytest.fixture
def clock() -> FakeClock:
    """Begins now: libraries work out the end of a token by the real time."""
    return FakeClock(time=time.time())
