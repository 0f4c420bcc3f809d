"""The section `otel`: what is sent to a collector of OpenTelemetry."""

from collections.abc import Mapping
from typing import Annotated

from isthmus.config.about import About, Unit
from isthmus.core.secret import Secret
from isthmus.core.value import Value


class OtelEntry(Value, frozen=True, rename="kebab"):
    enabled: Annotated[
        bool, About("Whether anything is sent to a collector. Takes the extra `otel`, and effect at the next start.")
    ] = False
    endpoint: Annotated[
        str | None,
        About(
            "Where the collector takes OTLP over HTTP, without the `/v1/traces`. Without it: as"
            " `OTEL_EXPORTER_OTLP_ENDPOINT` says, else `http://localhost:4318`."
        ),
    ] = None
    headers: Annotated[
        Mapping[str, Secret], About("What the collector wants to see, by NAME, such as `authorization`.")
    ] = {}
    service_name: Annotated[
        str | None, About("What the gateway is called there. Without it: as `OTEL_SERVICE_NAME` says, else `isthmus`.")
    ] = None
    traces: Annotated[bool, About("Whether spans are sent.")] = True
    sample: Annotated[
        float,
        About(
            "The share of requests that begin a trace. One that comes with a trace (`traceparent`) goes on with it,"
            " sampled or not as that says.",
            Unit.SHARE,
            0,
            1,
        ),
    ] = 1.0
    propagate: Annotated[
        bool, About("Whether providers are told which trace they are asked in (`traceparent`, `tracestate`).")
    ] = True
    metrics: Annotated[bool, About("Whether the metrics of the conventions for generative AI are sent.")] = True
    metrics_every: Annotated[float, About("Time between two sendings of metrics.", Unit.SECONDS, 1, 3600)] = 60.0
