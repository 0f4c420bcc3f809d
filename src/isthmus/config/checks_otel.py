"""What must hold of the section `otel`."""

from importlib.util import find_spec
from urllib.parse import urlsplit

from isthmus.config.reading import Reading
from isthmus.config.schema_otel import OtelEntry
from isthmus.providers.build import check_headers

EXTRA = "opentelemetry.exporter.otlp.proto.http"


def check_otel(entry: OtelEntry, reading: Reading) -> None:
    if entry.endpoint is not None and not _is_address(entry.endpoint):
        reading.note(("otel", "endpoint"), "is not a collector's address; write it like http://127.0.0.1:4318")
    for name, value in entry.headers.items():
        try:
            check_headers([(name, value.reveal())])
        except ValueError as error:
            reading.note(("otel", "headers", name), str(error))
    if entry.enabled and not _has_extra():
        reading.note(("otel",), "needs an extra; run: pip install 'isthmus[otel]'", at_key=True)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return whole and not parts.query and not parts.fragment and parts.username is None


def _has_extra() -> bool:
    try:
        return find_spec(EXTRA) is not None
    except ModuleNotFoundError:
        return False
