"""Routing in simulated time: the gateway's own decisions, against providers that fail in the ways that they do."""
