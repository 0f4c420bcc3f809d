"""Every metric that is served: its name, sort, meaning and labels. Nothing is counted or served that is not here."""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType

from isthmus.core.value import Value


class Sort(Enum):
    COUNTER = auto()
    HISTOGRAM = auto()
    GAUGE = auto()
    """A current value; those of several workers are added up."""
    COMMON = auto()
    """A current value that every worker knows of by itself: the greatest of theirs."""


class Metric(Value, frozen=True):
    """`buckets` are the upper bounds of a histogram's, but for the last, which has none."""

    name: str
    sort: Sort
    about: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """The numbers of one series."""
        return len(self.buckets) + 2 if self.sort is Sort.HISTOGRAM else 1


SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
FIRST_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)

_COUNTER, _HISTOGRAM, _GAUGE, _COMMON = Sort.COUNTER, Sort.HISTOGRAM, Sort.GAUGE, Sort.COMMON
_MODEL = ("provider", "model")
_WORKER = ("worker",)

_ALL = (
    Metric("llm_requests_total", _COUNTER, "Total number of LLM requests", _MODEL),
    Metric("llm_request_duration_seconds", _HISTOGRAM, "Request duration in seconds", ("provider",), SECONDS),
    Metric("llm_cost_total", _COUNTER, "Total cost of LLM requests", ("provider", "currency")),
    Metric("llm_latency_ms_avg", _GAUGE, "Mean request duration in milliseconds since the start", ("provider",)),
    Metric("llm_error_rate", _GAUGE, "Share of the attempts that failed since the start", ("provider",)),
    Metric("llm_active_keys_total", _COMMON, "Upstream keys that do not rest at present", ("provider",)),
    Metric(
        "isthmus_exchanges_total",
        _COUNTER,
        "Client requests that are over: answered, failed or cancelled",
        ("dialect", "operation", "lane", "outcome"),
    ),
    Metric("isthmus_failures_total", _COUNTER, "Client requests that failed, by the kind of error", ("kind",)),
    Metric(
        "isthmus_attempts_total",
        _COUNTER,
        "Requests sent to providers: answered, given_up, or the kind of error that ended one",
        ("provider", "result"),
    ),
    Metric("isthmus_losses_total", _COUNTER, "What a provider's dialect could not say, by what was done", ("deed",)),
    Metric(
        "isthmus_first_token_seconds",
        _HISTOGRAM,
        "Seconds from a streaming request to the first byte of its answer",
        _MODEL,
        FIRST_SECONDS,
    ),
    Metric(
        "isthmus_tokens_total",
        _COUNTER,
        "Tokens, each counted once: input, cached, written, output, reasoning",
        (*_MODEL, "kind"),
    ),
    Metric("isthmus_cost_dollars_total", _COUNTER, "Cost in US dollars, by the prices known at the time", _MODEL),
    Metric("isthmus_unpriced_total", _COUNTER, "Answers with tokens whose price is not known", _MODEL),
    Metric("isthmus_cache_hits_total", _COUNTER, "Requests that were given an answer once more that was kept"),
    Metric("isthmus_hedges_total", _COUNTER, "Attempts that were outrun by another for the same request"),
    Metric("isthmus_continuations_total", _COUNTER, "Times that a broken answer went on at another place"),
    Metric(
        "isthmus_spills_total",
        _COUNTER,
        "Answers paid by use that accounts of a subscription stood before: the accounts' provider, and who answered",
        ("source", "provider"),
    ),
    Metric("isthmus_shadow_exchanges_total", _COUNTER, "Copies of requests that are over", ("outcome",)),
    Metric("isthmus_shadows_dropped_total", _COUNTER, "Copies of requests that were not made for want of room"),
    Metric("isthmus_queue_refused_total", _COUNTER, "Requests that the queue refused or that waited in vain"),
    Metric("isthmus_limits_alone_total", _COUNTER, "Grants of shared limits while who counts for all was late or gone"),
    Metric("isthmus_store_rows_lost_total", _COUNTER, "Rows of use that the store could not take in time"),
    Metric("isthmus_bodies_lost_total", _COUNTER, "Exchanges whose bodies were to be kept and could not be"),
    Metric("isthmus_dumps_skipped_total", _COUNTER, "Exchanges that failed and have no dump, for want of time or room"),
    Metric("isthmus_traces_lost_total", _COUNTER, "Exchanges whose spans the collector of OpenTelemetry did not take"),
    Metric(
        "isthmus_management_refused_total",
        _COUNTER,
        "Calls of management that were answered with an error, by its kind",
        ("kind",),
    ),
    Metric("isthmus_log_lines_dropped_total", _COUNTER, "Lines of the log that could not be written"),
    Metric(
        "isthmus_event_loop_lag_seconds",
        _HISTOGRAM,
        "How late the event loop woke somebody who looks once a second",
        (),
        LAG_SECONDS,
    ),
    Metric("isthmus_exchanges_running", _GAUGE, "Client requests that run"),
    Metric("isthmus_shadows_running", _GAUGE, "Copies of requests that run"),
    Metric("isthmus_queue_length", _GAUGE, "Requests that wait for a free place"),
    Metric("isthmus_store_rows_waiting", _GAUGE, "Rows of use that are not written yet"),
    Metric("isthmus_client_keys", _COMMON, "Client keys that were given out, as they are known"),
    Metric("isthmus_accounts", _COMMON, "Accounts that somebody signed in to, by state", ("state",)),
    Metric("isthmus_rests", _COMMON, "Places that rest after failures, by what failed", ("provider", "kind")),
    Metric(
        "isthmus_connections",
        _GAUGE,
        "Connections to providers: open, idle and in_use, and requests waiting for one",
        ("origin", "state"),
    ),
    Metric(
        "isthmus_state",
        _COMMON,
        "1 for where limits, memory and the store are at present, such as local, shared, sqlite, or unreachable",
        ("part", "where"),
    ),
    Metric("isthmus_build_info", _COMMON, "1, with the version that runs", ("version",)),
    Metric("process_virtual_memory_bytes", _GAUGE, "Virtual memory size in bytes", _WORKER),
    Metric("process_resident_memory_bytes", _GAUGE, "Resident memory size in bytes", _WORKER),
    Metric("process_start_time_seconds", _GAUGE, "Start time of the process in Unix seconds", _WORKER),
    Metric("process_cpu_seconds_total", _COUNTER, "Total user and system CPU time spent in seconds", _WORKER),
    Metric("process_open_fds", _GAUGE, "Number of open file descriptors", _WORKER),
    Metric("process_max_fds", _GAUGE, "Maximum number of open file descriptors", _WORKER),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ALL})
