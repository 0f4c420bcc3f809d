"""What a subscription could have covered and was paid by use is told: where, and at what price."""

import json
from decimal import Decimal

import pytest
from msgspec.structs import replace

from fakes.authority import AccountAuthority
from fakes.transport import Scripted
from isthmus.core.facts import NOTHING_KNOWN, ModelFacts, Price, Rates
from isthmus.engine.accounts import Account
from isthmus.engine.facts import facts, in_words
from isthmus.engine.past import told_past
from isthmus.engine.snapshot import Habits
from isthmus.engine.spill import Spill
from isthmus.providers.issuers.codex import CODEX
from isthmus.routing.plan import Route, Strategy, Target, Tier
from isthmus.telemetry.line_forms import LineForms
from support.explaining import explained, why
from support.line import Line, past_of, provider
from support.metering import Meter

ASKED = b'{"model":"fast","messages":[{"role":"user","content":"hi"}]}'
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":30,"completion_tokens":12,"total_tokens":42}}'
)
PRICE = Price(rates=Rates(input=Decimal("1.25"), output=Decimal(10)))
TOLD = "codex; input=1.25; output=10"
PAID, COVERED = Target("openai", "m"), Target("codex", "m")
IN_FRONT = Tier((COVERED, PAID))


def spent() -> Scripted:
    return Scripted(b'{"error":{"message":"spent","code":"insufficient_quota"}}', status=429)


def line(*under_accounts: Scripted, tier: Tier = IN_FRONT, price: Price | None = PRICE) -> Line:
    """A subscription with two accounts, and a provider that is paid."""
    codex = replace(provider("codex"), secret=None, issuer="codex")
    line = Line([codex, provider("openai")], {"codex": under_accounts, "openai": [Scripted(ANSWER)]})
    known = {"openai": ModelFacts(price=price), "codex": NOTHING_KNOWN}
    line.live.swap(
        replace(
            line.live.take().snapshot,
            issuers={"codex": CODEX},
            routes={"fast": Route(tiers=(tier,))},
            facts=lambda provider, model, told: known[provider],
        )
    )
    line.live.sign_in([Account(id=f"acc_{name}", issuer="codex", name=name) for name in "ab"])
    line.ports.authority = AccountAuthority()
    return line


async def header(line: Line) -> bytes | None:
    _, headers, _ = await line.ask(ASKED)
    return dict(headers).get(b"x-isthmus-spill")


async def test_the_answer_has_the_provider_that_was_spent_and_what_this_one_costs() -> None:
    assert await header(line(spent(), spent())) == TOLD.encode()


async def test_what_an_account_answered_is_no_spill() -> None:
    asked = line(spent(), Scripted(ANSWER))
    assert await header(asked) is None
    assert asked.exchange is not None
    assert asked.exchange.attempts[-1].credential == "b"


async def test_without_a_known_price_the_spill_is_told_without_it() -> None:
    assert await header(line(spent(), spent(), price=None)) == b"codex"


async def test_what_costs_nothing_is_no_spill() -> None:
    free = Price(rates=Rates(input=Decimal(0), output=Decimal(0)))
    assert await header(line(spent(), spent(), price=free)) is None


async def test_nobody_is_told_where_routes_are_not() -> None:
    asked = line(spent(), spent())
    asked.live.swap(replace(asked.live.take().snapshot, habits=Habits(route_headers=False)))
    assert await header(asked) is None


async def test_a_paid_provider_that_stands_in_front_is_no_spill() -> None:
    assert await header(line(tier=Tier((PAID, COVERED)))) is None


async def test_nor_is_one_that_shares_its_requests() -> None:
    assert await header(line(spent(), spent(), tier=Tier((COVERED, PAID), Strategy.ROUND_ROBIN))) is None


async def test_nor_is_one_behind_a_subscription_that_nobody_signed_in_to() -> None:
    asked = line()
    asked.live.sign_in([])
    assert await header(asked) is None


async def test_nor_is_one_behind_accounts_that_are_paid_themselves() -> None:
    asked = line(spent(), spent())
    asked.live.swap(replace(asked.live.take().snapshot, issuers={"codex": replace(CODEX, subscription=False)}))
    assert await header(asked) is None


async def test_a_whole_tier_in_front_counts_whatever_its_strategy() -> None:
    asked = line(spent(), spent())
    tiers = (Tier((COVERED,), Strategy.ROUND_ROBIN), Tier((PAID,)))
    asked.live.swap(replace(asked.live.take().snapshot, routes={"fast": Route(tiers=tiers)}))
    assert await header(asked) == TOLD.encode()


async def test_the_log_has_it_for_programs_and_for_people() -> None:
    asked = line(spent(), spent())
    await asked.ask(ASKED)
    assert asked.exchange is not None
    asked.exchange.finished_at = asked.clock.now()
    told = facts(asked.exchange, "now")
    assert told.spill == TOLD
    assert f"(spilled from {TOLD})" in in_words(told, "now")
    assert json.loads(LineForms().line(asked.exchange, "now"))["spill"] == TOLD


async def test_a_spill_with_one_attempt_is_logged_too() -> None:
    asked = line(spent(), spent())
    await asked.ask(ASKED)
    asked.transport.scripts["openai.example.com"].append(Scripted(ANSWER))
    await asked.ask(ASKED)
    assert asked.exchange is not None
    asked.exchange.finished_at = asked.clock.now()
    assert len(asked.exchange.attempts) == 1
    assert json.loads(LineForms().line(asked.exchange, "now"))["spill"] == TOLD


async def test_the_record_of_the_request_says_why() -> None:
    asked = line(spent(), spent())
    await asked.ask(ASKED)
    assert asked.exchange is not None
    spill = told_past(past_of(asked.exchange), asked.live.take()).spill
    assert spill == (
        "it is paid by use, $1.25 for a million tokens in, $10 out; what stands before it, codex, is covered by a"
        " subscription"
    )


async def test_spills_are_counted() -> None:
    counted = Meter(line(spent(), spent()))
    await counted.ask(ASKED)
    assert await counted.named("isthmus_spills_total") == {"isthmus_spills_total{provider=openai,source=codex}": 1}


async def test_explain_says_which_place_costs() -> None:
    told = await explained(line())
    assert "paid by use, $1.25" in why(told, "openai")
    assert "paid by use" not in why(told, "codex", "a") + why(told, "codex", "b")


@pytest.mark.parametrize("dollars", ["0.1", "100", "0.000001"])
def test_prices_are_told_as_people_write_them(dollars: str) -> None:
    assert Spill("codex", Decimal(dollars), Decimal(dollars)).words() == f"codex; input={dollars}; output={dollars}"
