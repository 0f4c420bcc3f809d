"""The customary beginnings of a reply's id, which say whose dialect it is written in and nothing else."""

PREFIXES = ("chatcmpl-", "cmpl-", "msg_", "resp_", "gen-")


def without_prefix(id_: str) -> str:
    """The id without the beginning that some dialect gave it."""
    for prefix in PREFIXES:
        if id_.startswith(prefix):
            return id_[len(prefix) :]
    return id_
