"""The way in for most requests: what their client and route may still ask is claimed at once, where all of it has room.

Who finds no room, must wait, or is counted elsewhere has an Admission made (admission.py), which knows why and for how
long.
"""

from isthmus.engine.clients import SHADOW
from isthmus.engine.exchange import Exchange
from isthmus.engine.held import Entered
from isthmus.engine.live import Now
from isthmus.engine.ports import Ports
from isthmus.routing.plan import Plan


def enters_at_once(exchange: Exchange, plan: Plan, body: bytes, now: Now, ports: Ports) -> bool:
    """Nothing is in its way, or what was has been claimed. False: nothing was, and an Admission must see to it."""
    client, limiter = exchange.client, ports.limiter
    if limiter is None or client is SHADOW:
        return True
    entry = now.entries.of(client, plan.name, limiter)
    if not entry.limits:
        return True
    tab, queue = entry.tab, ports.queue
    if tab is None or (entry.budgeted and _is_unheard(ports)):
        return False
    if queue is not None and queue.length > 0 and any(queue.busy(scope) for scope in entry.scopes):
        return False  # behind those who came before
    tokens = microdollars = 0
    if entry.guessed:
        target = plan.tiers[0].targets[0]
        expected = exchange.expected = ports.expected.of(body, target.model, exchange.peek)
        tokens = expected.input + expected.output
        if entry.priced and (tariff := now.tariffs.of(target, "", exchange.at)) is not None:
            microdollars = tariff.about(expected.input, expected.output)
    entered = Entered(tab, queue, entry.scopes)
    if not tab.take(entered, tokens, microdollars):
        return False
    exchange.held += (entered,)
    return True


def _is_unheard(ports: Ports) -> bool:
    """Is it not known what is left of budgets?"""
    return ports.budgets is not None and not ports.budgets.heard
