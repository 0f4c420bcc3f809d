"""Whatever is done to keys, here and elsewhere, and whenever the store is out of reach: who is let in is as written."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fakes.clock import FakeClock
from fakes.records import FakeRecords
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.admit import identify
from isthmus.engine.keyring import Keyring, digest_of, hint_of
from isthmus.engine.live import Live
from isthmus.engine.records import ClientKey
from isthmus.engine.snapshot import Snapshot

TRUST = 300.0
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["make", "rotate", "switch", "remove", "make there", "remove there", "gone", "back", "look"]),
        st.integers(0, 3),
        st.sampled_from([0.0, 1.0, 40.0, 200.0]),
    ),
    max_size=40,
)


class Told:
    """What a reader of the guide expects. `known` is what was read last; `stale` whether that is too long ago."""

    def __init__(self) -> None:
        self.known: dict[str, ClientKey] = {}
        self.heard: float | None = None
        self.stale = False

    def expects(self, text: str, now: float) -> str | Kind:
        """The name of who is let in with this key, or the kind of the refusal."""
        if self.heard is None:
            return Kind.STORE_GONE
        if not self.known:
            return "anyone"
        for key in self.known.values():
            taken = [(key.digest, None), *key.earlier]
            for digest, until in taken:
                if digest == digest_of(text) and (key.believed or not self.stale):
                    over = key.disabled or (until is not None and until <= now)
                    return Kind.UNAUTHENTICATED if over else key.name
        return Kind.STORE_GONE if self.stale else Kind.UNAUTHENTICATED


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.records = FakeRecords()
        self.live = Live(Snapshot(providers={}))
        self.ring = Keyring(self.live, self.records, self.clock, trust=TRUST)
        self.told = Told()
        self.texts = ["never-given-out"]

    async def step(self, what: str, number: int, seconds: float) -> None:
        self.clock.move(seconds)
        key = self.records.keys.get(f"key_{number}")
        match what:
            case "gone" | "back":
                self.records.gone = what == "gone"
            case "look":
                await self.look()
            case "make" if key is None:
                await self.change(self.fresh(number), here=True)
            case "make there" if key is None and not self.records.gone:
                await self.change(self.fresh(number), here=False)
            case "rotate" if key is not None and key.id in self.told.known:
                text = self.text()
                earlier = (*key.earlier, (key.digest, self.clock.time() + 60))
                await self.change(replace(key, digest=digest_of(text), earlier=earlier), here=True)
            case "switch" if key is not None and key.id in self.told.known:
                await self.change(replace(key, disabled=not key.disabled), here=True)
            case "remove there" if key is not None and not self.records.gone:
                await self.records.drop_client_key(key.id)
            case "remove" if key is not None and not self.records.gone:
                await self.ring.remove(key.id)
                self.told.known.pop(key.id, None)
            case _:
                return

    async def look(self) -> None:
        await self.ring.look()
        now = self.clock.now()
        if not self.records.gone:
            self.told.known, self.told.heard, self.told.stale = dict(self.records.keys), now, False
        elif self.told.heard is not None and now - self.told.heard > TRUST:
            self.told.stale = True

    async def change(self, key: ClientKey, *, here: bool) -> None:
        if not here:
            await self.records.put_client_key(key)
            return
        try:
            await (self.ring.change if key.id in self.told.known else self.ring.add)(key)
        except GatewayError as error:
            if error.kind is not Kind.STORE_GONE:
                raise
            return
        self.told.known[key.id] = key

    def fresh(self, number: int) -> ClientKey:
        text = self.text()
        return ClientKey(
            id=f"key_{number}",
            name=f"name-{number}",
            digest=digest_of(text),
            hint=hint_of(text),
            created_at=0.0,
            believed=number == 0,
        )

    def text(self) -> str:
        self.texts.append(f"text-{len(self.texts)}")
        return self.texts[-1]

    def let_in(self, text: str) -> str | Kind:
        try:
            return identify(text, self.live.take().snapshot, self.clock.time()).name
        except GatewayError as error:
            return error.kind


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_who_is_let_in_is_as_written(steps: list[tuple[str, int, float]]) -> None:
    async def play() -> None:
        world = World()
        for step in steps:
            in_force = world.told.heard is not None and not world.told.stale
            await world.step(*step)
            if not in_force and step[0] != "look":
                continue  # what is changed while others cannot be relied on holds when they are read
            for text in world.texts:
                assert world.let_in(text) == world.told.expects(text, world.clock.time()), (text, step)

    asyncio.run(play())
