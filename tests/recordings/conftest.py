"""The recordings' tests: not run where there are no recordings, and counted where there are."""

from collections.abc import Callable

import pytest

from support.recordings import FILES


@pytest.fixture(params=list(FILES))
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def count(record_property: Callable[[str, object], None], dialect: str) -> Callable[[str, int], None]:
    """Tell the summary at the end how many there were of what was checked."""

    def tell(what: str, number: int) -> None:
        record_property(f"recorded {what}", (dialect, number))

    return tell
