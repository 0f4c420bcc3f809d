"""Accounts as lines for people: who, how they are, how much of their limits is used."""

from collections.abc import Iterator, Sequence

from isthmus.engine.accounts import Account, UsedWindow

COLUMNS = ("ACCOUNT", "ISSUER", "STATE", "ACTIVE", "PLAN", "USED", "LAST ASKED", "ID")
WINDOWS = ("ACCOUNT", "WINDOW", "USED", "LEFT", "BEGINS ANEW")
_SPANS = ((86_400 * 7, "week"), (86_400, "day"), (3600, "hour"), (60, "minute"))


def line(account: Account, now: float) -> tuple[str, ...]:
    used = ", ".join(f"{_name(window)} {_share(window, now):.0%}" for window in account.windows)
    asked = "-" if account.used_at is None else _ago(now - account.used_at)
    marked = "yes" if account.active else "-"
    return account.name, account.issuer, account.state, marked, account.plan or "-", used or "-", asked, account.id


def remarks(accounts: Sequence[Account]) -> Iterator[str]:
    """Why those that cannot be asked under cannot."""
    for account in accounts:
        if account.why:
            yield f"{account.name}: {account.why}"


def windows(account: Account, now: float) -> Iterator[tuple[str, ...]]:
    """A line for each of its windows; one that says so where nothing was told."""
    if not account.windows:
        yield account.name, "-", "nothing was told", "-", "-"
    for window in account.windows:
        share = _share(window, now)
        again = "-" if window.resets_at is None else f"in {span(window.resets_at - now)}"
        yield account.name, _name(window), f"{share:.0%}", f"{max(0.0, 1 - share):.0%}", again


def span(seconds: float) -> str:
    """In the two largest units: "2 days 3 hours"; "1 minute" for anything below."""
    left, parts = max(60, int(seconds)), []
    for size, name in _SPANS:
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {name}{'' if number == 1 else 's'}")
    return " ".join(parts[:2])


def _ago(seconds: float) -> str:
    return "just now" if seconds < 60 else f"{span(seconds)} ago"


def _share(window: UsedWindow, now: float) -> float:
    """Used now: a window that began anew since it was told of has nothing used."""
    return 0.0 if window.resets_at is not None and window.resets_at <= now else window.used


def _name(window: UsedWindow) -> str:
    return window.measure if window.seconds is None else span(window.seconds)
