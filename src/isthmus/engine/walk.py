"""The walk along the plan until one of its places answers, for any operation."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from random import Random
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from msgspec.structs import replace

from isthmus.core.errors import GatewayError, Kind
from isthmus.core.operations import Operation
from isthmus.engine.admission import Admission, admission
from isthmus.engine.affinity import keep_bond
from isthmus.engine.at_once import enters_at_once
from isthmus.engine.deadlines import deadline, within
from isthmus.engine.exchange import AttemptRecord, Exchange
from isthmus.engine.live import Now
from isthmus.engine.no_account import limited, without_accounts
from isthmus.engine.ports import Ports
from isthmus.engine.presentable import presentable
from isthmus.engine.signed_in import takes_accounts
from isthmus.engine.spending import Ending, how_failed
from isthmus.engine.spill import spill_of
from isthmus.engine.verdict import note_failure, note_heard
from isthmus.providers.provider import Provider
from isthmus.routing.order import Moment
from isthmus.routing.places import Ask
from isthmus.routing.plan import Target
from isthmus.routing.walk import Walk

if TYPE_CHECKING:
    from isthmus.engine.hedge import Race

_T = TypeVar("_T")
Once: TypeAlias = Callable[[Target, Provider], Awaitable[_T]]
"""One try at one target, with the provider as one of its keys has it."""
MORE_ACCOUNTS = 16
"""Accounts that may be found spent, or refused, by one request beside its tries."""
_OF_ACCOUNTS = frozenset({Kind.QUOTA_SPENT, Kind.CREDENTIAL_REJECTED, Kind.CREDENTIAL_REVOKED})
_LIMITS = frozenset({Kind.QUOTA_SPENT, Kind.UPSTREAM_LIMITED})
_COUNT_TOKENS = Operation.COUNT_TOKENS
_DICE = Random()  # noqa: S311  jitter, not a secret


def in_order(
    exchange: Exchange,
    once: Once[_T],
    now: Now,
    ports: Ports,
    race: "Race[_T] | None" = None,
    *,
    body: bytes = b"",
    lone: Ask | None = None,
) -> Coroutine[object, object, _T]:
    """Ask one place after the other, or two at a time where there is a `race`. Raises the last error when none answers.

    `body` is the request as it came, by which it is guessed how much of a limit it needs. `lone` is the plan's only
    place, where that is known already.
    """
    assert exchange.plan is not None  # noqa: S101  the line has planned before it attempts
    exchange.bytes_in = len(body)
    lone = lone or now.places.lone(exchange.plan)
    if lone is None or race is not None or exchange.attempts or now.bounded or now.board.health.ailing:
        return _along(exchange, once, now, ports, race, body=body)
    return _alone(exchange, lone, once, now, ports, body=body)


async def _alone(exchange: Exchange, lone: Ask, once: Once[_T], now: Now, ports: Ports, *, body: bytes) -> _T:
    """Ask the only place there is, which is well and has no limits; a walk is made only when it fails."""
    until, failure = deadline(exchange), None
    plan = exchange.plan
    if now.snapshot.allowances and plan is not None and not enters_at_once(exchange, plan, body, now, ports):
        gate = admission(exchange, body, now, ports)
        assert gate is not None  # noqa: S101  there is a limiter, or nothing would be in the way
        await gate.enter(until)
    try:
        return await attempt(exchange, lone, once, now=now, ports=ports, until=until)
    except GatewayError as error:
        failure = error
    try:
        return await _along(exchange, once, now, ports, body=body, failed=(lone, failure))
    finally:
        failure = None  # its trace holds this frame


async def _along(
    exchange: Exchange,
    once: Once[_T],
    now: Now,
    ports: Ports,
    race: "Race[_T] | None" = None,
    *,
    body: bytes = b"",
    failed: tuple[Ask, GatewayError] | None = None,
) -> _T:
    """Walk along the plan. `failed` is what was asked before there was a walk, and how that ended."""
    limits, until = now.snapshot.limits, deadline(exchange)
    exchange.walk = walk = walk_for(exchange, now, ports, until)
    gate = admission(exchange, body, now, ports)
    if gate is not None and not exchange.attempts:  # else it goes on with an answer that broke off, and has entered
        await gate.enter(until)
    failure = None if failed is None else _note_first(walk, *failed)
    while len(exchange.attempts) < limits.attempts or _may_go_on(exchange, now):
        ask = walk.next(ports.clock.now()) if gate is None else await gate.next(walk, until)
        if ask is None:
            break
        if ask.wait > 0 and gate is None:
            await asyncio.sleep(ask.wait)
        try:
            if race is not None:
                answer = await race.run(ask, walk, gate, until=until)
            else:
                answer = await attempt(exchange, ask, once, now=now, ports=ports, until=until)
        except GatewayError as error:
            failure = error
            if gate is not None:
                gate.failed(ask, error)
            if not walk.failed(ask, error, _DICE.random()):
                raise
            continue
        if gate is not None or exchange.bond is not None:
            await _note_answer(exchange, gate, now, ports)
        failure = None  # its trace holds this frame
        return answer
    at = ports.clock.now()
    rest, places = walk.rests(at), [ask.place for ask in walk.asks]
    told = without_accounts(exchange, now, places, at, failure) or (
        failure and _back_sooner(failure, walk, exchange, now, at)
    )
    raise told or (gate and gate.error(rest)) or _nobody(rest)


def _may_go_on(exchange: Exchange, now: Now) -> bool:
    """Are there tries left? One that only found an account spent, or refused, is none, for so many of them."""
    limits, attempts = now.snapshot.limits, exchange.attempts
    tries = sum(one.error not in _OF_ACCOUNTS or not _under_account(one, now) for one in attempts)
    return tries < limits.attempts and len(attempts) < limits.attempts + MORE_ACCOUNTS


def _under_account(one: AttemptRecord, now: Now) -> bool:
    provider = now.snapshot.providers.get(one.target.provider)
    return provider is not None and takes_accounts(provider)


def _back_sooner(failure: GatewayError, walk: Walk, exchange: Exchange, now: Now, at: float) -> GatewayError:
    """The limit of the place that was asked last, with the seconds until the first of all that are limited is back."""
    if failure.retry_after is None or failure.kind not in _LIMITS:
        return failure
    seen = {one.place for one in exchange.attempts} | walk.skipped.keys()
    rests = [(ask.place, now.board.health.worst(ask.place, at)) for ask in walk.asks]
    ends = [rest.until - at for _, rest in rests if rest is not None and rest.kind in _LIMITS]
    if any(rest is None and place not in seen for place, rest in rests):
        ends.append(1.0)
    failure.retry_after = min([failure.retry_after, *ends])
    return failure


def _note_first(walk: Walk, ask: Ask, error: GatewayError) -> GatewayError:
    """Tell the walk what was asked before there was one. Raises the error where nothing may follow it."""
    walk.took(ask)
    if not walk.failed(ask, error, _DICE.random()):
        raise error
    return error


async def _note_answer(exchange: Exchange, gate: Admission | None, now: Now, ports: Ports) -> None:
    """Tell those who want to know it which place answered."""
    if gate is not None:
        gate.answered(exchange.attempts[-1])
    if exchange.bond is not None:
        await keep_bond(exchange, now.snapshot.affinity, ports.memory)


def walk_for(exchange: Exchange, now: Now, ports: Ports, until: float | None) -> Walk:
    """The request's way along its plan."""
    assert exchange.plan is not None  # noqa: S101  the line has planned before it attempts
    wait, bond = now.snapshot.limits.wait, exchange.bond
    patience = wait if until is None else min(wait, until - ports.clock.now())
    tiers, lone = exchange.plan.tiers, now.places.lone(exchange.plan)
    if lone is not None:
        return Walk(tiers, now.places, now.board, patience=patience, lone=lone)
    prefer = None if bond is None else bond.place
    moment = moment_of(exchange, now, ports)
    return Walk(tiers, now.places, now.board, patience=patience, moment=moment, prefer=prefer)


