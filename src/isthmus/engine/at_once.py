"""The way in for most requests: what their client and route may still ask is claimed at once, where all of it has room.

Who finds no room, must wait, or is counted elsewhere has an Admission made (admission.py), which knows why and for how
long.
"""

from isthmus.engine.clients import SHADOW
from isthmus.engine.entry import Entry
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
    tab = entry.tab
    if tab is None or _must_wait(entry, ports):
        return False
    tokens = microdollars = 0
    if entry.guessed:
        target = plan.tiers[0].targets[0]
        expected = exchange.expected = ports.expected.of(body, target.model, exchange.peek)
        tokens = expected.input + expected.output
        if entry.priced and (tariff := now.tariffs.of(target, "", exchange.at)) is not None:
            microdollars = tariff.about(expected.input, expected.output)
    taken = tab.take(tokens, microdollars)
    if taken is None:
        return False
    exchange.held += (Entered(tab, taken, ports.queue, entry.scopes),)
    return True


def _must_wait(entry: Entry, ports: Ports) -> bool:
    """Is it not known what is left of its budgets, or does somebody wait who came before?"""
    if entry.budgeted and ports.budgets is not None and not ports.budgets.heard:
        return True
    queue = ports.queue
    return queue is not None and queue.length > 0 and any(queue.busy(scope) for scope in entry.scopes)
