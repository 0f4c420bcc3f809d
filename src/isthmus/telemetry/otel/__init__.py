"""Traces and measures for a collector of OpenTelemetry. Imported only where it is configured: it takes an extra."""
