"""Device codes: asked for as often as the issuer says, and no longer than it says."""

from collections.abc import AsyncIterator, Iterator

import pytest

from fakes.sign_ins import Bench, open_bench
from fakes.strict_issuer import StrictIssuer, open_strict_issuer, row
from fakes.strict_words import Trouble
from isthmus.core.errors import GatewayError, Kind
from isthmus.engine.accounts import SignIn, SignInProgress
from isthmus.providers.issuer import SignInFlow


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with open_bench() as made:
        yield made


@pytest.fixture
def issuer(bench: Bench) -> Iterator[StrictIssuer]:
    with open_strict_issuer() as made:
        made.clock = bench.clock.time
        yield made


async def begin(bench: Bench, issuer: StrictIssuer) -> SignIn:
    return await bench.signing.begin(row(issuer), SignInFlow.DEVICE)


async def poll(bench: Bench, issuer: StrictIssuer, seconds: float = 5.0) -> None:
    """Time goes on by one interval, and until the issuer's answer has been heard."""
    polls = issuer.polls()
    await bench.sleeper.asleep()
    await bench.sleeper.move(seconds)
    await bench.sleeper.heard(lambda: issuer.polls() > polls)


async def test_somebody_types_the_code_anywhere(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await begin(bench, issuer)
    assert begun.url == f"{issuer.url}/device?user_code={begun.user_code}"
    await poll(bench, issuer)
    assert bench.signing.sign_in(begun.id).progress is SignInProgress.PENDING
    issuer.approve(begun.user_code)
    await poll(bench, issuer)
    ended = bench.signing.sign_in(begun.id)
    assert (ended.progress, ended.account) == (SignInProgress.COMPLETED, "acc_1")


async def test_the_device_code_is_told_to_nobody(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await begin(bench, issuer)
    assert next(iter(issuer.devices)) not in repr(begun)


async def test_the_issuer_is_not_asked_before_its_interval_is_over(bench: Bench, issuer: StrictIssuer) -> None:
    await begin(bench, issuer)
    await bench.sleeper.asleep()
    await bench.sleeper.move(4.9)
    assert issuer.polls() == 0


async def test_whoever_is_told_to_slow_down_does(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await begin(bench, issuer)
    await poll(bench, issuer)
    next(iter(issuer.devices.values())).interval = 8.0
    await poll(bench, issuer)
    issuer.approve(begun.user_code)
    await bench.sleeper.asleep()
    await bench.sleeper.move(9.9)
    assert issuer.polls() == 2


async def test_a_code_that_is_denied_ends_it(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await begin(bench, issuer)
    issuer.deny(begun.user_code)
    await poll(bench, issuer)
    ended = bench.signing.sign_in(begun.id)
    assert (ended.progress, ended.why) == (
        SignInProgress.FAILED,
        "the sign-in at The strict issuer was denied",
    )


async def test_a_code_that_the_issuer_calls_expired_ends_it(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await begin(bench, issuer)
    issuer.skew = 1000.0
    await poll(bench, issuer)
    assert "was not typed at The strict issuer in time" in bench.signing.sign_in(begun.id).why


async def test_a_code_that_nobody_types_expires(bench: Bench, issuer: StrictIssuer) -> None:
    issuer.device_lasts = 12.0
    begun = await begin(bench, issuer)
    await poll(bench, issuer)
    await poll(bench, issuer)
    await bench.sleeper.asleep()
    await bench.sleeper.move(5.0)
    assert bench.signing.sign_in(begun.id).progress is SignInProgress.EXPIRED
    assert issuer.polls() == 2


@pytest.mark.parametrize("trouble", [Trouble(status=503), Trouble(status=429), Trouble(drop="before")])
async def test_what_may_pass_ends_nothing_and_slows_down(bench: Bench, issuer: StrictIssuer, trouble: Trouble) -> None:
    begun = await begin(bench, issuer)
    issuer.troubles.append(trouble)
    await poll(bench, issuer)
    issuer.approve(begun.user_code)
    await poll(bench, issuer, 10.0)
    assert bench.signing.sign_in(begun.id).progress is SignInProgress.COMPLETED


async def test_tokens_that_could_not_be_kept_are_kept_later(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await begin(bench, issuer)
    issuer.approve(begun.user_code)
    bench.refuses = GatewayError(Kind.STORE_GONE, "the store cannot be reached")
    await poll(bench, issuer)
    bench.refuses = None
    await bench.sleeper.asleep()
    await bench.sleeper.move(10.0)
    assert bench.signing.sign_in(begun.id).progress is SignInProgress.COMPLETED
    assert issuer.polls() == 1


async def test_one_that_is_cancelled_is_not_asked_for_any_more(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await begin(bench, issuer)
    await bench.sleeper.asleep()
    await bench.signing.cancel(begun.id)
    await bench.sleeper.move(60.0)
    assert issuer.polls() == 0


async def test_nothing_can_be_pasted_for_one(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await begin(bench, issuer)
    with pytest.raises(GatewayError, match="ends by itself"):
        await bench.signing.finish(begun.id, "code")


async def test_it_does_not_wait_for_a_browser(bench: Bench, issuer: StrictIssuer) -> None:
    begun = await begin(bench, issuer)
    assert await bench.signing.stop_listening() == 0
    assert bench.signing.sign_in(begun.id).progress is SignInProgress.PENDING


async def test_an_issuer_that_knows_no_such_client_gives_no_code(bench: Bench, issuer: StrictIssuer) -> None:
    with pytest.raises(GatewayError, match="gives out no device code: it said 401") as caught:
        await bench.signing.begin(row(issuer, client_id="another"), SignInFlow.DEVICE)
    assert caught.value.kind is Kind.CREDENTIAL_REJECTED
