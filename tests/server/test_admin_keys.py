"""Client keys over the management API: made, told once, taken at once, changed, rotated, deleted, and listed."""

import hashlib
from typing import Any

import pytest
from msgspec.structs import replace

from fakes.transport import Scripted
from isthmus.engine.clients import clients_of
from isthmus.engine.keyring import Keyring
from isthmus.engine.records import ClientKey
from isthmus.state.limits import LocalLimiter
from isthmus.wire import json
from support.administering import OPERATOR, OWNER, VIEWER, Managed, key, told
from support.asgi import Visit
from support.line import Line, provider

ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
)
ASKED = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
JSON = (b"content-type", b"application/json")
FILED = ClientKey(
    id="file:laptop", name="laptop", digest=hashlib.sha256(b"filed").digest(), hint="", created_at=0.0, team="red"
)


class Keys:
    """A gateway that gives out keys, and its owner. `filed` are keys of its configuration."""

    def __init__(self, *filed: ClientKey) -> None:
        self.managed = Managed(
            OWNER,
            OPERATOR,
            VIEWER,
            line=Line([provider("one")], {"one": [Scripted(ANSWER) for _ in range(9)]}, {"m": ["one/m"]}),
        )
        self.managed.configure(client_keys=filed, clients=dict(pair for one in filed for pair in clients_of(one)))
        self.clock = self.managed.line.clock
        self.ring = Keyring(self.managed.line.live, self.managed.records, self.clock, empty=True)
        self.managed.desk.keys = self.ring

    async def ask(
        self, method: str, path: str, said: Any = None, *, secret: bytes = OWNER, query: bytes = b""
    ) -> Visit:
        body = b"" if said is None else json.encode(said)
        return await self.managed.ask(method, path, key(secret), JSON, body=body, query=query)

    async def make(self, name: str = "alice", **said: Any) -> Any:
        """What the answer tells of a new key."""
        visit = await self.ask("POST", "/admin/keys", {"name": name, **said})
        assert visit.status == 201, visit.body
        return told(visit)

    async def chat(self, text: str | None) -> int:
        """The status of a request with this client key."""
        headers = () if text is None else ((b"authorization", f"Bearer {text}".encode()),)
        return (await self.managed.ask("POST", "/v1/chat/completions", *headers, body=ASKED)).status

    async def names(self, query: bytes = b"") -> list[str]:
        return [one["name"] for one in told(await self.ask("GET", "/admin/keys", query=query))["keys"]]


async def test_a_new_key_is_told_once_and_taken_at_once() -> None:
    keys = Keys()
    made = await keys.make(owner="Alice", team="red", tags=["prod"], metadata={"cost": "42"})
    assert made["key"].startswith("isk_")
    assert len(made["key"]) == 47
    assert await keys.chat(made["key"]) == 200
    assert await keys.chat(None) == 401
    details = made["details"]
    assert details["hint"] == f"{made['key'][:8]}...{made['key'][-4:]}"
    assert (details["source"], details["state"], details["owner"]) == ("store", "active", "Alice")
    for path in ("/admin/keys", f"/admin/keys/{details['id']}"):
        assert made["key"].encode() not in (await keys.ask("GET", path)).body


async def test_the_store_holds_no_key_but_its_digest() -> None:
    keys = Keys()
    text = (await keys.make())["key"]
    (kept,) = keys.managed.records.keys.values()
    assert kept.digest == hashlib.sha256(text.encode()).digest()
    assert text not in repr(kept)
    assert text not in repr(keys.managed.records.noted)


async def test_a_key_is_found_by_its_id_and_by_its_name() -> None:
    keys = Keys()
    details = (await keys.make())["details"]
    assert told(await keys.ask("GET", f"/admin/keys/{details['id']}")) == details
    assert told(await keys.ask("GET", "/admin/keys/alice")) == details
    assert (await keys.ask("GET", "/admin/keys/bob")).status == 404


async def test_keys_are_listed_by_name_and_chosen_by_team_owner_and_tag() -> None:
    keys = Keys()
    await keys.make("zoe", team="red", owner="Z", tags=["a", "b"])
    await keys.make("bob", team="blue", tags=["b"])
    await keys.make("amy", team="red")
    assert await keys.names() == ["amy", "bob", "zoe"]
    assert await keys.names(b"team=red") == ["amy", "zoe"]
    assert await keys.names(b"owner=Z") == ["zoe"]
    assert await keys.names(b"tag=b") == ["bob", "zoe"]
    assert await keys.names(b"team=red&tag=b") == ["zoe"]


