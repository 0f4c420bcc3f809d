"""What others have used, as far as it was told, and for how long that is believed."""

import pytest

from isthmus.routing.limits import Claim, Grant, Limit, Measure
from isthmus.state import seen
from isthmus.state.seen import FRESH, Seen

TOKENS = Limit("key:one/a", Measure.TOKENS, 1000, 60, 12)
RUNNING = Limit("key:one/a", Measure.RUNNING, 4)
CLAIMS = (Claim(TOKENS, 100), Claim(RUNNING, 1))


def told() -> Seen:
    found = Seen()
    found.note(CLAIMS, (500, 2), 10.0)
    return found


def test_what_was_told_of_late_is_believed() -> None:
    assert (told().share(TOKENS, 10.0 + FRESH - 0.1), told().share(TOKENS, 10.0 + FRESH)) == (0.5, 0.0)


def test_what_is_settled_here_is_taken_from_what_was_told() -> None:
    found = told()
    found.settled(Grant(CLAIMS, 0.0, "lease"), {Measure.TOKENS: 40})
    assert (found.share(TOKENS, 10.0), found.share(RUNNING, 10.0)) == (0.44, 0.25)


def test_the_limit_may_have_changed_since() -> None:
    assert told().share(Limit(TOKENS.scope, TOKENS.measure, 2000, 60, 12), 10.0) == 0.25
    assert told().share(Limit(TOKENS.scope, TOKENS.measure, 0, 60, 12), 10.0) == 0.0


def test_there_are_never_more_limits_than_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "MOST", 1)
    assert (told().share(TOKENS, 10.0), told().share(RUNNING, 10.0)) == (0.0, 0.5)
