"""What the clients of a team may ask together, and what all may."""

from isthmus.routing.limits import Limit, Measure
from support.accounts import Accounts, streamed


async def test_the_clients_of_a_team_share_its_limits() -> None:
    limit = Limit("team:sales", Measure.REQUESTS, 2, 60, 12)
    accounts = Accounts(limit, one=[streamed(10, 3) for _ in range(3)])
    statuses = [(await accounts.ask(client))[0] for client in ("alice", "bob", "carol")]
    assert statuses == [200, 200, 200]
    status, body = await accounts.ask("alice")
    assert (status, b"2 requests a minute for team sales" in body) == (429, True)


async def test_who_has_no_team_is_in_none() -> None:
    limit = Limit("team:", Measure.REQUESTS, 0, 60, 12)
    accounts = Accounts(limit, one=[streamed(10, 3)])
    assert (await accounts.ask("carol"))[0] == 200


async def test_a_limit_of_the_whole_gateway_is_everybodys() -> None:
    limit = Limit("global:", Measure.TOKENS, 600, 60, 12)
    accounts = Accounts(limit, one=[streamed(10, 3) for _ in range(2)])
    first, _ = await accounts.begin("alice")
    status, body = await accounts.ask("carol")
    assert first.held
    assert (status, b"600 tokens a minute for the whole gateway" in body) == (429, True)
