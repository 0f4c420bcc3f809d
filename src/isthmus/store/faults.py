"""What can go wrong with the database, without a word of SQL in it. The messages are safe to show and to log."""


class OutOfReach(Exception):
    """It cannot be reached or cannot write now; the same may succeed later. Nobody knows whether it was done."""


class Unfit(Exception):
    """The database would take other values, but never these."""


class Duplicate(Unfit):
    """There is one like it already."""


class Unusable(Exception):
    """The database cannot be used as it is; somebody has to see to it."""
