"""What our own management API tells of providers, models, limits, the log, and what administrators did."""

import logging
from collections.abc import Iterator

import pytest

from fakes.clock import FakeClock
from fakes.transport import Scripted
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.key_count import KeyCount
from isthmus.engine.records import Deed
from isthmus.routing.limits import Claim, Limit, Measure
from isthmus.routing.places import Credential
from isthmus.state.limits import LocalLimiter
from isthmus.telemetry.key_counts import KeyCounts
from isthmus.telemetry.ring import Ring
from support.administering import Managed, told
from support.line import KEY, Line, provider

ASKED = b'{"model":"two/m","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}'
)
LIMITED = GatewayError(Kind.UPSTREAM_LIMITED, "slow down", retry_after=30)


def managed(*scripts: Scripted | GatewayError) -> Managed:
    line = Line(
        [provider("one"), provider("two")], {"two": scripts or [Scripted(ANSWER)]}, {"smart": ["two/m", "one/n"]}
    )
    return Managed(line=line)


async def asked(made: Managed) -> None:
    await made.ask("POST", "/v1/chat/completions", (b"content-type", b"application/json"), body=ASKED)


async def test_providers_are_told_with_the_names_of_their_keys_and_never_the_keys() -> None:
    made = managed()
    keys = {"two": (Credential("first", ("m",)), Credential("second"))}
    snapshot = made.line.live.take().snapshot
    two = snapshot.providers["two"]
    made.configure(credentials=keys, keys={"two": {"first": two, "second": two}})
    visit = await made.ask("GET", "/admin/providers")
    one, two_told = told(visit)["providers"]
    assert (one["name"], one["host"], [key["name"] for key in one["keys"]]) == ("one", "one.example.com", ["key"])
    assert [(key["name"], key["models"]) for key in two_told["keys"]] == [("first", ["m"]), ("second", [])]
    assert KEY.encode() not in visit.body


async def test_a_provider_is_told_with_what_was_measured_there() -> None:
    made = managed()
    await asked(made)
    [key] = told(await made.ask("GET", "/admin/providers/two"))["keys"]
    [model] = key["asked"]
    assert (model["model"], model["measured"]["running"], model["measured"]["errors"]) == ("m", 0, 0)
    assert model["measured"]["whole_answer"] is not None


async def test_a_provider_that_is_not_configured_is_not_found() -> None:
    visit = await managed().ask("GET", "/admin/providers/nobody")
    assert (visit.status, told(visit)["error"]["code"]) == (404, "unknown_path")


async def test_a_key_is_told_with_its_rests() -> None:
    made = managed(LIMITED, LIMITED, LIMITED)
    await asked(made)
    [key] = told(await made.ask("GET", "/admin/providers/two"))["keys"]
    assert [(rest["model"], rest["kind"]) for rest in key["rests"]] == [("m", "upstream_limited")]
    assert not key["resting"], "only one of its models rests"


async def test_a_key_is_told_with_what_it_was_asked_since_the_start() -> None:
    made = managed()
    made.desk.key_counts = lambda: {("two", "key"): KeyCount(5, 1, 70, 20)}
    [key] = told(await made.ask("GET", "/admin/providers/two"))["keys"]
    assert key["since_start"] == {"requests": 5, "failed": 1, "input_tokens": 70, "output_tokens": 20}


async def test_every_request_to_a_provider_is_counted_under_its_key() -> None:
    made, counts = managed(Scripted(ANSWER), LIMITED), KeyCounts()
    for _ in range(2):
        await made.line.ask(ASKED)
        assert made.line.exchange is not None
        counts.count([made.line.exchange])
    assert counts.told() == {("two", "key"): KeyCount(2, 1, 7, 2)}


async def test_models_are_told_with_where_their_names_lead() -> None:
    models = told(await managed().ask("GET", "/admin/models"))["models"]
    assert [(one["id"], one["owner"], one["route"], one["targets"]) for one in models] == [
        ("smart", "isthmus", "smart", ["two/m", "one/n"])
    ]


async def test_a_name_that_no_list_holds_is_explained_too() -> None:
    made = managed()
    assert told(await made.ask("GET", "/admin/models/two/vendor/m"))["targets"] == ["two/vendor/m"]


