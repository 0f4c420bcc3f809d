"""Who offers which model, under which of its many names.

One model has several names: that of its maker, those of other hosts, with and without a day or a vendor in front.
An offer is found by the very name first, and by what all spellings have in common after it. Knows providers as
plain strings; how a name is taken apart is passed in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from isthmus.core.value import Value
from isthmus.routing.naming import any_matches, closest, matches
from isthmus.routing.plan import Target

Parts: TypeAlias = tuple[str, str, str, str]
"""A name's stem, its variant, the day it is dated by and its region; "" for each that it does not say."""
TakeApart: TypeAlias = Callable[[str], Parts]
NO_DAY = 99_999_999
"""In place of the day of a name that has none: it means the latest."""


def plainly(name: str) -> Parts:
    """A name of which nothing is known: its last part is all that it says."""
    return name.lower().rpartition("/")[2], "", "", ""


class Offer(Value, frozen=True):
    """What one provider serves: `names` are exact, `patterns` may hold `*`.

    `aliases` are further names of its models, here alone. What one of `excluded` means, it does not serve. `stand_ins`
    are models of its that are asked for names, which may hold `*`, that nobody offers.
    """

    provider: str
    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    aliases: Mapping[str, str] = {}
    excluded: tuple[str, ...] = ()
    stand_ins: Mapping[str, str] = {}

    def allows(self, model: str) -> bool:
        return not (self.excluded and any_matches(model, self.excluded))

    def matches(self, model: str) -> bool:
        """Do its wildcards mean this model?"""
        return any(matches(model, pattern) for pattern in self.patterns) and self.allows(model)

    def stand_in(self, name: str) -> str | None:
        """The model that is asked in place of one that nobody offers by this name. None where there is none."""
        said = closest(name, self.stand_ins) if self.stand_ins else None
        model = None if said is None else self.stand_ins[said]
        return model if model is not None and self.allows(model) else None

    def served(self) -> Iterator[tuple[str, str]]:
        """Every exact name with the model that it means, each name once."""
        names = {name: name for name in self.names if self.allows(name)}
        further = {alias: model for alias, model in self.aliases.items() if self.allows(model)}
        yield from {**names, **further}.items()


class Closeness(IntEnum):
    """How near an offered name is to the one that was asked for. UNDATED: it does not say the day that was."""

    EXACT = 0
    FOLDED = 1
    LAST_PART = 2
    ALIKE = 3
    UNDATED = 4


class Holder(NamedTuple):
    """One provider's offer that a name means, under the `name` that it is offered by.

    `day` is a number that is larger the later the offered name is dated, and largest where it is not. `others` are
    names there that are just as near, and not taken.
    """

    closeness: Closeness
    name: str
    target: Target
    day: int
    others: tuple[str, ...] = ()


class Offers:
    """All offers of one configuration, found by name. `order` is that of the configuration."""

    def __init__(self, offers: Sequence[Offer], take_apart: TakeApart = plainly) -> None:
        self.by_provider: Mapping[str, Offer] = {offer.provider: offer for offer in offers}
        self._take_apart = take_apart
        self._exact: dict[str, list[Target]] = {}
        self._alike: dict[tuple[str, str], list[tuple[str, Target]]] | None = None
        for offer in offers:
            for name, model in offer.served():
                self._exact.setdefault(name, []).append(Target(offer.provider, model))

    def __contains__(self, name: str) -> bool:
        """Does somebody offer this very name?"""
        return name in self._exact

    def names(self) -> Iterator[tuple[str, str]]:
        """Every exact name, once, with the first who offers it."""
        for name, targets in self._exact.items():
            yield name, targets[0].provider

    def holders(self, name: str, provider: str | None = None) -> list[Holder]:
        """Who offers the model that `name` means: each provider's nearest name, in the providers' order.

        With a `provider`, that one alone.
        """
        found: dict[str, list[Holder]] = {}
        for written, target in self._candidates(name):
            if provider in (None, target.provider):
                edition = self._take_apart(written)[2]
                day = int(edition) if edition.isdecimal() else NO_DAY
                undated = not edition and self._take_apart(name)[2] != ""
                near = Closeness.UNDATED if undated else _closeness(name, written)
                holder = Holder(near, written, target, day)
                found.setdefault(target.provider, []).append(holder)
        return [_nearest(found[one]) for one in self.by_provider if one in found]

    def _candidates(self, name: str) -> list[tuple[str, Target]]:
        stem, variant, edition, region = self._take_apart(name)
        found = [(name, target) for target in self._exact.get(name, ())]
        for written, target in self._by_stem().get((stem, variant), ()):
            _, _, its_edition, its_region = self._take_apart(written)
            same_day = not edition or its_edition in ("", edition)
            if written != name and same_day and region in ("", its_region):
                found.append((written, target))
        return found

    def _by_stem(self) -> Mapping[tuple[str, str], list[tuple[str, Target]]]:
        if self._alike is None:
            self._alike = {}
            for written, targets in self._exact.items():
                stem, variant, _, _ = self._take_apart(written)
                self._alike.setdefault((stem, variant), []).extend((written, target) for target in targets)
        return self._alike


def _closeness(asked: str, written: str) -> Closeness:
    if asked == written:
        return Closeness.EXACT
    asked, written = asked.lower(), written.lower()
    if asked == written:
        return Closeness.FOLDED
    same = asked.rpartition("/")[2] == written.rpartition("/")[2]
    return Closeness.LAST_PART if same and not ("/" in asked and "/" in written) else Closeness.ALIKE


def _nearest(holders: Sequence[Holder]) -> Holder:
    """The nearest of one provider's names, of several days the latest, of equals the first."""
    nearest = min(holders, key=lambda one: (one.closeness, -one.day))
    equals = tuple(one for one in holders if one.closeness is nearest.closeness and one.target != nearest.target)
    return nearest._replace(others=tuple(one.name for one in equals))
