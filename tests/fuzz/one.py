"""One target under the fuzzer, in a process of its own: `python -m fuzz.one NAME` and what libFuzzer is to be told."""

import random
import sys

import atheris

with atheris.instrument_imports(include=["isthmus"]):
    from fuzz.judge import timed, weighed
    from fuzz.mutate import mutated
    from fuzz.targets import targets

WEIGHED = 256
"""One input in so many is weighed, which takes longer than to run it."""
LARGE = 32
"""One input in so many may grow to all that is allowed, the others to `USUAL` bytes: small ones run more often."""
USUAL = 8_000


def main() -> None:
    target = targets()[sys.argv.pop(1)]
    counted = 0

    def run(data: bytes) -> None:
        nonlocal counted
        counted += 1
        (timed if counted % WEIGHED else weighed)(target.run, data)

    def change(data: bytes, limit: int, seed: int) -> bytes:
        dice = random.Random(seed)
        most = limit if dice.randrange(LARGE) == 0 else max(len(data), min(limit, USUAL))
        found = mutated(data, target.framing, dice, most) if dice.randrange(3) else None
        return atheris.Mutate(data, most) if found is None else found

    atheris.Setup(sys.argv, run, custom_mutator=change)
    atheris.Fuzz()


main()
