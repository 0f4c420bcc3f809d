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


def main() -> None:
    target = targets()[sys.argv.pop(1)]
    counted = 0

    def run(data: bytes) -> None:
        nonlocal counted
        counted += 1
        (timed if counted % WEIGHED else weighed)(target.run, data)

    def change(data: bytes, limit: int, seed: int) -> bytes:
        dice = random.Random(seed)
        found = mutated(data, target.framing, dice, limit) if dice.randrange(3) else None
        return atheris.Mutate(data, limit) if found is None else found

    atheris.Setup(sys.argv, run, custom_mutator=change)
    atheris.Fuzz()


main()
