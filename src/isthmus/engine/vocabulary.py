"""The one door to a tokenizer: how many tokens of OpenAI's o200k vocabulary some texts have.

The vocabulary is read when it is first asked for, which takes a quarter of a second, during which nothing else runs,
and some 65 MB of memory, which stay. Counting then takes a thirtieth of a second for ten million characters, beside
whatever else runs. Where the package is not installed, or a text cannot be told to it, characters are divided.
"""

import importlib
import threading
from collections.abc import Callable, Sequence

ENCODING = "o200k_base"
CHARACTERS = 3.5
"""Characters in a token, about."""


class Vocabulary:
    """May be asked from any thread."""

    def __init__(self, package: str = "toktok") -> None:
        self._package = package
        self._lock = threading.Lock()
        self._count: Callable[..., list[int]] | None = None
        self.looked = False

    @property
    def exact(self) -> bool:
        """Is there a vocabulary, as far as anybody has looked?"""
        return self._count is not None

    def count(self, texts: Sequence[str]) -> int:
        """The tokens of all the texts. The first call reads the vocabulary."""
        with self._lock:
            if not self.looked:
                self._count, self.looked = self._read(), True
        if self._count is None:
            return roughly(texts)
        try:
            return sum(self._count(list(texts), ENCODING, threads=1))
        except UnicodeEncodeError:
            return roughly(texts)

    def _read(self) -> Callable[..., list[int]] | None:
        try:
            count: Callable[..., list[int]] = importlib.import_module(self._package).batch_count
        except ImportError:
            return None
        count([""], ENCODING, threads=1)
        return count


def roughly(texts: Sequence[str]) -> int:
    """The same by the number of characters."""
    return int(sum(map(len, texts)) / CHARACTERS)
