"""Names become addresses, and the first address that answers is taken."""

import asyncio
import socket
from contextlib import closing

import pytest
from hostile import LEAN, QUICK, Server, Wire, answering, serve

from isthmus.core.errors import GatewayError, Kind
from isthmus.providers.provider import Origin, Outgoing
from isthmus.transport import dial as dialling
from isthmus.transport.client import Client
from isthmus.transport.dial import dial
from isthmus.transport.resolve import Address, Resolver, interleave

V4 = socket.AF_INET
V6 = socket.AF_INET6


def closed_port() -> int:
    """A port where nobody listens."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Names:
    """The loop's own look-up, replaced by a table; counts what it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **table: list[Address] | Exception) -> None:
        self.table = table
        self.asked: list[str] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

        async def getaddrinfo(host: str, port: int, **more: int) -> list[tuple]:
            self.asked.append(host)
            await self.go_on.wait()
            found = self.table[host]
            if isinstance(found, Exception):
                raise found
            return [(address.family, socket.SOCK_STREAM, 6, "", address.sockaddr) for address in found]

        async def ask(resolver: Resolver, host: str, port: int) -> tuple[Address, ...]:
            found = await getaddrinfo(host, port)
            return interleave(Address(family, sockaddr) for family, _, _, _, sockaddr in found)

        monkeypatch.setattr(Resolver, "_ask", ask)


async def ask(client: Client, server: Server, host: str) -> bytes:
    incoming = await client.send(Outgoing(server.origin(host), "POST", "/", (), b""), QUICK)
    return await incoming.body(10)


async def refusal(client: Client, origin: Origin) -> str:
    with pytest.raises(GatewayError) as told:
        await client.send(Outgoing(origin, "GET", "/", ()), QUICK)
    assert told.value.kind is Kind.UNREACHABLE
    return told.value.message


def test_families_take_turns_and_the_preferred_one_begins() -> None:
    sixes = [Address(V6, (f"::{n}", 1, 0, 0)) for n in range(3)]
    fours = [Address(V4, (f"10.0.0.{n}", 1)) for n in range(2)]
    assert interleave([*sixes, *fours]) == (sixes[0], fours[0], sixes[1], fours[1], sixes[2])
    assert interleave([*fours, *sixes, *fours]) == (fours[0], sixes[0], fours[1], sixes[1], sixes[2])
    assert interleave(fours) == tuple(fours)


async def test_a_name_of_this_machine_is_resolved() -> None:
    resolver = Resolver()
    addresses = await resolver.addresses("localhost", 80)
    assert ("127.0.0.1", 80) in [address.sockaddr[:2] for address in addresses]


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
async def test_an_ipv6_literal_is_an_address(client: Client, host: str) -> None:
    seen = []

    async def play(wire: Wire) -> None:
        seen.append(await wire.request())
        await wire.send(LEAN)
        await wire.until_left()

    async with serve(play, host="::1") as server:
        assert await ask(client, server, host) == b"hi"
        assert seen[0].header("host") == f"[::1]:{server.port}"
        assert list(client.stats()) == [f"http://[::1]:{server.port}"]
        await client.aclose()


async def test_a_port_where_nobody_listens(client: Client) -> None:
    port = closed_port()
    words = await refusal(client, Origin("http", "127.0.0.1", port))
    assert words == f"no connection to 127.0.0.1:{port}: Connection refused"


async def test_a_name_that_does_not_exist(client: Client, monkeypatch) -> None:
    Names(monkeypatch, **{"no.example.com": socket.gaierror(socket.EAI_NONAME, "Name or service not known")})
    words = await refusal(client, Origin("https", "no.example.com", 443))
    assert words == "no connection to no.example.com:443: Name or service not known"


@pytest.mark.parametrize("host", ["a" * 70 + ".example.com", "a..example.com"])
async def test_a_name_that_cannot_exist(client: Client, host: str) -> None:
    assert f"no connection to {host}:80: " in await refusal(client, Origin("http", host, 80))


