"""Kill -9 at any step: of a new key nothing is lost, and tokens that were said to be kept are kept."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from fakes.clock import FakeClock
from isthmus.accounts.sealing import opened_seal
from isthmus.store.address import address_of
from isthmus.store.rules import KEEP
from isthmus.store.store import open_store
from support.stores import PATIENT

HERE = {"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": os.environ["PATH"]}

ROTATES_UNTIL_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from fakes.clock import FakeClock
from isthmus.accounts import rotation
from isthmus.accounts.archive import everything
from isthmus.accounts.rotation import Patience, rotated
from isthmus.accounts.seal_keys import KeyFile
from isthmus.accounts.sealing import opened_seal
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, Tokens
from isthmus.store import opened
from isthmus.store.address import address_of
from isthmus.store.store import open_store

FOLDER = Path(sys.argv[1])
FILE = FOLDER / "accounts.key"
TOKENS = [Tokens(refresh=Secret(f"refresh-{number}")) for number in range(3)]
rotation.AT_ONCE = 2
seal = opened_seal(None, FILE)

def kill_at(step):
    left = [step]
    def count():
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    def counted(owner, name):
        inner = getattr(owner, name)
        def outer(*args, **kwargs):
            count()
            done = inner(*args, **kwargs)
            count()
            return done
        setattr(owner, name, outer)
    def awaited(owner, name):
        inner = getattr(owner, name)
        async def outer(*args, **kwargs):
            count()
            done = await inner(*args, **kwargs)
            count()
            return done
        setattr(owner, name, outer)
    counted(os, "replace")
    counted(os, "unlink")
    counted(KeyFile, "_write_beside")
    awaited(opened.Opened, "reseal")

async def in_store(work):
    async with open_store(address_of(None, FOLDER), FakeClock()) as store:
        return await work(store)

async def fill(store):
    for number, tokens in enumerate(TOKENS):
        account = Account(id=f"acc_{number}", issuer="codex", name=f"user-{number}", added_at=number)
        await store.add_account(account, seal.close(tokens, account.id))

async def rotate(store):
    await rotated(store, seal, FakeClock(), Patience(pause=0, settle=0))

async def verify(store):
    assert [one.tokens for one in await everything(store, seal)] == TOKENS

async def finish(store):
    await verify(store)
    await rotate(store)
    await verify(store)
    assert len(seal.source.known()) == 1
    assert list(FOLDER.glob(".*")) == []

def apart(work, step=None):
    '''What becomes of it in a process of its own, which is killed at the step.'''
    child = os.fork()
    if child == 0:
        if step is not None:
            kill_at(step)
        asyncio.run(in_store(work))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

assert apart(fill) == 0
step = 0
while (end := apart(rotate, step)) == -signal.SIGKILL:
    assert apart(finish) == 0, step
    step += 1
assert end == 0
assert apart(finish) == 0
print(step)
"""


def test_who_is_killed_at_any_step_of_a_new_key_loses_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ROTATES_UNTIL_KILLED, str(tmp_path)]
    done = subprocess.run(command, env=HERE, capture_output=True, text=True, check=False, timeout=55)
    assert (done.returncode, done.stderr) == (0, "")
    steps_of_a_file, steps_of_accounts = 5, 2
    assert int(done.stdout) == 2 * steps_of_a_file + 2 * steps_of_accounts


REFRESHES_UNTIL_KILLED = """
import asyncio, os, sys
from pathlib import Path
from fakes.clock import FakeClock
from isthmus.accounts.sealing import opened_seal
from isthmus.core.secret import Secret
from isthmus.engine.accounts import Account, Tokens
from isthmus.store.address import address_of
from isthmus.store.store import open_store

async def main():
    folder, parent = Path(sys.argv[1]), os.getppid()
    seal = opened_seal(None, folder / "accounts.key")
    account = Account(id="acc_1", issuer="codex", name="user")
    async with open_store(address_of(None, folder), FakeClock()) as store:
        await store.add_account(account, seal.close(Tokens(refresh=Secret("0")), account.id))
        version = 0
        while os.getppid() == parent:
            version += 1
            tokens = Tokens(refresh=Secret(str(version)))
            assert await store.replace_tokens(account, seal.close(tokens, account.id, version))
            print(version, flush=True)

asyncio.run(main())
"""
"""Without end for whoever kills it, and with one where that is gone and cannot."""


async def test_tokens_that_were_said_to_be_kept_are_there_after_a_kill(tmp_path: Path) -> None:
    command = [sys.executable, "-c", REFRESHES_UNTIL_KILLED, str(tmp_path)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, env=HERE)
    assert process.stdout is not None
    said = b""
    try:
        async with asyncio.timeout(30):
            while int(said or b"0") < 50:
                said = await process.stdout.readline()
    finally:
        process.send_signal(signal.SIGKILL)
        said = (said + await process.stdout.read()).splitlines()[-1]
        await process.wait()
    async with open_store(address_of(None, tmp_path), FakeClock(), KEEP, PATIENT) as store:
        sealed = await store.sealed("acc_1")
    assert sealed is not None
    tokens = opened_seal(None, tmp_path / "accounts.key").open(sealed, "acc_1")
    assert tokens.refresh is not None
    assert int(tokens.refresh.reveal()) == sealed.version
    assert sealed.version - int(said) in (0, 1)
