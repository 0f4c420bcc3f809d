"""Sign-ins by a browser, from the address that is given out to the account that is kept, at a strict issuer."""

import asyncio
import http.client
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from fakes.browser import back_to, browse, get
from fakes.sign_ins import Bench, open_bench
from fakes.strict_issuer import StrictIssuer, open_strict_issuer, row
from fakes.strict_words import Person, Trouble
from isthmus.accounts.signing_in import ENDED, LASTS, MOST, REMEMBERED
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import SignIn, SignInProgress
from isthmus.providers.issuer import SignInFlow


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench() as made:
        yield made


@pytest.fixture
def issuer() -> Iterator[StrictIssuer]:
    with open_strict_issuer() as made:
        yield made


@contextmanager
def taken(host: str = "127.0.0.1") -> Iterator[int]:
    """A port that something else listens at."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen()
        yield listener.getsockname()[1]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def query_of(sign_in: SignIn) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(sign_in.url).query))


async def refused(awaitable: object) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await awaitable  # type: ignore[misc]
    return caught.value


async def test_somebody_signs_in_with_a_browser(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    status, page = await browse(begun.url)
    assert (status, "Signed in as ada@example.com" in page) == (200, True)
    ended = bench.signing.sign_in(begun.id)
    assert (ended.progress, ended.account) == (SignInProgress.COMPLETED, "acc_1")


async def test_the_tokens_that_are_kept_are_good(bench: Bench, issuer: StrictIssuer) -> None:
    await browse((await bench.signing.begin(row(issuer))).url)
    _, tokens, source = bench.kept[0]
    assert tokens.access is not None
    assert tokens.refresh is not None
    assert issuer.who(tokens.access.reveal()) == Person()
    assert source == "signed in"


async def test_the_address_holds_all_that_the_issuer_asks_for_and_no_verifier(
    bench: Bench, issuer: StrictIssuer
) -> None:
    known = row(issuer, parameters={"prompt": "login"}, callback_path="/auth/callback")
    begun = await bench.signing.begin(known)
    said = query_of(begun)
    assert begun.url.startswith(f"{issuer.url}/oauth/authorize?")
    assert said.pop("code_challenge").isascii()
    assert said == {
        "response_type": "code",
        "client_id": "test-client",
        "redirect_uri": f"http://localhost:{begun.port}/auth/callback",
        "scope": "openid email",
        "code_challenge_method": "S256",
        "state": begun.id,
        "prompt": "login",
    }


async def test_every_sign_in_has_a_state_and_a_challenge_of_its_own(bench: Bench, issuer: StrictIssuer) -> None:
    first, second = [query_of(await bench.signing.begin(row(issuer))) for _ in range(2)]
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


async def test_the_verifier_is_of_256_bits_and_goes_to_the_issuer_alone(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    _, page = await browse(begun.url)
    verifier = issuer.asked[-1].fields["code_verifier"]
    assert len(verifier) == 43
    assert verifier not in f"{page}{begun}{bench.signing.sign_in(begun.id)}"


async def test_the_port_of_the_address_is_listened_at_before_it_is_given_out(
    bench: Bench, issuer: StrictIssuer
) -> None:
    begun = await bench.signing.begin(row(issuer))
    assert urlsplit(query_of(begun)["redirect_uri"]).port == begun.port
    assert (await get(f"http://127.0.0.1:{begun.port}/"))[0] == 404


async def test_a_port_that_is_taken_gives_way_to_the_next(bench: Bench, issuer: StrictIssuer) -> None:
    other = free_port()
    with taken() as port:
        begun = await bench.signing.begin(row(issuer, callback_ports=(port, other)))
    assert begun.port == other


async def test_a_port_that_is_taken_at_the_address_of_ipv6_alone_is_taken(bench: Bench, issuer: StrictIssuer) -> None:
    other = free_port()
    with taken("::1") as port:
        begun = await bench.signing.begin(row(issuer, callback_ports=(port, other)))
    assert begun.port == other


async def test_a_port_that_is_asked_for_is_that_one_or_none(bench: Bench, issuer: StrictIssuer) -> None:
    with taken() as port:
        error = await refused(bench.signing.begin(row(issuer, callback_ports=(free_port(),)), port=port))
    assert error.kind is Kind.INVALID
    assert f"something else listens at port {port}" in error.message


@pytest.mark.parametrize("port", [0, -1, 65536])
async def test_what_is_no_port_is_refused(bench: Bench, issuer: StrictIssuer, port: int) -> None:
    assert (await refused(bench.signing.begin(row(issuer), port=port))).kind is Kind.INVALID


async def test_two_sign_ins_at_one_port_are_told_apart(bench: Bench, issuer: StrictIssuer) -> None:
    known = row(issuer, callback_ports=(free_port(),))
    first, second = await bench.signing.begin(known), await bench.signing.begin(known)
    assert first.port == second.port
    await browse(second.url)
    assert bench.signing.sign_in(first.id).progress is SignInProgress.PENDING
    assert (await browse(first.url))[0] == 200


async def test_nobody_listens_once_it_is_done(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    await browse(begun.url)
    with pytest.raises(OSError, match=r"refused|Connect"):
        await get(f"http://127.0.0.1:{begun.port}/")


async def test_nobody_listens_once_it_is_cancelled(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    assert (await bench.signing.cancel(begun.id)).progress is SignInProgress.CANCELLED
    with pytest.raises(OSError, match=r"refused|Connect"):
        await get(f"http://127.0.0.1:{begun.port}/")


async def test_nobody_listens_once_its_time_is_over(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    assert begun.expires_at == bench.clock.time() + LASTS
    await bench.sleeper.asleep()
    await bench.sleeper.move(LASTS)
    assert bench.signing.sign_in(begun.id).progress is SignInProgress.EXPIRED
    with pytest.raises(OSError, match=r"refused|Connect"):
        await get(f"http://127.0.0.1:{begun.port}/")


async def test_one_that_ended_is_remembered_for_a_while_and_then_forgotten(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    await bench.signing.cancel(begun.id)
    bench.clock.move(REMEMBERED - 1)
    assert bench.signing.sign_in(begun.id).id == begun.id
    bench.clock.move(2)
    with pytest.raises(GatewayError) as caught:
        bench.signing.sign_in(begun.id)
    assert caught.value.kind is Kind.UNKNOWN_PATH


async def test_only_so_many_are_under_way_at_a_time(bench: Bench, issuer: StrictIssuer) -> None:
    known = row(issuer, callback_ports=(free_port(),))
    begun = await asyncio.gather(*(bench.signing.begin(known) for _ in range(MOST)))
    error = await refused(bench.signing.begin(known))
    assert (error.kind, error.retry_after) == (Kind.RATE_LIMITED, LASTS)
    await bench.signing.cancel(begun[0].id)
    assert (await bench.signing.begin(known)).progress is SignInProgress.PENDING


async def test_all_that_wait_for_a_browser_can_be_ended_at_once(bench: Bench, issuer: StrictIssuer) -> None:
    first, second = [await bench.signing.begin(row(issuer)) for _ in range(2)]
    assert await bench.signing.stop_listening() == 2
    assert bench.signing.sign_in(first.id).progress is SignInProgress.CANCELLED
    assert bench.signing.sign_in(second.id).progress is SignInProgress.CANCELLED


async def test_a_browser_with_another_state_changes_nothing(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    status, page = await get(f"http://localhost:{begun.port}/auth/callback?code=x&state={'0' * 32}")
    assert (status, "Not signed in" in page) == (400, True)
    assert bench.signing.sign_in(begun.id).progress is SignInProgress.PENDING
    assert (await browse(begun.url))[0] == 200


@pytest.mark.parametrize("query", ["", "code=x", "state=STATE", "code=x&code=y&state=STATE", "code=&state=STATE"])
async def test_a_browser_that_brings_too_little_changes_nothing(bench: Bench, issuer: StrictIssuer, query: str) -> None:
    begun = await bench.signing.begin(row(issuer))
    said = query.replace("STATE", begun.id)
    assert (await get(f"http://localhost:{begun.port}/auth/callback?{said}"))[0] == 400
    assert bench.signing.sign_in(begun.id).progress is SignInProgress.PENDING


async def test_whoever_denies_it_is_told_so(bench: Bench, issuer: StrictIssuer) -> None:
    issuer.denies = True
    begun = await bench.signing.begin(row(issuer))
    status, page = await browse(begun.url)
    assert (status, "did not sign you in (access_denied)" in page) == (400, True)
    assert bench.signing.sign_in(begun.id).progress is SignInProgress.FAILED


async def test_words_that_a_browser_brings_are_not_repeated(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    said = f"error=%3Cscript%3Eplanted&error_description=planted&state={begun.id}"
    _, page = await get(f"http://localhost:{begun.port}/auth/callback?{said}")
    assert "planted" not in page + bench.signing.sign_in(begun.id).why


async def test_a_code_that_the_issuer_does_not_take_ends_it(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    status, page = await get(f"http://localhost:{begun.port}/auth/callback?code=planted&state={begun.id}")
    assert (status, "does not take the code (invalid_grant)" in page) == (400, True)
    assert "planted" not in page
    assert bench.signing.sign_in(begun.id).progress is SignInProgress.FAILED


async def test_while_the_issuer_is_overloaded_the_page_can_be_loaded_again(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    back = await back_to(begun.url)
    issuer.troubles.append(Trouble(status=503))
    status, page = await get(back)
    assert (status, "Load this page again" in page) == (502, True)
    assert (await get(back))[0] == 200


async def test_tokens_that_could_not_be_kept_are_kept_at_the_next_try(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    back = await back_to(begun.url)
    bench.refuses = GatewayError(Kind.STORE_GONE, "the store cannot be reached")
    assert (await get(back))[0] == 502
    bench.refuses = None
    assert (await get(back))[0] == 200
    assert len([one for one in issuer.asked if one.path == "/oauth/token"]) == 1


async def test_a_browser_that_comes_twice_is_one_sign_in(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    back = await back_to(begun.url)
    both = await asyncio.gather(get(back), get(back))
    assert [status for status, _ in both] == [200, 200]
    assert len(bench.kept) == 1


async def test_the_address_that_the_browser_came_back_to_can_be_pasted(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    account = await bench.signing.finish(begun.id, f"  {await back_to(begun.url)}\n")
    assert account.email == "ada@example.com"


@pytest.mark.parametrize("form", ["code={code}&state={state}", "?code={code}&state={state}", "code={code}", "{code}"])
async def test_parts_of_it_can_be_pasted(bench: Bench, issuer: StrictIssuer, form: str) -> None:
    begun = await bench.signing.begin(row(issuer))
    code = parse_qs(urlsplit(await back_to(begun.url)).query)["code"][0]
    account = await bench.signing.finish(begun.id, form.format(code=code, state=begun.id))
    assert account.id == "acc_1"


async def test_what_belongs_to_another_sign_in_is_refused_and_ends_nothing(bench: Bench, issuer: StrictIssuer) -> None:
    first, second = [await bench.signing.begin(row(issuer)) for _ in range(2)]
    error = await refused(bench.signing.finish(first.id, await back_to(second.url)))
    assert error.message == "what was pasted belongs to another sign-in"
    assert bench.signing.sign_in(first.id).progress is SignInProgress.PENDING


@pytest.mark.parametrize("said", ["", "   ", "x" * 9000, "https://localhost/?state=1"])
async def test_nothing_that_could_be_a_code_is_refused_and_ends_nothing(
    bench: Bench, issuer: StrictIssuer, said: str
) -> None:
    begun = await bench.signing.begin(row(issuer))
    assert (await refused(bench.signing.finish(begun.id, said))).kind is Kind.INVALID
    assert bench.signing.sign_in(begun.id).progress is SignInProgress.PENDING


async def test_finishing_one_that_has_ended_well_gives_the_same_account(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    back = await back_to(begun.url)
    first = await bench.signing.finish(begun.id, back)
    assert await bench.signing.finish(begun.id, back) == first


async def test_finishing_one_that_was_cancelled_is_refused(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await bench.signing.begin(row(issuer))
    back = await back_to(begun.url)
    await bench.signing.cancel(begun.id)
    error = await refused(bench.signing.finish(begun.id, back))
    assert error.message == "this sign-in is cancelled; begin another"


async def test_one_that_is_cancelled_while_the_issuer_is_asked_keeps_nothing(
    bench: Bench, issuer: StrictIssuer
) -> None:
    begun = await bench.signing.begin(row(issuer))
    silence = threading.Event()
    back = await back_to(begun.url)
    issuer.troubles.append(Trouble(until=silence))
    ending = asyncio.create_task(bench.signing.finish(begun.id, back))
    await asyncio.to_thread(issuer.arrived.wait)
    await bench.signing.cancel(begun.id)
    silence.set()
    assert (await refused(ending)).kind is Kind.INVALID
    assert bench.kept == []


async def test_a_flow_that_the_issuer_has_not_is_refused_with_those_it_has(bench: Bench, issuer: StrictIssuer) -> None:
    known = row(issuer, flows=(SignInFlow.PASTED,))
    error = await refused(bench.signing.begin(known))
    assert error.message == "The strict issuer is no sign-in that can be begun; its flows are pasted"
    error = await refused(bench.signing.begin(row(issuer), SignInFlow.PASTED))
    assert error.kind is Kind.INVALID


async def test_nothing_secret_is_logged(bench: Bench, issuer: StrictIssuer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    begun = await bench.signing.begin(row(issuer))
    back = await back_to(begun.url)
    await get(back)
    said = caplog.text
    assert "a sign-in at The strict issuer has begun" in said
    asked = issuer.asked[-1].fields
    tokens = bench.kept[0][1]
    assert tokens.access is not None
    for secret in (begun.id, begun.url, back, asked["code"], asked["code_verifier"], tokens.access.reveal()):
        assert secret not in said


async def test_of_those_that_ended_the_latest_are_remembered(bench: Bench, issuer: StrictIssuer) -> None:
    known = row(issuer, callback_ports=(free_port(),))
    begun = []
    for _ in range(ENDED + 2):
        begun.append(await bench.signing.begin(known))
        await bench.signing.cancel(begun[-1].id)
        bench.clock.move(0.01)
    assert bench.signing.sign_in(begun[-1].id).progress is SignInProgress.CANCELLED
    with pytest.raises(GatewayError, match="there is no such sign-in"):
        bench.signing.sign_in(begun[0].id)


async def test_who_leaves_while_the_issuer_is_asked_takes_the_sign_in_from_nobody(
    bench: Bench, issuer: StrictIssuer
) -> None:
    begun = await bench.signing.begin(row(issuer))
    back, silence = await back_to(begun.url), threading.Event()
    issuer.troubles.append(Trouble(until=silence))
    first = asyncio.create_task(bench.signing.finish(begun.id, back))
    await asyncio.to_thread(issuer.arrived.wait)
    first.cancel()
    silence.set()
    assert (await bench.signing.finish(begun.id, back)).id == "acc_1"
    assert len(bench.kept) == 1


async def test_everything_under_way_ends_with_whoever_it_belongs_to(issuer: StrictIssuer) -> None:
    silence = threading.Event()
    issuer.troubles.append(Trouble(until=silence))
    async with open_bench() as bench:
        begun = await bench.signing.begin(row(issuer))
        coming = asyncio.create_task(browse(begun.url))
        await asyncio.to_thread(issuer.arrived.wait)
    silence.set()
    with pytest.raises((OSError, http.client.HTTPException)):
        await coming
    assert bench.kept == []
