"""Our own management API, as one table: a resource is a file with its rows, and one line here."""

from isthmus.server.admin import (
    accounts,
    budgets,
    configuration,
    debug,
    deeds,
    dumps,
    exchanges,
    kept_bodies,
    kept_exchanges,
    keys,
    limits,
    logs,
    models,
    openapi,
    providers,
    rests,
    sign_ins,
    status,
    usage,
)
from isthmus.server.admin.call import Facade
from isthmus.server.admin.refusals import refuse

_ROWS = (
    *status.ROWS,
    *providers.ROWS,
    *models.ROWS,
    *keys.ROWS,
    *accounts.ROWS,
    *sign_ins.ROWS,
    *limits.ROWS,
    *budgets.ROWS,
    *rests.ROWS,
    *exchanges.ROWS,
    *kept_exchanges.ROWS,
    *kept_bodies.ROWS,
    *logs.ROWS,
    *dumps.ROWS,
    *debug.ROWS,
    *deeds.ROWS,
    *configuration.ROWS,
    *usage.ROWS,
)

ADMIN = Facade(name="isthmus", realm="/admin/", refuse=refuse, rows=(*_ROWS, openapi.row_of(_ROWS)))