async def test_a_long_list_comes_in_pieces() -> None:
    keys = Keys()
    for name in ("amy", "bob", "zoe"):
        await keys.make(name)
    first = told(await keys.ask("GET", "/admin/keys", query=b"limit=2"))
    assert ([one["name"] for one in first["keys"]], first["more"]) == (["amy", "bob"], True)
    assert await keys.names(b"limit=2&after=bob") == ["zoe"]


async def test_what_a_key_allows_is_told_as_it_was_said() -> None:
    keys = Keys()
    permits = {"models": ["gpt-*"], "providers": ["one"], "keys": ["one/key"], "operations": ["chat"]}
    limits = {"requests_per_minute": 5, "concurrency": 2, "budgets": {"day": 1.25, "all": "100"}}
    details = (await keys.make(permits=permits, limits=limits, on_loss="refuse", believed=True))["details"]
    assert details["permits"] == permits
    assert details["limits"]["requests_per_minute"] == 5
    assert {period: float(sum_) for period, sum_ in details["limits"]["budgets"].items()} == {"day": 1.25, "all": 100.0}
    assert (details["on_loss"], details["believed"]) == ("refuse", True)
    (kept,) = keys.managed.records.keys.values()
    assert kept.allowance.budgets == {"day": 1_250_000, "all": 100_000_000}


async def test_a_key_is_held_to_what_it_may_use() -> None:
    keys = Keys()
    text = (await keys.make(permits={"models": ["other-*"]}))["key"]
    assert await keys.chat(text) == 403


async def test_a_key_is_held_to_its_limits() -> None:
    keys = Keys()
    keys.managed.line.ports.limiter = LocalLimiter(keys.clock.time)
    text = (await keys.make(limits={"requests_per_minute": 2}))["key"]
    other = (await keys.make("bob"))["key"]
    assert [await keys.chat(text) for _ in range(3)] == [200, 200, 429]
    assert await keys.chat(other) == 200
    await keys.ask("PATCH", "/admin/keys/alice", {"limits": {"requests_per_minute": 9}})
    assert await keys.chat(text) == 200


async def test_a_client_sees_only_the_models_that_it_may_use() -> None:
    keys = Keys()
    some = (await keys.make("some", permits={"models": ["other-*"]}))["key"]
    everything = (await keys.make("everything"))["key"]

    async def models(text: str, path: str = "/v1/models") -> Visit:
        return await keys.managed.ask("GET", path, (b"authorization", f"Bearer {text}".encode()))

    assert [one["id"] for one in told(await models(everything))["data"]] == ["m"]
    assert told(await models(some))["data"] == []
    assert (await models(everything, "/v1/models/m")).status == 200
    assert (await models(some, "/v1/models/m")).status == 403


async def test_a_disabled_key_is_refused_until_it_is_enabled() -> None:
    keys = Keys()
    text = (await keys.make())["key"]
    assert told(await keys.ask("PATCH", "/admin/keys/alice", {"disabled": True}))["state"] == "disabled"
    assert await keys.chat(text) == 401
    await keys.ask("PATCH", "/admin/keys/alice", {"disabled": False})
    assert await keys.chat(text) == 200


async def test_a_key_ends_at_its_time() -> None:
    keys = Keys()
    text = (await keys.make(expires_at="2023-11-14T22:14:00Z"))["key"]
    assert await keys.chat(text) == 200
    keys.clock.move(60)
    assert await keys.chat(text) == 401
    assert told(await keys.ask("GET", "/admin/keys/alice"))["state"] == "expired"
    await keys.ask("PATCH", "/admin/keys/alice", {"expires_at": None})
    assert await keys.chat(text) == 200


async def test_a_rotated_key_is_replaced_at_once() -> None:
    keys = Keys()
    before = (await keys.make())["key"]
    after = told(await keys.ask("POST", "/admin/keys/alice/rotate", {}))["key"]
    assert (await keys.chat(before), await keys.chat(after)) == (401, 200)


