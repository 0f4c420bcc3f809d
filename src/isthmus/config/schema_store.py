"""The section `store`: where client keys, use and the audit log are kept, and for how long."""

from typing import Annotated

from isthmus.config.about import DAY, MILLION, About, Unit
from isthmus.core.secret import Secret
from isthmus.core.value import Value


class StoreEntry(Value, frozen=True, rename="kebab"):
    enabled: Annotated[
        bool,
        About("Whether anything is kept. Without it: no client keys but those of this file, no budgets, no usage."),
    ] = True
    url: Annotated[
        Secret | None,
        About(
            "`postgresql://USER:PASSWORD@HOST[:PORT]/DATABASE`, which takes the extra `postgres`, or"
            " `sqlite:///PATH`, relative to the configuration file. Without it: the file `isthmus.db` in the folder for"
            " data, of SQLite."
        ),
    ] = None
    keep_days: Annotated[
        int, About("Days for which each request is kept by itself; 0 for ever.", least=0, most=36_500)
    ] = 30
    keep_sums_days: Annotated[
        int, About("Days for which the sums of each hour are kept; 0 for ever.", least=0, most=36_500)
    ] = 400
    keep_audit_days: Annotated[
        int, About("Days for which the audit log is kept; 0 for ever.", least=0, most=36_500)
    ] = 400
    trust: Annotated[
        float,
        About(
            "How long client keys that were given out are taken as they were last read while the database cannot be"
            " reached; after that they are refused with 503, but for those that are always believed.",
            Unit.SECONDS,
            10,
            DAY,
        ),
    ] = 300.0
    queue: Annotated[
        int,
        About(
            "Requests that wait to be written while the database cannot be reached; further ones are lost, and"
            " counted.",
            least=1000,
            most=MILLION,
        ),
    ] = 100_000
