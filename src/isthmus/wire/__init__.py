"""Framing: bytes in, frames out. Knows no dialect."""
