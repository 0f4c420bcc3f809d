"""The way in: ASGI in front of the engine."""
