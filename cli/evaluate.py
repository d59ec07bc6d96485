"""`unify eval`."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unify.cli import jsonio, render
from unify.cli.options import JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unify.encoders.datasets import DataSet
    from unify.encoders.evaluation import Evaluation, Stage

_STEPS = 5  # lines of progress in a pipe


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("eval")(evaluate)


def evaluate(
    path: Annotated[
        Path, typer.Argument(metavar="DATASET", readable=False, help="A data set's folder.")
    ],
    pack: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Default: mini. Repeat it for mean and deviation."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="Default: the test split, or the only one.")
    ] = None,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Only the items that training never sees.")
    ] = False,
    frames: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Frames of an item. Default: 12, of DiDeMo 32."),
    ] = None,
    dual_softmax: Annotated[
        bool,
        typer.Option("--dual-softmax", help="Add rows that know all queries, as no search does."),
    ] = False,
    json: JsonOption = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also write the table and the JSON here.")
    ] = None,
) -> None:
    """Measure how well packs find items by their captions, and back.

    DATASET is a folder with MSR-VTT, DiDeMo or MSVD as their users have them, an archive of
    stills with captions.json, or clips with captions.tsv. Exit code 5 says that some items
    cannot be decoded; the others are measured all the same.

    Examples:
        unify eval ~/data/MSRVTT --pack mini --split 1k-A
    """
    from unify.encoders.datasets import hold_out, read_dataset
    from unify.encoders.evaluation import evaluate_pack, record, table
    from unify.encoders.packs import open_pack

    packs = [open_pack(name) for name in pack or ["mini"]]
    dataset = read_dataset(path, split)
    dataset = hold_out(dataset) if held_out else dataset
    _announce(dataset)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)  # or it is said before the work, not after
    found = []
    for one in packs:
        with _Reporter(one.name) as tell:
            found.append(evaluate_pack(one, dataset, frames, dual_softmax, tell))
    content, text = record(found), table(found)
    if json:
        jsonio.emit(content)
    else:
        render.say(text)
    if out is not None:
        _write(out, f"{dataset.name}-{dataset.split}", content, text)
    _complain_of_failures(found)


def _announce(dataset: DataSet) -> None:
    captions = sum(len(item.captions) for item in dataset.items)
    render.tell(
        f"{dataset.name} {dataset.split}: {render.counted(len(dataset.items), 'item')}, "
        f"{render.counted(captions, 'caption')}"
    )
    if dataset.missing:
        names = ", ".join([*dataset.missing[:3], *(["..."] if dataset.missing[3:] else [])])
        render.tell(f"missing: annotated items without a file: {len(dataset.missing):,} ({names})")


def _write(folder: Path, name: str, content: dict[str, Any], text: str) -> None:
    line = json_text.dumps({"schema": jsonio.SCHEMA, **content}, indent=1)
    for suffix, whole in ((".json", line), (".md", text)):
        target = folder / f"{name}{suffix}"
        target.write_text(whole + "\n", "utf-8")
        render.tell(f"wrote {target}")


def _complain_of_failures(found: Sequence[Evaluation]) -> None:
    failed = {name: why for one in found for name, why in one.failed}
    for name, why in failed.items():
        render.tell(f"not decodable, left out: {name} ({why})")
    if failed:
        raise typer.Exit(5)


class _Reporter:
    """Shows progress on stderr: a bar on a terminal, a few plain lines in a pipe."""

    def __init__(self, pack: str) -> None:
        self._pack = pack
        self._bar = None
        self._said = ("", -1)
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            columns = TextColumn("{task.description}", markup=False), BarColumn()
            console = Console(stderr=True)
            self._bar = Progress(*columns, MofNCompleteColumn(), console=console, transient=True)
            self._task = self._bar.add_task(pack)

    def __enter__(self) -> _Reporter:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, stage: Stage, done: int, total: int) -> None:
        """Show how far a stage is."""
        if self._bar:
            name = f"{self._pack}: {stage}"
            self._bar.update(self._task, description=name, completed=done, total=total)
        elif self._said != (stage, done * _STEPS // total):
            self._said = (stage, done * _STEPS // total)
            render.tell(f"{self._pack}: {done:,} of {total:,} {stage}")
