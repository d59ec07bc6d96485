"""Three pictures of runs: recall against latency, latency against size, bytes a moment.

Every engine keeps its colour in all of them and is named beside its dot or line; a panel holds
the engines of one side, since sides answer different questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from runs import KS, Row, Run

SIDES = ("lexicon", "latent", "fused")
LEAST_MISSED = 2e-5  # where a recall of 1 is drawn on a logarithmic axis
MISSED = {".5": 0.5, ".9": 0.1, ".99": 1e-2, ".999": 1e-3, ".9999": 1e-4, "1": LEAST_MISSED}
NAMES_AFTER = 12.0  # times the greatest latency: room for names
COLUMN = 0.54  # of a panel's width: where names begin
APART = 0.055  # of a panel's height: between names


def plot(runs: Sequence[Run], folder: Path) -> list[Path]:
    """Draw all three into a folder; return the files."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figures = {"recall": _recall(runs[-1]), "size": _size(runs), "bytes": _bytes(runs[-1])}
    paths = []
    for name, figure in figures.items():
        paths.append(folder / f"{name}.png")
        figure.savefig(paths[-1], dpi=110)
    pyplot.close("all")
    return paths


def _panels(rows: int, width: float, height: float) -> tuple[Any, Any]:
    from matplotlib import pyplot

    return pyplot.subplots(
        rows, len(SIDES), figsize=(width, height), squeeze=False, layout="constrained"
    )


def _colours(rows: Sequence[Row]) -> dict[str, Any]:
    """Return a colour by engine: ours blue, by darkness; others of a map that has no blue."""
    from matplotlib import colormaps

    ours = list(dict.fromkeys(row.engine for row in rows if row.ours))
    others = list(dict.fromkeys(row.engine for row in rows if not row.ours))
    blues = colormaps["Blues"]
    warm = [colormaps["tab10"](i) for i in range(1, 10)] + [colormaps["Dark2"](i) for i in range(8)]
    return {name: blues(0.5 + 0.5 * i / len(ours)) for i, name in enumerate(ours)} | {
        name: warm[i % len(warm)] for i, name in enumerate(others)
    }


def _recall(run: Run) -> Any:
    figure, axes = _panels(len(KS), 13, 7.5)
    colours = _colours(run.rows)
    for line, k in zip(axes, KS, strict=True):
        for axis, side in zip(line, SIDES, strict=True):
            rows = [row for row in run.rows if (row.k, row.side) == (k, side)]
            missed = [max(1 - row.recall, LEAST_MISSED) for row in rows]
            for row, y in zip(rows, missed, strict=True):
                marker = "o" if row.ours else "s"
                axis.plot(row.p50, y, marker, color=colours[row.engine], markersize=8)
            axis.set(xscale="log", yscale="log", title=f"{side}, k={k}")
            axis.set_ylim(1.0, LEAST_MISSED / 2)
            axis.set_yticks(list(MISSED.values()), list(MISSED), minor=False)
            axis.minorticks_off()
            _room(axis, [row.p50 for row in rows], NAMES_AFTER)
            points = [(row.p50, y) for row, y in zip(rows, missed, strict=True)]
            _name(axis, points, [row.engine for row in rows], colours, COLUMN)
            axis.grid(True, which="major", alpha=0.3)
    figure.supxlabel("p50, ms (left is faster)")
    figure.supylabel("recall (up is better)")
    figure.suptitle(f"{run.moments:,} moments, shape {run.shape}; round: unify, square: peers")
    return figure


def _size(runs: Sequence[Run]) -> Any:
    figure, axes = _panels(1, 13, 4.8)
    rows = [row for run in runs for row in run.rows]
    colours = _colours(rows)
    for axis, side in zip(axes[0], SIDES, strict=True):
        ends, names = [], []
        for name in dict.fromkeys(row.engine for row in rows if row.side == side):
            found = [(run.moments, row.p50) for run in runs if (row := run.row(name, KS[0]))]
            axis.plot(*zip(*found, strict=True), "o-", color=colours[name])
            ends.append(found[-1])
            names.append(name)
        axis.set(xscale="log", yscale="log", title=f"{side}, k={KS[0]}")
        sizes = [run.moments for run in runs]
        _room(axis, sizes, max(4.0, max(sizes) / min(sizes)))
        axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axis.minorticks_off()
        _plain(axis.yaxis)
        axis.margins(y=0.12)
        _name(axis, ends, names, colours)
        axis.grid(True, which="major", alpha=0.3)
    figure.supxlabel("moments")
    figure.supylabel("p50, ms")
    figure.suptitle(f"shape {runs[-1].shape}")
    return figure


def _room(axis: Any, values: Sequence[float], after: float) -> None:
    """Leave room for names right of the greatest value: `after` times it."""
    if values:
        axis.set_xlim(min(values) / 1.5, max(values) * after)
    _plain(axis.xaxis)


def _plain(axis: Any) -> None:
    """Write 1, 2 and 5 in each power of ten as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(10, (1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _name(
    axis: Any,
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    colours: dict[str, Any],
    column: float = 0.0,
) -> None:
    """Write each name right of its point, or in a column, so that none lies on another."""
    if not points:
        axis.text(0.5, 0.5, "none", transform=axis.transAxes, ha="center")
        return
    axis.autoscale_view()
    shown = axis.transAxes.inverted().transform(axis.transData.transform(points))  # (n, 2)
    for i, y in zip(*_spread(shown[:, 1]), strict=True):
        axis.annotate(
            names[i], points[i], (max(shown[i, 0] + 0.03, column), y), textcoords="axes fraction",
            color=colours[names[i]], fontsize=8, va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colours[names[i]], "lw": 0.5},
        )  # fmt: skip


def _spread(heights: np.ndarray) -> tuple[list[int], list[float]]:
    """Return places in ascending order of height, and heights at least `APART` from each other."""
    order = np.argsort(heights, kind="stable").tolist()
    placed: list[float] = []
    for i in order:
        placed.append(max(float(heights[i]), placed[-1] + APART if placed else 0.02))
    over = max(0.0, placed[-1] - 0.98)
    for at in range(len(placed) - 1, -1, -1):  # push back down what left the panel
        highest = 0.98 if at == len(placed) - 1 else placed[at + 1] - APART
        placed[at] = min(placed[at], highest) if over else placed[at]
    return order, placed


def _bytes(run: Run) -> Any:
    from matplotlib import pyplot

    rows = [row for row in run.rows if row.k == KS[0]]
    rows.sort(key=lambda row: (SIDES.index(row.side), row.size_bytes), reverse=True)
    colours = _colours(run.rows)
    figure, axis = pyplot.subplots(figsize=(8, 0.32 * len(rows) + 1.2), layout="constrained")
    names = [f"{row.engine} ({row.side})" for row in rows]
    sizes = [row.size_bytes / run.moments for row in rows]
    drawn = axis.barh(names, sizes, color=[colours[row.engine] for row in rows])
    axis.bar_label(drawn, [f"{size:,.0f}" for size in sizes], padding=3, fontsize=8)
    axis.set(xlabel=f"bytes a moment, {run.moments:,} moments, shape {run.shape}")
    axis.margins(x=0.12)
    return figure
