"""What a route does with a request beside choosing who answers, in words."""

from isthmus.engine.exchange import Exchange
from isthmus.engine.explanation import RouteRules
from isthmus.routing.plan import Hedge, Shadow


def rules_in_words(exchange: Exchange, seconds_left: float | None) -> RouteRules:
    """The rules of the exchange's plan. What does not concern this request is left out."""
    assert exchange.plan is not None  # noqa: S101  it was planned
    rules, streamed = exchange.plan.rules, exchange.peek is not None and exchange.peek.stream
    return RouteRules(
        affinity=_affinity(exchange),
        hedge=_hedge(rules.hedge) if rules.hedge is not None and streamed else "",
        continues="another target may continue an answer that breaks off" if rules.continues and streamed else "",
        shadow="" if rules.shadow is None else _shadow(rules.shadow),
        seconds_left=seconds_left,
    )


def _affinity(exchange: Exchange) -> str:
    if exchange.bond is None:
        return ""
    if exchange.bond.place is None:
        return "the request names its conversation, which was not answered anywhere yet"
    return "the request names its conversation, which prefers the place that answered it before"


def _hedge(hedge: Hedge) -> str:
    return (
        f"a second place is asked too when the first is slower than {hedge.quantile * 100:g} % of its answers, and than"
        f" {hedge.least:g} s; for at most {hedge.share * 100:g} % of the traffic"
    )


def _shadow(shadow: Shadow) -> str:
    target = shadow.target
    return f"{shadow.share * 100:g} % of the requests are sent to {target.provider}/{target.model} too"
