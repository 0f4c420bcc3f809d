"""What an exchange that is over tells of each of its tries."""

from isthmus.core.errors import Kind
from isthmus.core.usage import Usage
from isthmus.engine.exchange import AttemptRecord, Exchange, Note
from isthmus.engine.spending import Ending


def ended_at(exchange: Exchange) -> float:
    """When the exchange was over, in its clock's seconds."""
    return exchange.started_at if exchange.finished_at is None else exchange.finished_at


def over_at(exchange: Exchange, index: int) -> float:
    """When a try was over: with its failure, with the end of its answer, or as another went on with that."""
    record = exchange.attempts[index]
    if record is exchange.answered:
        return ended_at(exchange)
    if record.ending is Ending.BROKEN:
        following = exchange.attempts[index + 1 :]
        went_on = next((one.began for one in following if one.note is Note.CONTINUED), None)
        if went_on is not None:
            return went_on
    return record.began + record.milliseconds / 1000


def error_of(exchange: Exchange, record: AttemptRecord) -> Kind | None:
    """What went wrong with a try: also with its answer, once that had begun."""
    if record.error is None and record is exchange.answered and exchange.error is not None:
        return exchange.error.kind
    return record.error


def used_at(exchange: Exchange, record: AttemptRecord) -> Usage | None:
    """What the try used, as far as somebody counted it."""
    return exchange.usage if record.usage is None and record is exchange.answered else record.usage


def first_chunk(exchange: Exchange, record: AttemptRecord) -> float | None:
    """Seconds from a try to the first piece of its answer; None where that is no stream, or nobody was told of it."""
    first, peek = exchange.first_byte_at, exchange.peek
    if record is not exchange.answered or first is None or peek is None or not peek.stream:
        return None
    return first - record.began if first >= record.began else None
