"""Every management API that is served: ours, and those of other systems."""

from isthmus.server.admin.call import Facade
from isthmus.server.admin.routes import ADMIN

FACADES: tuple[Facade, ...] = (ADMIN,)
