"""Our own management API, as one table: a resource is a file with its rows, and one line here."""

from isthmus.server.admin import configuration, exchanges, kept_exchanges, logs, rests, status, usage
from isthmus.server.admin.call import Facade
from isthmus.server.admin.refusals import refuse

ADMIN = Facade(
    name="isthmus",
    realm="/admin/",
    refuse=refuse,
    rows=(
        *status.ROWS,
        *rests.ROWS,
        *exchanges.ROWS,
        *kept_exchanges.ROWS,
        *logs.ROWS,
        *configuration.ROWS,
        *usage.ROWS,
    ),
)