async def attempt(
    exchange: Exchange, ask: Ask, once: Once[_T], *, now: Now, ports: Ports, until: float | None = None
) -> _T:
    """One try, which is over at `until`. Raises GatewayError, cleaned of every secret, when it brought no answer."""
    provider, health, place = now.snapshot.keyed(ask.target.provider, ask.credential), now.board.health, ask.place
    timing = None if exchange.plan is None else exchange.plan.rules.timing
    if until is not None or timing is not None:
        provider = within(provider, timing, None if until is None else until - ports.clock.now())
    began = ports.clock.now()
    record = AttemptRecord(ask.target, ask.credential, began, ask.told, place)
    counts = exchange.call.codec.operation is _COUNT_TOKENS
    if now.covered and not counts:
        record.spill = spill_of(exchange.plan, ask.target, ask.credential, now, exchange.at)
    _count(exchange, ask, now, began)
    exchange.attempts.append(record)
    health.begin(place, began)
    meter = now.board.meters.began(place, began)
    if exchange.trace is not None and ports.tracer is not None:
        provider = ports.tracer.attempt(exchange.trace, record, provider)
    try:
        answer = await once(ask.target, provider)
    except GatewayError as error:
        meter.ended()
        _note_ending(exchange, record, error)
        record.error, record.reason = error.kind, provider.masked(error.message)[:500]
        over = ports.clock.now()
        note_failure(error, record, now, over, time=exchange.unix(over), until=until, counts=counts)
        raise presentable(error, provider) from error
    except BaseException:
        over = ports.clock.now()
        meter.ended()
        health.left(place)
        raise
    else:
        if counts:
            health.left(place)
        else:
            health.answered(place, began)
            exchange.answered = record
        over = ports.clock.now()
        meter.answered(over - began, over, stream=exchange.peek is not None and exchange.peek.stream)
        exchange.runs_at(meter)
        return answer
    finally:
        record.milliseconds = (over - began) * 1000
        if record.heard:
            note_heard(record, now, exchange.unix(record.heard_at), counts=counts)


def _note_ending(exchange: Exchange, record: AttemptRecord, error: GatewayError) -> None:
    """How the try was over. An answer that said nothing was counted like any other, where it was."""
    if error.kind is Kind.EMPTY and exchange.usage is not None:
        record.ending, record.usage, exchange.usage = Ending.ANSWERED, exchange.usage, None
    else:
        record.ending = how_failed(error, heard=record.heard_at > 0)


def moment_of(exchange: Exchange, now: Now, ports: Ports) -> Moment:
    """The request as strategies see it."""
    at, scales = ports.clock.now(), now.scales
    if now.shares is not None and ports.limiter is not None:
        scales = replace(scales, share=partial(now.shares.of, ports.limiter, at))
    return Moment(at, exchange.peek is not None and exchange.peek.stream, _DICE.random(), scales)


def _count(exchange: Exchange, ask: Ask, now: Now, at: float) -> None:
    """What the provider's budget of repetitions is told."""
    retries, provider, rests_key = now.board.retries, ask.target.provider, now.board.health.rests_key
    again = exchange.attempts and any(
        one.target.provider == provider and (one.place == ask.place or not rests_key(one.place))
        for one in exchange.attempts
    )
    (retries.repeated if again else retries.asked)(provider, at)


def _nobody(rest: float) -> GatewayError:
    if rest <= 0:
        return GatewayError(Kind.NO_TARGET, "no target is configured for this model")
    return limited(rest)
