"""Exchanges that are over, as spans: one of the gateway as a server, and beneath it one of it as a client for each try.

Only what the conventions name and a few facts of ours: nothing that was said, no error's words, no key, no address of
a client. Texts that somebody else chose are cut short.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from isthmus.catalog.tariff import MICRODOLLARS
from isthmus.core.errors import Blame, Kind
from isthmus.core.usage import Usage
from isthmus.engine.exchange import AttemptRecord, Call, Exchange
from isthmus.engine.live import Now
from isthmus.engine.spending import spending
from isthmus.engine.traces import Trace
from isthmus.telemetry.otel.names import OPERATIONS, SCOPE, VERSION, provider_name
from isthmus.telemetry.otel.tries import ended_at, error_of, first_chunk, over_at, used_at

LONGEST = 200
"""Characters of a text."""
_SCOPE = InstrumentationScope(SCOPE, VERSION)
_UNSET = Status(StatusCode.UNSET)
_ERROR = Status(StatusCode.ERROR)

Fields: TypeAlias = Mapping[str, str | int | float | bool | None]


def spans_of(exchange: Exchange, trace: Trace, now: Now, resource: Resource) -> Iterator[ReadableSpan]:
    """The span of an exchange of this trace, and those of its tries."""
    context = _context(trace, trace.span)
    error, route = exchange.error, _route(exchange.call)
    yield ReadableSpan(
        f"POST {route}",
        context,
        _context(trace, trace.parent) if trace.parent else None,
        resource,
        _said(_served(exchange, route, now)),
        kind=SpanKind.SERVER,
        status=_UNSET if error is None or error.rule.blame is Blame.CLIENT else _ERROR,
        start_time=_nanoseconds(exchange, exchange.started_at),
        end_time=_nanoseconds(exchange, ended_at(exchange)),
        instrumentation_scope=_SCOPE,
    )
    for index, record in enumerate(exchange.attempts):
        yield ReadableSpan(
            f"{OPERATIONS[exchange.call.codec.operation]} {record.target.model[:LONGEST]}",
            _context(trace, record.span),
            context,
            resource,
            _said(_asked(exchange, record, now)),
            kind=SpanKind.CLIENT,
            status=_UNSET if error_of(exchange, record) in (None, Kind.CANCELLED) else _ERROR,
            start_time=_nanoseconds(exchange, record.began),
            end_time=_nanoseconds(exchange, over_at(exchange, index)),
            instrumentation_scope=_SCOPE,
        )


def _served(exchange: Exchange, route: str, now: Now) -> Fields:
    peek, error = exchange.peek, exchange.error
    dollars = spending(exchange, now.tariffs).microdollars if exchange.attempts else None
    return {
        "http.request.method": "POST",
        "http.route": route,
        "http.response.status_code": exchange.status or None,
        "error.type": None if error is None else str(error.kind),
        "isthmus.exchange": exchange.id,
        "isthmus.client": exchange.client.name[:LONGEST],
        "isthmus.model": None if peek is None else peek.model[:LONGEST],
        "isthmus.dialect": exchange.call.codec.dialect,
        "isthmus.lane": None if exchange.lane is None else str(exchange.lane),
        "isthmus.outcome": exchange.outcome,
        "isthmus.attempts": len(exchange.attempts),
        "isthmus.losses": len(exchange.losses.found) + exchange.losses.more,
        "isthmus.cached": exchange.cached or None,
        "isthmus.cost": None if dollars is None else dollars / MICRODOLLARS,
    }


def _asked(exchange: Exchange, record: AttemptRecord, now: Now) -> Fields:
    provider, usage = now.snapshot.providers.get(record.target.provider), used_at(exchange, record)
    error, peek = error_of(exchange, record), exchange.peek
    return {
        "gen_ai.operation.name": OPERATIONS[exchange.call.codec.operation],
        "gen_ai.provider.name": record.target.provider if provider is None else provider_name(provider),
        "gen_ai.request.model": record.target.model[:LONGEST],
        "gen_ai.request.stream": True if peek is not None and peek.stream else None,
        "gen_ai.response.time_to_first_chunk": first_chunk(exchange, record),
        **_counted(usage),
        "server.address": None if provider is None else provider.origin.host,
        "server.port": None if provider is None else provider.origin.port,
        "error.type": None if error is None else str(error),
        "isthmus.provider": record.target.provider,
        "isthmus.key": record.credential or None,
        "isthmus.note": None if record.note is None else str(record.note),
    }


def _counted(usage: Usage | None) -> Fields:
    if usage is None:
        return {}
    return {
        "gen_ai.usage.input_tokens": usage.input,
        "gen_ai.usage.output_tokens": usage.total_output,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read or None,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write or None,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning or None,
    }


def _said(fields: Fields) -> dict[str, str | int | float | bool]:
    return {name: value for name, value in fields.items() if value is not None}


def _route(call: Call) -> str:
    """The path, without what a client can choose in it."""
    if call.named is None:
        return call.path.rstrip("/")
    return f"{call.path.partition('/models/')[0]}/models/{{model}}:{call.path.rpartition(':')[2]}"


def _context(trace: Trace, span: int) -> SpanContext:
    remote = span == trace.parent
    state = TraceState.from_header([trace.state.decode("latin-1")]) if trace.state else None
    return SpanContext(trace.id, span, remote, TraceFlags(trace.flags & TraceFlags.SAMPLED), state)


def _nanoseconds(exchange: Exchange, at: float) -> int:
    return int(exchange.unix(at) * 1e9)
