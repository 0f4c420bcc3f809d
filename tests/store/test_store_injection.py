"""No name, text or field that a stranger can choose is ever taken for a part of a statement, on either database."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from fakes.clock import FakeClock
from isthmus.core.errors import GatewayError
from isthmus.engine.bodies import Bodies
from isthmus.engine.records import Allowance, By, ClientKey, Deed, Permits, UsageQuery, UsedQuery
from isthmus.store.address import Address
from isthmus.store.rules import KEEP
from isthmus.store.store import Store, open_store
from support.stores import PATIENT, written
from support.used import LIKE_MOST, TIME

HOSTILE = (
    "' OR '1'='1",
    "'; DROP TABLE used; --",
    '"; DELETE FROM client_keys; --',
    "') UNION SELECT digest FROM client_keys --",
    "\\'; DROP TABLE spent; --",
    "%",
    "_" * 200,
    "*",
    ":name",
    "$1",
    "?",
    "%(name)s",
    "{name}",
    "${HOME}",
    "{{7*7}}",
    "\u02bc OR 1=1",
    "$$;SELECT pg_sleep(30);$$",
    "a' || pg_sleep(30) || '",
)
DAY = 86_400.0
DIMENSIONS = (By.CLIENT, By.TEAM, By.PROVIDER, By.KEY, By.MODEL, By.OPERATION)


@pytest.fixture
async def filled(address: Address, clock: FakeClock) -> AsyncIterator[Store]:
    """Open, with one row, one key and one of everything else."""
    async with open_store(address, clock, KEEP, PATIENT) as store:
        await store.put_client_key(ClientKey(id="k", name="alice", digest=b"d" * 32, hint="isk_…", created_at=TIME))
        store.use([LIKE_MOST])
        await store.note(Deed(at=TIME, who="olga", role="owner", peer="", what="GET /", on="", outcome="done"))
        await store.keep_configuration("olga", "listeners: []")
        await written(store)
        yield store


async def _is_whole(store: Store) -> None:
    assert "alice" in [one.name for one in await store.client_keys()]
    assert LIKE_MOST.id in [one.id for one in await store.used(UsedQuery())]
    assert "olga" in [one.who for one in await store.deeds()]
    first = await store.configuration(1)
    assert first is not None
    assert first.text == "listeners: []"
    assert await store.spent(TIME)


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_is_written_is_read_as_it_was_and_does_nothing(text: str, filled: Store) -> None:
    key = ClientKey(
        id=text,
        name=text,
        digest=b"e" * 32,
        hint=text[:20],
        created_at=TIME,
        owner=text,
        team=text,
        tags=(text,),
        metadata={text: text},
        permits=Permits(models=(text,), providers=(text,), keys=(text,)),
        allowance=Allowance(requests_per_minute=1),
    )
    row = replace(LIKE_MOST, id=text, client=text, team=text, provider=text, key=text, model=text, asked=text)
    deed = Deed(at=TIME + 1, who=text, role=text, peer=text, what=text, on=text, outcome=text, detail=text)
    body = Bodies(id=text, at=TIME, client=text, route=text, request=text, answer=text, request_bytes=1, answer_bytes=1)
    await filled.put_client_key(key)
    filled.use([row])
    await filled.note(deed)
    await filled.keep_bodies([body])
    number = await filled.keep_configuration(text, text, text)
    await written(filled)
    assert key in await filled.client_keys()
    assert row in await filled.used(UsedQuery(only={By.CLIENT: (text,)}))
    assert deed in await filled.deeds()
    assert await filled.bodies(text) == body
    kept = await filled.configuration(number)
    assert kept is not None
    assert (kept.who, kept.text, kept.note) == (text, text, text)
    await filled.drop_client_key(text)
    await _is_whole(filled)


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_is_asked_for_finds_only_what_is_called_so(text: str, filled: Store) -> None:
    """A wildcard is a character like any other."""
    for by in DIMENSIONS:
        assert await filled.used(UsedQuery(only={by: (text,)})) == ()
        assert await filled.usage(UsageQuery(since=0, until=TIME + DAY, by=(by,), only={by: (text, text)})) == ()
    assert await filled.bodies(text) is None
    await filled.drop_client_key(text)
    await _is_whole(filled)


async def test_a_name_that_belongs_to_another_key_is_refused_without_its_statement(filled: Store) -> None:
    with pytest.raises(GatewayError) as refused:
        await filled.put_client_key(
            ClientKey(id="other", name="alice", digest=b"f" * 32, hint="isk_…", created_at=TIME)
        )
    told = str(refused.value)
    assert not [word for word in ("INSERT", "UNIQUE", "client_keys", "sqlalche", "asyncpg") if word in told]


async def test_many_names_at_once_are_asked_for_in_bounded_time(filled: Store) -> None:
    names = tuple(f"name-{number}" for number in range(500))
    assert await filled.used(UsedQuery(only={By.CLIENT: (*names, "alice")})) == (LIKE_MOST,)
