"""Stands for the bundled model's process. `python model_process.py MODE`; each mode is a way it may behave."""

import os
import signal
import sys
import time


def ready(port: int = 4242) -> None:
    print("loading...", "{not json", '{"progress": 1}', sep="\n")
    print(f'{{"ready": true, "port": {port}}}', flush=True)


def main(mode: str) -> None:
    if mode == "broken":
        print("cannot load the model", file=sys.stderr)
        sys.exit(3)
    if mode == "silent":
        sys.stdin.read()
        return
    if mode == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode == "chatty":
        print("x" * 5_000_000, file=sys.stderr, flush=True)
    ready(os.getpid())
    if mode == "chatty":
        print("y" * 5_000_000, flush=True)
    if mode == "brief":
        sys.exit(1)
    if mode == "deaf":
        while True:
            time.sleep(60)
    sys.stdin.read()


main(sys.argv[1])
