"""Every management API that is served: ours, and those of other systems."""

from isthmus.server.admin.call import Facade
from isthmus.server.admin.routes import ADMIN
from isthmus.server.compat.codex import CODEX
from isthmus.server.compat.llm_mux import ENVELOPED, FLAT
from isthmus.server.compat.llms import LLMS
from isthmus.server.compat.truckllm import TRUCKLLM

FACADES: tuple[Facade, ...] = (TRUCKLLM, ADMIN, FLAT, ENVELOPED, CODEX, LLMS)