async def test_a_rotated_key_is_taken_for_the_overlap() -> None:
    keys = Keys()
    before = (await keys.make())["key"]
    given = told(await keys.ask("POST", "/admin/keys/alice/rotate", {"overlap_seconds": 60}))
    assert given["details"]["earlier_until"] == ["2023-11-14T22:14:20Z"]
    assert (await keys.chat(before), await keys.chat(given["key"])) == (200, 200)
    keys.clock.move(60)
    assert (await keys.chat(before), await keys.chat(given["key"])) == (401, 200)
    assert told(await keys.ask("GET", "/admin/keys/alice"))["earlier_until"] == []


async def test_only_so_many_earlier_keys_are_taken() -> None:
    keys = Keys()
    first = (await keys.make())["key"]
    for _ in range(9):
        await keys.ask("POST", "/admin/keys/alice/rotate", {"overlap_seconds": 60})
    (kept,) = keys.managed.records.keys.values()
    assert len(kept.earlier) == 8
    assert await keys.chat(first) == 401


async def test_a_deleted_key_is_gone_and_its_name_is_free() -> None:
    keys = Keys()
    made = await keys.make()
    assert told(await keys.ask("DELETE", "/admin/keys/alice")) == {"deleted": made["details"]["id"]}
    await keys.make()
    assert await keys.chat(made["key"]) == 401


async def test_a_change_leaves_what_it_does_not_say() -> None:
    keys = Keys()
    made = await keys.make(owner="Alice", team="red", limits={"concurrency": 2}, permits={"models": ["m"]})
    after = told(await keys.ask("PATCH", "/admin/keys/alice", {"owner": "Bob"}))
    assert after == {**made["details"], "owner": "Bob"}
    after = told(await keys.ask("PATCH", "/admin/keys/alice", {"limits": {}, "permits": {}}))
    assert (after["limits"]["concurrency"], after["permits"]["models"]) == (None, [])


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "two words"}, "name"),
        ({"name": "a\n"}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"name": "a", "role": "owner"}, "role"),
        ({"name": "a", "digest": "x"}, "digest"),
        ({"name": "a", "team": "red team"}, "team"),
        ({"name": "a", "tags": ["x"] * 33}, "tags"),
        ({"name": "a", "metadata": {"k": "v" * 513}}, "metadata[...]"),
        ({"name": "a", "metadata": {str(number): "" for number in range(17)}}, "metadata"),
        ({"name": "a", "expires_at": "soon"}, "expires_at"),
        ({"name": "a", "expires_at": "2001-01-01"}, "expires_at"),
        ({"name": "a", "limits": {"concurrency": 0}}, "limits.concurrency"),
        ({"name": "a", "limits": {"budgets": {"day": 0}}}, "limits.budgets.day"),
        ({"name": "a", "limits": {"budgets": {"day": "NaN"}}}, "limits.budgets.day"),
        ({"name": "a", "limits": {"budgets": {"day": 1_000_001}}}, "limits.budgets.day"),
        ({"name": "a", "permits": {"operations": ["dance"]}}, "permits.operations[0]"),
        ({"name": "a", "permits": {"models": ["m"] * 257}}, "permits.models"),
    ],
)
async def test_what_is_wrong_with_a_new_key_is_told_by_its_field(said: Any, field: str) -> None:
    keys = Keys()
    visit = await keys.ask("POST", "/admin/keys", said)
    assert (visit.status, told(visit)["error"]["param"]) == (400, field)
    assert not keys.managed.records.keys


@pytest.mark.parametrize("field", ["id", "name", "digest", "hint", "created_at", "earlier", "source"])
async def test_a_change_takes_only_what_may_be_changed(field: str) -> None:
    keys = Keys()
    await keys.make()
    before = dict(keys.managed.records.keys)
    assert (await keys.ask("PATCH", "/admin/keys/alice", {field: "x"})).status == 400
    assert keys.managed.records.keys == before


async def test_no_two_keys_have_one_name() -> None:
    keys = Keys(FILED)
    await keys.make()
    for name in ("alice", "laptop"):
        visit = await keys.ask("POST", "/admin/keys", {"name": name})
        assert (visit.status, told(visit)["error"]["param"]) == (400, "name")


