"""The vocabulary every other package speaks: frozen values, no behaviour beyond their meaning.

Depends on the standard library and msgspec, and on nothing else of Isthmus.
"""
