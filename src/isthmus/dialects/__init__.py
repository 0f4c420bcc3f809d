"""Codecs: one family of wire formats each, read into core values and written back. Pure; none imports another."""
