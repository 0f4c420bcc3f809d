"""No path for metrics can be configured that leads to something else."""

from isthmus.config.checks_metrics import TAKEN
from isthmus.engine.snapshot import METRICS_PATH
from isthmus.server.endpoints import ENDPOINTS
from isthmus.server.facades import FACADES


def test_the_words_that_are_taken_are_those_that_served_paths_begin_with() -> None:
    rows = [row.path for facade in FACADES for row in facade.rows]
    realms = [facade.realm for facade in FACADES if facade.realm]
    served = {path.split("/")[1] for path in (*ENDPOINTS, *rows, *realms) if path not in ("/", METRICS_PATH)}
    assert served == TAKEN
