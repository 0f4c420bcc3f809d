"""Which of a route's branches a request takes. Knows conditions and shares; what a request is like, it is told.

Branches are looked at in their order. One is left out when its condition does not hold, when no place is left in it,
or when the request is not among the share that it takes; every such reason is told.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from isthmus.routing.places import Places
from isthmus.routing.plan import Plan, Tier, When


class Traits(Protocol):
    """What conditions ask of a request. What costs something is found out when it is asked for."""

    @property
    def dialect(self) -> str: ...

    @property
    def client(self) -> str:
        """Its name."""
        ...

    @property
    def stream(self) -> bool: ...

    @property
    def tags(self) -> frozenset[str]: ...

    def header(self, name: str) -> str | None:
        """The value of the header with this name, which is in lower case."""
        ...

    def images(self) -> bool | None:
        """Does it show images to the model? None where nobody can tell."""
        ...

    def tools(self) -> bool | None:
        """Does it offer tools to the model? None where nobody can tell."""
        ...

    def tokens(self) -> int | None:
        """An estimate of its input; None where nobody can tell."""
        ...


class Picked(NamedTuple):
    """`branch` is its number in the route, from 1 on, or None for the plan's own tiers; `because` says it in words."""

    tiers: Sequence[Tier]
    because: str
    branch: int | None


def pick(plan: Plan, traits: Traits, draw: float, places: Places) -> Picked:
    """The tiers for one request, whose `draw` is at least 0 and below 1; the same draw takes the same share again.

    Of several branches that hold for a request each takes a share of all those requests, not of what the ones before
    it have left.
    """
    left_out: list[str] = []
    taken = 0.0
    for number, branch in enumerate(plan.rules.branches, 1):
        why = _unmet(branch.when, traits)
        if why is None and not _placed(branch.tiers, places):
            why = "none of its targets can be asked"
        if why is None:
            taken += branch.share
            if draw < taken:
                return Picked(branch.tiers, "; ".join((*left_out, f"branch {number} of {plan.name} takes it")), number)
            why = f"it is not among the {branch.share * 100:g} % that this takes"
        left_out.append(f"branch {number}: {why}")
    return Picked(plan.tiers, "; ".join(left_out), None)


def _placed(tiers: Iterable[Tier], places: Places) -> bool:
    return any(places.of(target) for tier in tiers for target in tier.targets)


def _unmet(when: When | None, traits: Traits) -> str | None:
    """Why the condition does not hold; None where it does."""
    return None if when is None else next((why for check in _CHECKS for why in check(when, traits)), None)


def _who(when: When, traits: Traits) -> Iterator[str]:
    if when.dialects and traits.dialect not in when.dialects:
        yield f"the dialect is {traits.dialect}"
    if when.clients and traits.client not in when.clients:
        yield f"the client is {traits.client}"
    if when.tags and traits.tags.isdisjoint(when.tags):
        yield f"it has no tag {' or '.join(when.tags)}"


def _header(when: When, traits: Traits) -> Iterator[str]:
    if when.header is None:
        return
    name, wanted = when.header
    said = traits.header(name)
    if said is None:
        yield f"it has no header {name}"
    elif wanted and said != wanted:
        yield f"its header {name} has another value"


def _what(when: When, traits: Traits) -> Iterator[str]:
    if when.stream is not None and traits.stream is not when.stream:
        yield "it is streamed" if traits.stream else "it is not streamed"
    if when.tools is not None and (has := traits.tools()) is not when.tools:
        yield _HAS[has].format("tools")
    if when.images is not None and (has := traits.images()) is not when.images:
        yield _HAS[has].format("images")


def _how_long(when: When, traits: Traits) -> Iterator[str]:
    if when.tokens_over is None and when.tokens_under is None:
        return
    tokens = traits.tokens()
    if tokens is None:
        yield "nobody can tell how long it is"
    elif when.tokens_over is not None and tokens <= when.tokens_over:
        yield f"its input is about {tokens} tokens, not over {when.tokens_over}"
    elif when.tokens_under is not None and tokens >= when.tokens_under:
        yield f"its input is about {tokens} tokens, not under {when.tokens_under}"


_HAS = {True: "it has {}", False: "it has no {}", None: "nobody can tell whether it has {}"}
_CHECKS: Sequence[Callable[[When, Traits], Iterator[str]]] = (_who, _header, _what, _how_long)
"""The cheaper ones first: what is found out for one is not needed where another fails."""