async def test_the_next_address_is_tried_at_once_when_one_refuses(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(dialling, "STAGGER", 30.0)
    async with serve(answering(LEAN)) as server:
        bad, good = Address(V4, ("127.0.0.1", closed_port())), Address(V4, ("127.0.0.1", server.port))
        Names(monkeypatch, **{"two.example.com": [bad, good]})
        assert await ask(client, server, "two.example.com") == b"hi"
        await client.aclose()


async def test_an_address_that_is_silent_does_not_hold_up_the_next(monkeypatch) -> None:
    monkeypatch.setattr(dialling, "STAGGER", 0.01)
    loop = asyncio.get_running_loop()
    begun, left = [], asyncio.Event()
    connect = dialling._connect

    async def silent_at_first(address: Address) -> socket.socket:
        begun.append(address)
        if address.sockaddr[0] == "192.0.2.1":
            try:
                await asyncio.Event().wait()
            finally:
                left.set()
        return await connect(address)

    monkeypatch.setattr(dialling, "_connect", silent_at_first)
    async with serve(answering(LEAN)) as server:
        silent, good = Address(V4, ("192.0.2.1", 9)), Address(V4, ("127.0.0.1", server.port))
        sock = await dial([silent, good])
        with sock:
            assert sock.getpeername() == ("127.0.0.1", server.port)
        assert begun == [silent, good]
        assert left.is_set()
        assert loop.is_running()


async def test_of_two_that_answer_at_once_one_is_closed(monkeypatch) -> None:
    monkeypatch.setattr(dialling, "STAGGER", 0.0)
    async with serve(answering(LEAN)) as server:
        both = [Address(V4, ("127.0.0.1", server.port)), Address(V4, ("127.0.0.2", server.port))]
        for _ in range(10):
            (await dial(both)).close()


async def test_when_every_address_refuses_the_reasons_are_told_once() -> None:
    port = closed_port()
    with pytest.raises(OSError, match=r"^\[Errno 0\] Connection refused$"):
        await dial([Address(V4, ("127.0.0.1", port)), Address(V4, ("127.0.0.2", port))])


async def test_giving_up_while_dialling_leaves_nothing(monkeypatch) -> None:
    monkeypatch.setattr(dialling, "STAGGER", 0.0)

    async def never(address: Address) -> socket.socket:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(dialling, "_connect", never)
    task = asyncio.create_task(dial([Address(V4, ("192.0.2.1", 9)), Address(V4, ("192.0.2.2", 9))]))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_many_who_ask_at_once_ask_once(monkeypatch) -> None:
    address = Address(V4, ("192.0.2.1", 80))
    names = Names(monkeypatch, **{"a.example.com": [address]})
    resolver = Resolver()
    answers = await asyncio.gather(*(resolver.addresses("a.example.com", 80) for _ in range(10)))
    assert answers == [(address,)] * 10
    assert names.asked == ["a.example.com"]


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others(monkeypatch) -> None:
    address = Address(V4, ("192.0.2.1", 80))
    names = Names(monkeypatch, **{"a.example.com": [address]})
    names.go_on.clear()
    resolver = Resolver()
    first, second = (asyncio.create_task(resolver.addresses("a.example.com", 80)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    names.go_on.set()
    assert await second == (address,)
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_answer_is_kept_for_a_while(monkeypatch) -> None:
    names = Names(monkeypatch, **{"a.example.com": [Address(V4, ("192.0.2.1", 80))]})
    resolver = Resolver(keep=0.05)
    for _ in range(3):
        await resolver.addresses("a.example.com", 80)
    assert len(names.asked) == 1
    await asyncio.sleep(0.06)
    await resolver.addresses("a.example.com", 80)
    assert len(names.asked) == 2


async def test_a_failure_is_not_kept(monkeypatch) -> None:
    names = Names(monkeypatch, **{"a.example.com": OSError("no")})
    resolver = Resolver()
    with pytest.raises(OSError, match="no"):
        await resolver.addresses("a.example.com", 80)
    names.table["a.example.com"] = [Address(V4, ("192.0.2.1", 80))]
    assert await resolver.addresses("a.example.com", 80)


async def test_a_failure_that_nobody_waits_for_any_more_is_no_noise(monkeypatch) -> None:
    names = Names(monkeypatch, **{"a.example.com": OSError("no")})
    names.go_on.clear()
    resolver = Resolver()
    only = asyncio.create_task(resolver.addresses("a.example.com", 80))
    await asyncio.sleep(0)
    only.cancel()
    names.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await only


async def test_only_so_many_names_are_kept(monkeypatch) -> None:
    monkeypatch.setattr("isthmus.transport.resolve.MOST", 3)
    table = {f"{n}.example.com": [Address(V4, ("192.0.2.1", 80))] for n in range(5)}
    names = Names(monkeypatch, **table)
    resolver = Resolver()
    for name in [*table, "4.example.com", "0.example.com"]:
        await resolver.addresses(name, 80)
    assert names.asked == [*table, "0.example.com"]


async def test_a_server_that_hangs_up_at_once(client: Client) -> None:
    async def play(wire: Wire) -> None:
        wire.reset()

    async with serve(play) as server:
        for _ in range(20):
            with pytest.raises(GatewayError) as told:
                await client.send(server.post(), QUICK)
            assert told.value.kind in (Kind.UNREACHABLE, Kind.CUT_SHORT)
