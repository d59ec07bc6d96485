"""The curve of a training run: one JSON object a line, and a picture of it.

`metrics.jsonl` is only added to, so that a killed run leaves all it had; on resuming it is cut back
to the checkpoint's step, so that in the end it is the file of an undisturbed run. Names of values
begin with their panel of the picture: `loss/latent`, `lr/heads`, `active/video`,
`recall/msrvtt/latent`; others are kept and not drawn. It must not know what the values mean.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from unify.engine.durable import replace_file
from unify.engine.errors import MissingPackage, UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = ("png", "svg")
LOG_SPREAD = 20.0  # series whose levels differ more than that share no straight scale
FEW_POINTS = 60  # so few are drawn as points too


@dataclass(frozen=True, slots=True)
class Record:
    """One line: finished steps, and values by name (None where they were not finite)."""

    step: int
    values: dict[str, float | None]


class Panel(Enum):
    """A panel of the picture: the beginning of its values' names, and its vertical axis."""

    LOSS = ("loss/", "loss")
    RATE = ("lr/", "learning rate")
    ACTIVE = ("active/", "active terms of a row")
    RECALL = ("recall/", "held-out recall, %")

    @property
    def prefix(self) -> str:
        """What the names of its values begin with."""
        return self.value[0]

    @property
    def label(self) -> str:
        """Of the vertical axis."""
        return self.value[1]


def append(path: Path, step: int, values: Mapping[str, float]) -> None:
    """Add one line; a killed process loses none (a power cut may lose the last).

    Args:
        path: of `metrics.jsonl`; made where it is missing.
        step: finished steps of the run, with which the line is cut back or kept.
        values: by name; NaN and infinities become null, as JSON has neither.
    """
    record = {"step": step} | {n: v if math.isfinite(v) else None for n, v in values.items()}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def cut_back(path: Path, step: int) -> None:
    """Drop what lies after a step, and a line that a crash left unfinished.

    Args:
        path: of `metrics.jsonl`; where it is missing nothing is done.
        step: of the checkpoint with which training goes on; 0 when there is none.
    """
    if not path.exists():
        return
    kept = [line for line in _whole_lines(path) if _record(path, line).step <= step]
    replace_file(path, b"".join(kept))


def read(path: Path) -> list[Record]:
    """Return all lines as they were appended, but for an unfinished last one.

    Raises:
        UsageError: it is missing, or a line is not of such a file.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist", "give the metrics.jsonl of a training run")
    return [_record(path, line) for line in _whole_lines(path)]


def _whole_lines(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def _record(path: Path, line: bytes) -> Record:
    try:
        values = dict(json.loads(line))
        return Record(int(values.pop("step")), values)
    except (ValueError, KeyError, TypeError):
        start = line[:40].decode(errors="replace").strip()
        raise UsageError(
            f"{path} has a line that is not a record: {start}", "delete that line"
        ) from None


def plot(metrics: Path, out: Path) -> None:
    """Draw the curve: a panel each for losses, rates, active terms and recall, over steps.

    A panel without values is left out. It uses no display and leaves matplotlib's global state
    alone.

    Args:
        metrics: `metrics.jsonl`.
        out: the picture, `.png` or `.svg`; it is replaced.

    Raises:
        MissingPackage: matplotlib is not installed.
        UsageError: another kind of picture is wanted, or there is nothing to draw.
    """
    kind = out.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise UsageError(f"{out} is not a kind of picture that is drawn", "name it .png or .svg")
    records = read(metrics)
    panels = {panel: series for panel in Panel if (series := _series(records, panel))}
    if not panels:
        raise UsageError(f"{metrics} has nothing to draw", "train for a step first")
    replace_file(out, _draw(panels, kind))


# Of one panel: name to (steps, values).
_Series: TypeAlias = dict[str, tuple[list[int], list[float]]]


def _series(records: list[Record], panel: Panel) -> _Series:
    found: _Series = {}
    for record in records:
        for name, value in record.values.items():
            if name.startswith(panel.prefix) and value is not None:
                steps, values = found.setdefault(name.removeprefix(panel.prefix), ([], []))
                steps.append(record.step)
                values.append(value)
    return found


def _draw(panels: Mapping[Panel, _Series], kind: str) -> bytes:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise MissingPackage(
            "drawing curves needs matplotlib", "pip install 'unify-search[train]'"
        ) from None
    # A Figure outside pyplot chooses Agg or SVG by the kind of file alone.
    figure = Figure(figsize=(11, 3.4 * math.ceil(len(panels) / 2)), layout="constrained")
    columns = min(2, len(panels))
    for place, (panel, series) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(math.ceil(len(panels) / columns), columns, place)
        _draw_panel(axes, panel, series)
    picture = io.BytesIO()
    dated = {"Date": None} if kind == "svg" else None  # the same curve is the same file
    figure.savefig(picture, format=kind, dpi=120, metadata=dated)
    return picture.getvalue()


def _draw_panel(axes: Axes, panel: Panel, series: _Series) -> None:
    for name, (steps, values) in series.items():
        marker = "o" if len(steps) <= FEW_POINTS else ""
        axes.plot(steps, values, label=name, linewidth=1.2, marker=marker, markersize=3)
    axes.set_xlabel("step")
    axes.set_ylabel(panel.label)
    if panel is not Panel.RECALL and _needs_log(series):
        axes.set_yscale("log", nonpositive="mask")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small", loc="upper right")


def _needs_log(series: _Series) -> bool:
    """Whether some series would be a flat line at the bottom of a straight scale."""
    peaks = [max(values) for _, values in series.values() if max(values) > 0]
    return bool(peaks) and max(peaks) > LOG_SPREAD * min(peaks)