async def test_limits_are_told_with_their_share() -> None:
    made, clock = managed(), FakeClock()
    limit = Limit("client:alice", Measure.REQUESTS, 10, 60, 60)
    made.line.ports.limiter = limiter = LocalLimiter(clock.time)
    made.configure(allowances={"client:alice": (limit,), "route:smart": (Limit("route:smart", Measure.RUNNING, 3),)})
    await limiter.claim([Claim(limit, 4)])
    first, second = told(await made.ask("GET", "/admin/limits"))["limits"]
    assert (first["scope"], first["most"], first["seconds"], first["share"]) == ("client:alice", 10, 60, 0.4)
    assert (second["measure"], second["seconds"], second["share"]) == ("running", None, 0.0)
    only = told(await made.ask("GET", "/admin/limits", query=b"scope=route:"))
    assert [one["scope"] for one in only["limits"]] == ["route:smart"]


async def test_a_long_list_is_told_in_pieces() -> None:
    made = managed()
    made.configure(allowances={f"client:{n}": (Limit(f"client:{n}", Measure.RUNNING, 1),) for n in range(5)})
    first = told(await made.ask("GET", "/admin/limits", query=b"limit=2"))
    assert ([one["scope"] for one in first["limits"]], first["more"]) == (["client:0", "client:1"], True)
    last = told(await made.ask("GET", "/admin/limits", query=b"limit=9&after=client:3"))
    assert ([one["scope"] for one in last["limits"]], last["more"]) == (["client:4"], False)


@pytest.mark.parametrize("limit", [b"0", b"-1", b"x", b"1001", "²".encode()])
async def test_a_piece_has_its_bounds(limit: bytes) -> None:
    visit = await managed().ask("GET", "/admin/limits", query=b"limit=" + limit)
    assert (visit.status, told(visit)["error"]["param"]) == (400, "limit")


async def test_the_status_tells_since_when_and_what_is_in_force() -> None:
    made = managed()
    made.line.clock.move(90)
    status = told(await made.ask("GET", "/admin/status"))
    assert (status["seconds"], status["configuration"], status["source"], status["store"]) == (
        90,
        2,
        "defaults",
        "in memory",
    )
    assert (status["role"], status["since"]) == ("owner", "2023-11-14T22:13:20Z")


@pytest.fixture
def logging_managed() -> Iterator[Managed]:
    made = managed()
    made.desk.logs = ring = Ring()
    logger = logging.getLogger("isthmus")
    before = logger.level
    ring.level = "info"
    yield made
    logger.setLevel(before)


async def test_how_much_the_log_tells_can_be_changed(logging_managed: Managed) -> None:
    made = logging_managed
    before = told(await made.ask("GET", "/admin/debug"))["level"]
    changed = await made.ask("PUT", "/admin/debug", (b"content-type", b"application/json"), body=b'{"level":"debug"}')
    assert (before, changed.status, told(changed)) == ("info", 200, {"level": "debug"})


@pytest.mark.parametrize("body", [b'{"level":"loud"}', b'{"level":1}', b"{}", b""])
async def test_a_level_that_there_is_not_changes_nothing(logging_managed: Managed, body: bytes) -> None:
    made = logging_managed
    visit = await made.ask("PUT", "/admin/debug", (b"content-type", b"application/json"), body=body)
    assert (visit.status, told(await made.ask("GET", "/admin/debug"))["level"]) == (400, "info")


async def test_without_a_log_that_is_kept_there_is_no_level() -> None:
    assert (await managed().ask("GET", "/admin/debug")).status == 501


async def test_deeds_are_told_the_latest_first_and_in_pieces() -> None:
    made = managed()
    made.records.noted = [
        Deed(at=100.0 + n, who="olga", role="owner", peer="127.0.0.1", what="PUT /x", on=str(n), outcome="done")
        for n in range(3)
    ]
    first = told(await made.ask("GET", "/admin/audit", query=b"limit=2"))
    assert ([deed["on"] for deed in first["deeds"]], first["more"]) == (["2", "1"], True)
    rest = told(await made.ask("GET", "/admin/audit", query=b"before=%r" % first["deeds"][-1]["time"]))
    assert ([deed["on"] for deed in rest["deeds"]], rest["more"]) == (["0"], False)


async def test_deeds_are_asked_for_before_a_time_and_before_nothing_else() -> None:
    assert (await managed().ask("GET", "/admin/audit", query=b"before=24h")).status == 200
    assert (await managed().ask("GET", "/admin/audit", query=b"before=nan")).status == 400


async def test_without_a_store_no_deed_is_kept() -> None:
    made = managed()
    made.desk.records = None
    assert (await made.ask("GET", "/admin/audit")).status == 501


async def test_a_store_that_is_gone_is_said_to_be() -> None:
    made = managed()
    made.records.gone = True
    assert (await made.ask("GET", "/admin/audit")).status == 503


async def test_a_head_is_asked_as_a_get() -> None:
    assert (await managed().ask("HEAD", "/admin/status/")).status == 200
