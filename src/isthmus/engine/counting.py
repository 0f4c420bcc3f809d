"""How many tokens a request has, as far as it can be known here; and how far off that was, model by model.

A count is o200k's, times what the model's family makes of it, times what its providers' own counts have taught.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from isthmus.catalog.tokens import Rate, rate_of
from isthmus.core.chat import ChatRequest
from isthmus.engine.estimate import Measure, measure
from isthmus.engine.vocabulary import Vocabulary, roughly

if TYPE_CHECKING:
    from isthmus.engine.exchange import Exchange

INLINE = 100_000
"""Characters that are counted where they stand; more are counted in a thread, and so is the first text of all."""
QUICK = 20_000
"""Characters that are counted by the vocabulary where a guess would do."""
REMEMBERED = 512
"""Models whose correction is known; the one that was used longest ago is forgotten first."""
LEAST, MOST = 0.5, 2.0
"""Bounds of a correction: a provider that counts otherwise than this counts something else."""
WEIGHT = 0.1
"""What one answer weighs against all before it."""
SHORT = 50
"""Tokens below which an answer teaches nothing: there the frame of a request is most of it."""


def corrected(before: float | None, estimated: int, counted: int) -> float | None:
    """The ratio of what is counted to what is estimated after one answer more; None while nothing was learnt."""
    if estimated < SHORT or counted < SHORT:
        return before
    ratio = min(max(counted / estimated, LEAST), MOST)
    return ratio if before is None else before + WEIGHT * (ratio - before)


class Estimated(NamedTuple):
    """Tokens before any correction. `exact`: a vocabulary has counted the texts, and not their characters."""

    tokens: int
    exact: bool


class Corrections:
    """A running ratio for each model, of what its provider counted to what was estimated."""

    def __init__(self) -> None:
        self._ratios: OrderedDict[str, float] = OrderedDict()

    def learn(self, model: str, estimated: int, counted: int) -> None:
        """A provider has counted `counted` tokens, where `estimated` were expected without any correction."""
        ratio = corrected(self._ratios.get(model), estimated, counted)
        if ratio is None:
            return
        self._ratios[model] = ratio
        self._ratios.move_to_end(model)
        if len(self._ratios) > REMEMBERED:
            self._ratios.popitem(last=False)

    def of(self, model: str) -> float:
        """What to multiply an estimate with."""
        return self._ratios.get(model, 1.0)

    def __len__(self) -> int:
        return len(self._ratios)


class Counting:
    """`model` is the provider's name for it throughout. Counts by a vocabulary and by characters err differently."""

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        self._vocabulary = vocabulary or Vocabulary()
        self._corrections = {True: Corrections(), False: Corrections()}

    async def count(self, request: ChatRequest, model: str) -> int:
        """Tokens of input. Holds the loop only once, while the vocabulary is read."""
        measured, vocabulary = measure(request), self._vocabulary
        if vocabulary.looked and _length(measured) <= INLINE:
            words = vocabulary.count(measured.texts)
        else:
            words = await asyncio.to_thread(vocabulary.count, measured.texts)
        return self.corrected(Estimated(_priced(measured, words, rate_of(model)), vocabulary.exact), model)

    def guess(self, request: ChatRequest, model: str) -> Estimated:
        """At once, for a number that the provider's own will replace: no vocabulary is read for it."""
        measured, vocabulary = measure(request), self._vocabulary
        exact = vocabulary.exact and _length(measured) <= QUICK
        words = vocabulary.count(measured.texts) if exact else roughly(measured.texts)
        return Estimated(_priced(measured, words, rate_of(model)), exact)

    def corrected(self, estimated: Estimated, model: str) -> int:
        """What it comes to by all that was learnt of the model."""
        return max(1, round(estimated.tokens * self._corrections[estimated.exact].of(model)))

    def learn(self, model: str, estimated: Estimated, counted: int) -> None:
        """The provider has told how many tokens of input it counted."""
        self._corrections[estimated.exact].learn(model, estimated.tokens, counted)

    def take(self, exchanges: Sequence["Exchange"]) -> None:
        """These are over: what providers counted is learnt from, where it had been guessed."""
        for exchange in exchanges:
            if exchange.guessed is not None and exchange.usage is not None and exchange.error is None:
                self.learn(exchange.attempts[-1].target.model, exchange.guessed, exchange.usage.input)


def _length(measured: Measure) -> int:
    return sum(map(len, measured.texts))


def _priced(measured: Measure, words: int, rate: Rate) -> int:
    return round(words * rate.factor) + measured.fixed + rate.base + (rate.tools if measured.tooled else 0)
