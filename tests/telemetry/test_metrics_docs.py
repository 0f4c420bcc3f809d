"""The guide's table of metrics is what is served."""

from pathlib import Path

from isthmus.telemetry.model_names import MERELY_NAMED
from isthmus.telemetry.table import METRICS, Sort
from isthmus.workers.sums import MOST

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "metrics.md"
SORTS = {Sort.COUNTER: "counter", Sort.HISTOGRAM: "histogram", Sort.GAUGE: "gauge", Sort.COMMON: "gauge"}


def test_the_guide_has_every_metric_with_its_sort_labels_and_meaning_and_no_other() -> None:
    rows = [line.strip("| ").split(" | ") for line in GUIDE.read_text().splitlines() if line.startswith("| `")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        [f"`{one.name}`", SORTS[one.sort], ", ".join(f"`{label}`" for label in one.labels), one.about]
        for one in METRICS.values()
    ]


def test_the_guide_tells_the_bounds_that_hold() -> None:
    assert f"up to {MERELY_NAMED} of these" in GUIDE.read_text()
    assert f"together keep {MOST} series" in GUIDE.read_text()
