"""What a simulation found, as a table in Markdown and as a chart in SVG."""

from collections.abc import Sequence

from bench.simulation.drive import Result

WIDTH, ROW, LEFT, GAP = 760, 26, 190, 20
INK, GOOD, BAD, PAPER = "#222", "#2f7d5b", "#c2603f", "#fff"
SLOWEST = 10.0
"""Seconds at which a bar of the chart ends."""


def table(results: Sequence[Result]) -> str:
    """A row for each way."""
    lines = [
        "| strategy | answered | p50 | p99 | asks a request | wasted | mean price |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {one.name} | {one.success:.3%} | {one.time(0.5):.2f} s | {one.time(0.99):.2f} s "
        f"| {one.asks / one.requests:.3f} | {one.wasted / one.asks:.2%} | {one.spent:.2f} |"
        for one in results
    ]
    return "\n".join(lines) + "\n"


def chart(results: Sequence[Result]) -> str:
    """Two panels: the share that was not answered, and the time to the first token that 99 of 100 did not exceed."""
    height = GAP * 3 + ROW * len(results)
    half = (WIDTH - LEFT - GAP * 2) / 2
    worst = max(1e-9, *(1 - one.success for one in results))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" fill="{INK}">',
        "<style>text{font:12px sans-serif}</style>",
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
        f'<text x="{LEFT}" y="{GAP}">not answered</text>',
        f'<text x="{LEFT + half + GAP}" y="{GAP}">first token, p99</text>',
    ]
    for index, one in enumerate(results):
        y = GAP * 2 + ROW * index
        parts.append(f'<text x="{LEFT - 10}" y="{y + 12}" text-anchor="end">{one.name}</text>')
        lost = 1 - one.success
        parts.append(_bar(LEFT, y, half * lost / worst * 0.75, f"{lost:.2%}", BAD))
        slow = min(one.time(0.99), SLOWEST) / SLOWEST
        parts.append(_bar(LEFT + half + GAP, y, half * slow * 0.75, f"{one.time(0.99):.1f} s", GOOD))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(x: float, y: float, width: float, words: str, colour: str) -> str:
    return (
        f'<rect x="{x:.0f}" y="{y}" width="{max(1.0, width):.1f}" height="{ROW - 10}" fill="{colour}"/>'
        f'<text x="{x + max(1.0, width) + 5:.1f}" y="{y + 12}">{words}</text>'
    )