async def test_a_key_of_the_file_is_listed_and_changed_only_there() -> None:
    keys = Keys(FILED)
    (one,) = told(await keys.ask("GET", "/admin/keys"))["keys"]
    assert (one["name"], one["source"], one["hint"], one["team"], one["created_at"]) == (
        "laptop",
        "file",
        "",
        "red",
        None,
    )
    for method, path in (
        ("PATCH", "/admin/keys/laptop"),
        ("DELETE", "/admin/keys/file:laptop"),
        ("POST", "/admin/keys/laptop/rotate"),
    ):
        assert (await keys.ask(method, path, {})).status == 403
    assert await keys.chat("filed") == 200


@pytest.mark.parametrize("secret", [VIEWER, OPERATOR])
async def test_who_is_no_owner_only_looks(secret: bytes) -> None:
    keys = Keys()
    await keys.make()
    assert (await keys.ask("GET", "/admin/keys", secret=secret)).status == 200
    assert (await keys.ask("POST", "/admin/keys", {"name": "bob"}, secret=secret)).status == 403
    for method, path in (("PATCH", "alice"), ("DELETE", "alice"), ("POST", "alice/rotate")):
        assert (await keys.ask(method, f"/admin/keys/{path}", {}, secret=secret)).status == 403
    assert [kept.name for kept in keys.managed.records.keys.values()] == ["alice"]


async def test_a_client_key_manages_nothing() -> None:
    keys = Keys()
    text = (await keys.make())["key"].encode()
    for header in ((b"x-management-key", text), (b"authorization", b"Bearer " + text)):
        visit = await keys.managed.ask("POST", "/admin/keys", header, JSON, body=b'{"name":"mine"}')
        assert visit.status in (401, 403)


async def test_what_was_done_to_keys_is_noted_and_no_key_with_it() -> None:
    keys = Keys()
    text = (await keys.make())["key"]
    await keys.ask("POST", "/admin/keys/alice/rotate", {})
    await keys.ask("DELETE", "/admin/keys/alice")
    noted = [(deed.who, deed.what, deed.on, deed.outcome) for deed in keys.managed.records.noted]
    assert noted == [
        ("olga", "POST /admin/keys", "alice", "done"),
        ("olga", "POST /admin/keys/{id}/rotate", "alice", "done"),
        ("olga", "DELETE /admin/keys/{id}", "alice", "done"),
    ]
    assert text not in repr(keys.managed.records.noted)


async def test_a_store_that_is_gone_is_said_to_be() -> None:
    keys = Keys()
    keys.managed.records.gone = True
    for method, path, said in (("GET", "/admin/keys", None), ("POST", "/admin/keys", {"name": "a"})):
        visit = await keys.ask(method, path, said)
        assert (visit.status, told(visit)["error"]["code"]) == (503, "store_gone")


async def test_without_a_store_keys_of_the_file_are_listed_and_none_is_made() -> None:
    keys = Keys(FILED)
    keys.managed.desk.keys = None
    assert await keys.names() == ["laptop"]
    assert (await keys.ask("POST", "/admin/keys", {"name": "a"})).status == 501


async def test_a_key_that_another_instance_made_is_listed() -> None:
    keys = Keys()
    await keys.managed.records.put_client_key(replace(FILED, id="key_1", name="theirs"))
    assert await keys.names() == ["theirs"]


async def test_a_key_that_another_instance_made_just_now_is_taken_at_once() -> None:
    keys = Keys(FILED)
    text = "isk_made-elsewhere"
    theirs = ClientKey(
        id="key_1", name="theirs", digest=hashlib.sha256(text.encode()).digest(), hint="", created_at=0.0
    )
    await keys.managed.records.put_client_key(theirs)
    assert await keys.chat(text) == 200
    keys.clock.move(1)
    other = replace(theirs, id="key_2", name="others", digest=hashlib.sha256(b"isk_other").digest())
    await keys.managed.records.put_client_key(other)
    visit = await keys.managed.ask("GET", "/v1/models", (b"x-api-key", b"isk_other"))
    assert (visit.status, [one["id"] for one in told(visit)["data"]]) == (200, ["m"])
    assert await keys.chat("isk_wrong") == 401


async def test_an_answer_with_a_key_is_kept_by_nobody() -> None:
    keys = Keys()
    visit = await keys.ask("POST", "/admin/keys", {"name": "alice"})
    assert dict(visit.headers)[b"cache-control"] == b"no-store"
