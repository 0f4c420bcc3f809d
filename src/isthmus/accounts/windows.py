"""What providers told with their answers of the limits of accounts, as an account has it. Reads; decides nothing."""

from collections.abc import Mapping, Sequence

from isthmus.core.quota import Quota
from isthmus.engine.accounts import UsedWindow
from isthmus.engine.live import Now
from isthmus.engine.ports import Clock
from isthmus.engine.signed_in import takes_accounts
from isthmus.providers.quota_headers import OF_ACCOUNTS


def told_since(now: Now, since: float, clock: Clock) -> Mapping[tuple[str, str], Sequence[UsedWindow]]:
    """The newest word on each window, by issuer and account's name, that came after the monotonic time `since`."""
    taking = {name: one.issuer for name, one in now.snapshot.providers.items() if takes_accounts(one)}
    quotas, at = now.board.quotas, clock.now()
    found: dict[tuple[str, str], dict[str, UsedWindow]] = {}
    for place in quotas.told_since(since) if taking else ():
        if (issuer := taking.get(place.provider)) is not None:
            windows = found.setdefault((issuer, place.credential), {})
            windows.update(_windows(quotas.of(place, at), clock.time()))
    return {key: tuple(windows.values()) for key, windows in found.items() if windows}


def laid_over(newer: Sequence[UsedWindow], older: Sequence[UsedWindow]) -> tuple[UsedWindow, ...]:
    """All windows, each as it was told last. How long one is stays known where it is not told again."""
    found = {one.measure: one for one in older}
    for one in newer:
        before = found.get(one.measure)
        known = None if before is None else before.seconds
        found[one.measure] = UsedWindow(one.measure, one.used, one.resets_at, one.seconds or known)
    return tuple(found.values())


def _windows(quota: Quota, time: float) -> dict[str, UsedWindow]:
    return {
        one.measure: UsedWindow(
            one.measure,
            used=min(1.0, max(0.0, 1.0 - one.remaining / one.limit)),
            resets_at=None if one.reset is None else time + one.reset,
        )
        for one in quota
        if one.measure in OF_ACCOUNTS and one.limit
    }
