"""Long lists, in pieces: how many at most, and behind which one."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from isthmus.server.admin.call import AdminCall
from isthmus.server.admin.queries import whole

_T = TypeVar("_T")

MOST = 1000
QUERY = {
    "limit": f"At most so many, from 1 to {MOST}. Without it: {MOST}.",
    "after": "Only those behind the one of this name, where the list goes on.",
}


def piece(call: AdminCall, found: Sequence[_T], name: Callable[[_T], str]) -> tuple[tuple[_T, ...], bool]:
    """So many as are asked for, and whether there are more. The list is in an order that stays. Raises INVALID."""
    limit = whole(call, "limit", MOST, least=1, most=MOST)
    after, begin = call.asked("after"), 0
    if after:
        begin = next((number for number, one in enumerate(found, 1) if name(one) == after), len(found))
    return tuple(found[begin : begin + limit]), begin + limit < len(found)
