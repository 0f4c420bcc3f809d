"""`python -m bench.chunk_cost`: what the functions on the data path cost, as multiples of a fixed loop in the same run.

A multiple holds on a slow or a busy machine, where microseconds do not. Exit code 1 when
a step costs more than twice its ceiling in budget.toml.
"""

import re
import sys
import time
import tomllib
from collections.abc import Callable, Mapping

from bench.answers import answers
from bench.bodies import Dialect, Size, request
from bench.report import BUDGET
from isthmus.core.losses import Losses
from isthmus.core.profile import ModelProfile
from isthmus.dialects.anthropic.messages import CODEC as ANTHROPIC
from isthmus.dialects.codec import Codec, ReplyHead
from isthmus.dialects.openai.chat import CODEC as OPENAI
from isthmus.wire import json
from isthmus.wire.frames import Frame
from isthmus.wire.sse import SseSplitter

ROUNDS, BATCH_SECONDS = 7, 0.01
EXCUSE = 2.0
"""How far above its ceiling a step may be before this fails: caches and clocks differ."""
_CODECS: Mapping[Dialect, Codec] = {Dialect.OPENAI: OPENAI, Dialect.ANTHROPIC: ANTHROPIC}
_CHUNK = re.compile(rb"[0-9a-f]+\r\n(.*?)\r\n", re.DOTALL)
_PROFILE = ModelProfile()
Step = Callable[[], object]


def main() -> int:
    ceilings: Mapping[str, float] = tomllib.loads(BUDGET.read_text())["chunk_cost"]
    multiples, loop = _multiples(steps())
    print(f"one loop: {loop * 1e6:.2f} us\n{'step':34}{'us':>9}{'loops':>9}{'ceiling':>9}")
    for name, found in multiples.items():
        over = "" if found <= ceilings[name] else f"  over, by {(found / ceilings[name] - 1) * 100:.0f} %"
        print(f"{name:34}{found * loop * 1e6:9.2f}{found:9.2f}{ceilings[name]:9g}{over}")
    return 1 if any(found > ceilings[name] * EXCUSE for name, found in multiples.items()) else 0


def fixed_loop() -> None:
    """The measure: some of what an interpreter does all day. Never change it, or every ceiling changes."""
    table: dict[int, tuple[int, bytes]] = {}
    for number in range(10):
        table[number] = (number, b"piece")
    sum(len(text) for _, text in table.values())


def steps() -> Mapping[str, Step]:
    """Every step by its name in the budget."""
    found: dict[str, Step] = {}
    for dialect, codec in _CODECS.items():
        found |= {f"{name}_{dialect}": step for name, step in _stream_steps(dialect, codec).items()}
        found |= {f"{name}_{dialect}": step for name, step in _body_steps(dialect, codec).items()}
    body = request(Dialect.OPENAI, Size.MIDDLE, "mock", stream=False)
    head, tail = body[:60_000], body[-26_000:]
    long = head[: head.rindex(b'{"role"')] + tail[tail.index(b'{"role"') :]
    found["splice_86kb"] = lambda: json.splice(long, {"model": json.raw("other")})
    return found


def _stream_steps(dialect: Dialect, codec: Codec) -> Mapping[str, Step]:
    """One piece of text, the most frequent thing of all: read, written, and watched as it passes."""
    said = answers(1)[dialect]
    opening = b"".join(_CHUNK.findall(said.opening.partition(b"\r\n\r\n")[2]))
    piece = b"".join(_CHUNK.findall(said.piece))
    split, reader = SseSplitter(), codec.stream_reader()
    events = [event for frame in split.feed(opening) for event in reader.read(frame)]
    frame: Frame = split.feed(piece)[0]
    writer = codec.stream_writer(ReplyHead(model="mock", created=0), Losses())
    for event in [*events, *reader.read(frame)]:
        writer.write(event)
    delta = reader.read(frame)[-1]
    tap = codec.tap(False)
    tap.feed(opening)
    return {
        "split": lambda: split.feed(piece),
        "read_delta": lambda: reader.read(frame),
        "write_delta": lambda: writer.write(delta),
        "tap": lambda: tap.feed(piece),
    }


def _body_steps(dialect: Dialect, codec: Codec) -> Mapping[str, Step]:
    """A whole request of 1.5 KB and its answer."""
    body = request(dialect, Size.SMALL, "mock", stream=False)
    reply = answers(1)[dialect].whole.partition(b"\r\n\r\n")[2]
    asked, answered = codec.read_request(body), codec.read_reply(reply)
    return {
        "peek": lambda: codec.peek(body),
        "read_request": lambda: codec.read_request(body),
        "write_request": lambda: codec.write_request(asked, _PROFILE, Losses()),
        "tap_reply": lambda: codec.tap_reply(reply),
        "read_reply": lambda: codec.read_reply(reply),
        "write_reply": lambda: codec.write_reply(answered, Losses()),
    }


def _multiples(steps: Mapping[str, Step]) -> tuple[Mapping[str, float], float]:
    """Each step in loops, and one loop in seconds. The best of several rounds, in which all take turns."""
    best = dict.fromkeys(steps, float("inf"))
    loop = float("inf")
    for _ in range(ROUNDS):
        loop = min(loop, _seconds(fixed_loop))
        for name, step in steps.items():
            best[name] = min(best[name], _seconds(step))
    return {name: seconds / loop for name, seconds in best.items()}, loop


def _seconds(step: Step) -> float:
    """Of one call, in a batch long enough for the clock."""
    count = 1
    while True:
        began = time.thread_time()
        for _ in range(count):
            step()
        spent = time.thread_time() - began
        if spent >= BATCH_SECONDS:
            return spent / count
        count = max(count * 2, int(count * BATCH_SECONDS / max(spent, 1e-6)) + 1)


if __name__ == "__main__":
    sys.exit(main())
